import { createHmac, generateKeyPairSync, verify as verifyEd25519 } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { type SigningInput, type SigningSecrets, signRequest } from '../../src/core/signing.ts'
import { validateSigningSchemes } from '../../src/core/signing-schemes.ts'
import { generateSecret, parseSecret, prepareSecret } from '../../src/core/signing-secrets.ts'

const newer = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const older = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const pair = 'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=='

/** Newest first; the oldest is the primary one, as during a rotation. */
function secretsOf(...texts: readonly string[]): SigningSecrets {
  const active = texts.map(prepareSecret)
  return { active, primary: active.at(-1) }
}

function aRequest(changes: Partial<SigningInput> = {}): SigningInput {
  return {
    eventId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    deliveryId: 'dlv_1',
    topic: 'orders.created',
    timestampSeconds: 1614265330,
    body: Buffer.from('{"test": 2432232314}'),
    secrets: secretsOf(newer),
    ...changes,
  }
}

const headersOf = (...args: Parameters<typeof signRequest>) => signRequest(...args).headers

describe('scheme standard', () => {
  it('gives the signature of the specification’s symmetric vector', () => {
    expect(headersOf(['standard'], aRequest())).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('gives the signature of the specification’s ed25519 vector', () => {
    const headers = headersOf(['standard'], aRequest({ secrets: secretsOf(pair) }))
    expect(headers['webhook-signature']).toBe(
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    )
  })

  it('signs with every active secret, newest first', () => {
    const texts = [newer, older, pair]
    const secrets = secretsOf(...texts)
    const header = headersOf(['standard'], aRequest({ secrets }))['webhook-signature'] as string
    const alone = texts.map(
      (text) => headersOf(['standard'], aRequest({ secrets: secretsOf(text) }))['webhook-signature'],
    )
    expect(header).toBe(alone.join(' '))
    expect(new Set(alone).size).toBe(3)
  })

  it('is accepted by the standardwebhooks package for any body, with either secret of a rotation', () => {
    const secrets = secretsOf(newer, older)
    const timestampSeconds = Math.floor(Date.now() / 1000)
    fc.assert(
      fc.property(fc.json(), (text) => {
        const headers = headersOf(
          ['standard'],
          aRequest({ body: Buffer.from(text), secrets, timestampSeconds }),
        ) as Parameters<Webhook['verify']>[1]
        for (const secret of [newer, older]) {
          expect(new Webhook(secret).verify(text, headers)).toEqual(JSON.parse(text))
        }
        expect(() => new Webhook(older).verify(`${text} `, headers)).toThrow(/signature/i)
      }),
    )
  })

  it('makes the same signature as the standardwebhooks package', () => {
    const body = '{"name":"José 😀"}'
    const headers = headersOf(['standard'], aRequest({ body: Buffer.from(body), secrets: secretsOf(older) }))
    const theirs = new Webhook(older).sign('msg_p5jXN8AQM9LWM0D4loKWxJek', new Date(1614265330_000), body)
    expect(headers['webhook-signature']).toBe(theirs)
  })
})

describe('scheme hookrail', () => {
  it('gives hookrail’s own fixture, keyed with the ASCII of the whole secret', () => {
    const headers = headersOf(
      ['hookrail'],
      aRequest({
        eventId: 'evt_1',
        deliveryId: '01JXAMPLEDELIVERYID0000000',
        timestampSeconds: 1781092800,
        body: Buffer.from('{"order_id":"o_1","amount":42}'),
        secrets: secretsOf('whsec_test_secret'),
      }),
    )
    expect(headers).toEqual({
      'hookrail-event-id': 'evt_1',
      'hookrail-delivery-id': '01JXAMPLEDELIVERYID0000000',
      'hookrail-topic': 'orders.created',
      'hookrail-signature':
        't=1781092800,v1=d270845b932d510270e3b7132b702de5b0c03c3781221badb79fe39c66672644',
    })
  })

  it('puts the old signature last during a rotation, where hookrail’s verifier looks', () => {
    const header = headersOf(['hookrail'], aRequest({ secrets: secretsOf(newer, older) }))
    const hex = (secret: string) =>
      createHmac('sha256', secret).update('1614265330.dlv_1.{"test": 2432232314}').digest('hex')
    expect(header['hookrail-signature']).toBe(`t=1614265330,v1=${hex(newer)},v1=${hex(older)}`)
  })

  it('leaves the topic out when there is none, and sends others as UTF-8', () => {
    expect(headersOf(['hookrail'], aRequest({ topic: null }))).not.toHaveProperty('hookrail-topic')
    const topic = headersOf(['hookrail'], aRequest({ topic: 'ü.x' }))['hookrail-topic'] as string
    expect(Buffer.from(topic, 'latin1').toString('utf8')).toBe('ü.x')
  })
})

describe('several schemes', () => {
  it('send the very bytes that they were given', () => {
    const body = Buffer.from('{ "a" : 1.0 }')
    expect(signRequest(['standard', 'hookrail'], aRequest({ body })).body).toBe(body)
  })

  it('stand side by side in one request', () => {
    expect(Object.keys(headersOf(['hookrail', 'standard'], aRequest())).sort()).toEqual([
      'hookrail-delivery-id',
      'hookrail-event-id',
      'hookrail-signature',
      'hookrail-topic',
      'webhook-id',
      'webhook-signature',
      'webhook-timestamp',
    ])
  })

  it('none adds nothing and needs no secret', () => {
    expect(headersOf(['none'], aRequest({ secrets: secretsOf() }))).toEqual({})
  })

  it('refuse to send unsigned what should be signed', () => {
    for (const scheme of ['standard', 'hookrail'] as const) {
      expect(() => headersOf([scheme], aRequest({ secrets: secretsOf() }))).toThrow(/no active secret/)
    }
  })
})

describe('validateSigningSchemes', () => {
  it.each([[['standard']], [['hookrail']], [['standard', 'hookrail']], [['none']]])(
    'accepts %j',
    (schemes) => {
      expect(validateSigningSchemes(schemes)).toEqual(schemes)
    },
  )

  it.each<[unknown, string]>([
    [undefined, 'must be a list'],
    ['standard', 'must be a list'],
    [[], 'must be a list'],
    [['Standard'], 'signing_schemes[0] must be one of standard (Standard Webhooks), hookrail (for receivers'],
    [['standard', 'md5'], 'signing_schemes[1]'],
    [['standard', 'standard'], 'twice'],
    [['standard', 'none'], '"none" beside another'],
    [['none', 'hookrail'], '"none" beside another'],
  ])('refuses %j', (schemes, message) => {
    expect(() => validateSigningSchemes(schemes)).toThrow(
      expect.objectContaining({ code: 'unprocessable', message: expect.stringContaining(message) }),
    )
  })
})

describe('secrets', () => {
  it('are made of 32 random bytes and pass their own check', () => {
    const secret = generateSecret((size) => Buffer.alloc(size, 0xfb))
    expect(secret).toBe(`whsec_${Buffer.alloc(32, 0xfb).toString('base64')}`)
    expect(parseSecret(secret)).toBe(secret)
  })

  const ofBytes = (size: number) => `whsec_${Buffer.alloc(size, 1).toString('base64')}`

  it.each([
    ['24 bytes', ofBytes(24)],
    ['64 bytes', ofBytes(64)],
    ['hookrail’s 48 hex digits', `whsec_${'0a'.repeat(24)}`],
    ['an ed25519 key pair', pair],
  ])('accepts %s', (_name, secret) => {
    expect(parseSecret(secret)).toBe(secret)
  })

  it('accepts a fresh ed25519 pair whose signatures its public key verifies', () => {
    const keys = generateKeyPairSync('ed25519')
    const { d, x } = keys.privateKey.export({ format: 'jwk' }) as { d: string; x: string }
    const bytes = Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')])
    const secret = parseSecret(`whsk_${bytes.toString('base64')}`)
    const headers = headersOf(['standard'], aRequest({ secrets: secretsOf(secret) }))
    const signature = Buffer.from((headers['webhook-signature'] as string).slice('v1a,'.length), 'base64')
    const message = Buffer.from('msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}')
    expect(verifyEd25519(null, message, keys.publicKey, signature)).toBe(true)
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no text', 5],
    ['no prefix', ofBytes(32).slice(6)],
    ['23 bytes', ofBytes(23)],
    ['65 bytes', ofBytes(65)],
    ['no base64', 'whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'],
    ['missing padding', ofBytes(32).replace(/=+$/, '')],
    ['a trailing newline', `${ofBytes(32)}\n`],
    ['a public key', 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='],
    ['half a key pair', `whsk_${Buffer.alloc(32, 1).toString('base64')}`],
    ['a pair whose halves do not belong together', `whsk_${Buffer.alloc(64, 1).toString('base64')}`],
  ])('refuses %s without repeating it', (_name, secret) => {
    try {
      parseSecret(secret)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'unprocessable' })
      expect((error as Error).message).toContain('whsec_')
      if (typeof secret === 'string') expect((error as Error).message).not.toContain(secret.slice(0, 20))
    }
  })
})
