/** The forms of HMAC that have a name, by what their makers publish, and those of a user's own. */
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { signRequest } from '../../src/core/signing.ts'
import type { SigningScheme } from '../../src/core/signing-scheme.ts'
import { validateSigningSchemes } from '../../src/core/signing-schemes.ts'
import { parseSecret, prepareSecret } from '../../src/core/signing-secrets.ts'
import { createVerifier, type HmacScheme, NoMatchError } from '../../src/verify/index.ts'

function sign(scheme: SigningScheme, secret: string, body: string, timestampSeconds = 1_614_265_330) {
  const prepared = prepareSecret(secret)
  return signRequest([scheme], {
    eventId: 'evt_1',
    deliveryId: 'dlv_1',
    topic: 'orders.created',
    timestampSeconds,
    body: Buffer.from(body),
    secrets: { active: [prepared], primary: prepared },
  })
}

describe('scheme pyfly', () => {
  /** Payloads as they may be published, the canonical bytes that are sent, and pyfly's own signatures. */
  it.each([
    [
      'mysecret',
      '{ "order_id" : 99 }',
      '{"order_id":99}',
      '03010e58206f219569b7d27b0d294c2edb8e255a13bfcff8dc3f430f2d2800d7',
    ],
    [
      'topsecret',
      '{"b":2,"a":1}',
      '{"a":1,"b":2}',
      '2a9cb6b71d9c7fdb1202b32002aa6f765b584bddf1b1ed248800b3f5ea58f123',
    ],
    [
      'topsecret',
      '{"～":1,"😀":2,"z":3}',
      '{"z":3,"\\uff5e":1,"\\ud83d\\ude00":2}',
      '2f57aa6d6cb5a4a9e7dabdd9ba4ce220a8d0e76f7819668552b18a887c96257c',
    ],
    [
      'topsecret',
      '{"sl":"a/b\u2028\u007f","ok":true,"none":null,"name":"José","n":[1,1.5,1.0,1e16,1e-7],"emoji":"😀","é":1}',
      '{"emoji":"\\ud83d\\ude00","n":[1,1.5,1.0,1e+16,1e-07],"name":"Jos\\u00e9","none":null,"ok":true,"sl":"a/b\\u2028\\u007f","\\u00e9":1}',
      '4e7c7952e00d74f2fef973eec0e4cec65eef14b3eb1c788b3d814f143ea8dbb4',
    ],
  ])('S4.3: pyfly’s vector under %s: %s is sent as %s', (secret, payload, canonical, digest) => {
    const { headers, body } = sign('pyfly', secret, payload)
    expect(headers).toEqual({ 'x-pyfly-signature': `sha256=${digest}` })
    expect(Buffer.from(body).toString()).toBe(canonical)
    // Over the raw bytes too, whatever receives them.
    expect(createHmac('sha256', secret).update(body).digest('hex')).toBe(digest)
  })

  it.each([
    ['no JSON', 'a=1&b=2'],
    ['nothing', ''],
    ['a number that no float holds', '[1e400]'],
    ['deeper JSON than anybody reads', '['.repeat(600) + ']'.repeat(600)],
  ])('%s goes out as it is, signed over those bytes', (_name, text) => {
    const { headers, body } = sign('pyfly', 'mysecret', text)
    expect(Buffer.from(body).toString()).toBe(text)
    const digest = createHmac('sha256', 'mysecret').update(text).digest('hex')
    expect(headers['x-pyfly-signature']).toBe(`sha256=${digest}`)
  })

  it('of a key that stands there twice the last value is sent, which is what parsers read', () => {
    expect(Buffer.from(sign('pyfly', 'mysecret', '{"a":1,"a":{"b":2}}').body).toString()).toBe(
      '{"a":{"b":2}}',
    )
  })
})

describe('what others publish', () => {
  it('S4.14 GitHub: the example of its documentation', () => {
    const { headers } = sign('github', "It's a Secret to Everybody", 'Hello, World!')
    expect(headers).toEqual({
      'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    })
  })

  it('Slack: the example of its documentation', () => {
    const body =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'
    expect(sign('slack', '8f742231b10e8888abcd99yyyzzz85a5', body, 1_531_420_618).headers).toEqual({
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    })
  })

  it('S4.14 Stripe: `<time>.<body>` in hexadecimal, behind the time', () => {
    const v1 = createHmac('sha256', 'whsec_stripe').update('1614265330.{"a":1}').digest('hex')
    expect(sign('stripe', 'whsec_stripe', '{"a":1}').headers).toEqual({
      'stripe-signature': `t=1614265330,v1=${v1}`,
    })
  })

  it('Shopify: the body in base64', () => {
    const digest = createHmac('sha256', 'hush').update('{"a":1}').digest('base64')
    expect(sign('shopify', 'hush', '{"a":1}').headers).toEqual({ 'x-shopify-hmac-sha256': digest })
  })
})

const own = (members: object) => ({ type: 'hmac', header: 'x-sig', ...members })

describe('an hmac of a user’s own', () => {
  it('is the body in hexadecimal unless told otherwise, and is kept with all its members', () => {
    const [scheme] = validateSigningSchemes([own({})]) as [SigningScheme]
    expect(scheme).toEqual({
      ...own({}),
      prefix: '',
      next: null,
      encoding: 'hex',
      message: '{body}',
      headers: {},
    })
    const digest = createHmac('sha256', 'a-secret').update('x').digest('hex')
    expect(sign(scheme, 'a-secret', 'x').headers).toEqual({ 'x-sig': digest })
  })

  it.each<[string, object]>([
    ['GitHub', { header: 'x-hub', prefix: 'sha256=' }],
    ['Stripe', { header: 'x-str', prefix: 't={timestamp},v1=', next: ',v1=', message: '{timestamp}.{body}' }],
    ['Slack', { prefix: 'v0=', message: 'v0:{timestamp}:{body}', headers: { 'X-Time': '{timestamp}' } }],
    ['Shopify', { encoding: 'base64' }],
    [
      'id, time and body, and text behind it',
      { message: '{id}.{timestamp}.{body}.{id}!', prefix: '{timestamp} ', headers: { 'x-id': 'v1 {id}' } },
    ],
    ['an id that is known from elsewhere', { message: '{id}\n{body}' }],
  ])(
    'in a form like that of %s verifies by the same description, and forgeries do not',
    async (_name, members) => {
      const [scheme] = validateSigningSchemes([own(members)]) as [HmacScheme & SigningScheme]
      const { headers: signed, body } = sign(scheme, 'a-secret', '{"a":1}')
      const headers = { ...signed, 'outhook-event-id': 'evt_1' }
      const verifier = createVerifier({
        secrets: ['other-one', 'a-secret'],
        scheme,
        now: () => 1_614_265_330,
      })
      expect(await verifier.verify({ headers, body })).toMatchObject({ scheme: 'hmac' })
      await expect(verifier.verify({ headers, body: '{"a":2}' })).rejects.toThrow(NoMatchError)
    },
  )

  it('that tells its time refuses an old one', async () => {
    const [scheme] = validateSigningSchemes([
      own({ message: '{timestamp}{body}', headers: { 'x-time': '{timestamp}' } }),
    ]) as [HmacScheme & SigningScheme]
    const { headers, body } = sign(scheme, 'a-secret', '{}')
    const late = createVerifier({ secrets: 'a-secret', scheme, now: () => 1_614_265_631 })
    await expect(late.verify({ headers, body })).rejects.toMatchObject({ code: 'too_old' })
  })

  it.each<[string, unknown, string]>([
    ['another type', { type: 'rsa', header: 'x-sig' }, 'signing_schemes[0].type must be "hmac"'],
    ['no type', { header: 'x-sig' }, '.type must be "hmac"'],
    ['a member that does not exist', own({ algorithm: 'sha1' }), 'has a member "algorithm"'],
    ['no header', { type: 'hmac' }, '.header must be the name of a header'],
    ['a header of two lines', own({ header: 'x\r\nhost' }), '.header must be the name of a header'],
    ['no text as header', own({ header: 5 }), '.header must be the name of a header'],
    ...[
      'Host',
      'content-length',
      'Transfer-Encoding',
      'connection',
      'webhook-signature',
      'outhook-event-id',
      'Hookrail-Signature',
      'x-hub-signature-256',
      'X-Pyfly-Signature',
      'content-type',
      'authorization',
      'Cookie',
      'user-agent',
      'proxy-authorization',
      'traceparent',
    ].map((header): [string, unknown, string] => [
      `the header ${header}`,
      own({ header }),
      'has a meaning of its own',
    ]),
    [
      'a reserved header beside it',
      own({ headers: { Host: '{id}' } }),
      '.headers["Host"] "host" has a meaning',
    ],
    ['its own header beside it', own({ headers: { 'X-Sig': '{id}' } }), 'is the header of the signature'],
    ['the same header twice', own({ headers: { 'x-a': '1', 'X-A': '2' } }), 'stands there twice'],
    ['a header without a value', own({ headers: { 'x-a': '' } }), 'must not be empty'],
    ['five headers', own({ headers: { a: '1', b: '1', c: '1', d: '1', e: '1' } }), 'has 5 headers'],
    ['headers that are a list', own({ headers: [] }), '.headers must be an object'],
    ['a prefix of two lines', own({ prefix: 'a\r\nx: ' }), '.prefix must be at most'],
    ['a prefix with the body', own({ prefix: '{body}' }), '.prefix has a brace'],
    ['a prefix that begins with a space', own({ prefix: ' a' }), '.prefix must be at most'],
    ['another encoding', own({ encoding: 'base32' }), '.encoding must be "hex" or "base64"'],
    ['a message without the body', own({ message: '{id}' }), 'must hold "{body}" once'],
    ['a message with the body twice', own({ message: '{body}{body}' }), 'must hold "{body}" once'],
    ['an unknown name in the message', own({ message: '{body}{topic}' }), 'has a brace'],
    ['a single brace', own({ message: '{{body}' }), 'has a brace'],
    ['a message beyond ASCII', own({ message: 'é{body}' }), 'characters of ASCII'],
    ['a message that is too long', own({ message: `${'a'.repeat(256)}{body}` }), 'at most 256'],
    ['a time that nobody is told', own({ message: '{timestamp}{body}' }), 'which the receiver is not told'],
    ['a separator out of digits', own({ next: 'a' }), 'could be a part of a signature'],
    ['a separator that is empty', own({ next: '' }), '.next must be 1 to 32'],
    ['a list', [], 'must be an object of type "hmac"'],
    ['null', null, 'must be one of standard'],
  ])('refuses %s', (_name, scheme, message) => {
    expect(() => validateSigningSchemes([scheme])).toThrow(
      expect.objectContaining({ code: 'unprocessable', message: expect.stringContaining(message) }),
    )
  })
})

describe('schemes beside each other', () => {
  it.each<[unknown[], string]>([
    [
      [own({}), own({ header: 'X-SIG' })],
      'signing_schemes[1] sets the header "x-sig", as signing_schemes[0] does',
    ],
    [['stripe', own({ header: 'Stripe-Signature' })], 'sets the header "stripe-signature"'],
    [
      ['slack', own({ headers: { 'x-slack-request-timestamp': '{timestamp}' } })],
      'sets the header "x-slack-request-timestamp"',
    ],
    [['none', own({})], '"none" beside another'],
    [['github', 'github'], '"github" twice'],
    [['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'], 'has 9 schemes'],
  ])('%j are refused', (schemes, message) => {
    expect(() => validateSigningSchemes(schemes)).toThrow(
      expect.objectContaining({ code: 'unprocessable', message: expect.stringContaining(message) }),
    )
  })

  it('all that have names can stand together, and each signs the body that is sent', () => {
    const all = ['standard', 'hookrail', 'pyfly', 'github', 'stripe', 'shopify', 'slack'] as const
    expect(validateSigningSchemes(all)).toEqual(all)
  })
})

describe('secrets of the text’s own', () => {
  it.each(['mysecret', 'whsec_stripe', '8f742231b10e8888abcd99yyyzzz85a5'])(
    '%s is taken without the standard',
    (text) => {
      expect(parseSecret(text, ['pyfly'])).toBe(text)
      expect(() => parseSecret(text, ['pyfly', 'standard'])).toThrow(/wrong form/)
      expect(() => parseSecret(text, ['none'])).toThrow(/wrong form/)
    },
  )

  it.each([
    'short12',
    'with a space',
    'é-secret-é',
    'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
    'a'.repeat(257),
  ])('%s is not, and not repeated', (text) => {
    expect(() => parseSecret(text, ['github'])).toThrow(expect.objectContaining({ code: 'unprocessable' }))
    expect(() => parseSecret(text, ['github'])).not.toThrow(text)
  })

  it('an ed25519 key pair signs in the standard alone', () => {
    const pair =
      'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=='
    expect(parseSecret(pair, ['standard'])).toBe(pair)
    for (const schemes of [['hookrail'], ['standard', 'github']] as const) {
      expect(() => parseSecret(pair, schemes)).toThrow(/ed25519 key pair, with which the scheme/)
    }
  })
})
