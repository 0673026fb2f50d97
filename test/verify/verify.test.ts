import { describe, expect, test } from 'vitest'
import {
  createVerifier,
  MalformedHeaderError,
  MissingHeaderError,
  NoMatchError,
  type SchemeName,
  TimestampError,
  VerificationError,
  VerifierUsageError,
  verify,
} from '../../src/verify/index.ts'
import { otherSecret, pair, publicKey, secret, signed, signedAt } from './a-signed-request.ts'

const schemes: readonly SchemeName[] = ['standard', 'hookrail', 'pyfly', 'github', 'stripe']
const timed: readonly SchemeName[] = ['standard', 'hookrail', 'stripe']
const now = () => signedAt

describe.each(schemes)('scheme %s', (scheme) => {
  test('takes what was signed with the secret, and gives its bytes', async () => {
    const webhook = await verify(signed(scheme, [secret]), { secrets: secret, scheme, now })
    expect(webhook.json()).toEqual({ test: 2432232314 })
    expect(webhook.scheme).toBe(scheme)
    expect(Buffer.from(webhook.body).toString()).toBe('{"test": 2432232314}')
  })

  test.each([
    ['text', (body: Uint8Array) => Buffer.from(body).toString()],
    ['Uint8Array', (body: Uint8Array) => new Uint8Array(body)],
    ['a part of a larger buffer', (body: Uint8Array) => Buffer.concat([Buffer.from('xx'), body]).subarray(2)],
    ['ArrayBuffer', (body: Uint8Array) => new Uint8Array(body).buffer],
    [
      'shared memory',
      (body: Uint8Array) => {
        const shared = new Uint8Array(new SharedArrayBuffer(body.length))
        shared.set(body)
        return shared
      },
    ],
  ])('takes the body as %s', async (_form, convert) => {
    const { headers, body } = signed(scheme, [secret], '{"name":"José 😀"}')
    const webhook = await verify({ headers, body: convert(body) }, { secrets: secret, scheme, now })
    expect(webhook.text()).toBe('{"name":"José 😀"}')
  })

  test.each([
    ['fetch', (headers: Record<string, string>) => new Headers(headers)],
    ['Node', (headers: Record<string, string>) => headers],
    [
      'names in other cases',
      (headers: Record<string, string>) =>
        Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value])),
    ],
    [
      'lists of values',
      (headers: Record<string, string>) =>
        Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    ],
  ])('takes headers of: %s', async (_form, convert) => {
    const { headers, body } = signed(scheme, [secret])
    await verify({ headers: convert(headers), body }, { secrets: secret, scheme, now })
  })

  test('takes any of several secrets, wherever it stands', async () => {
    const request = signed(scheme, [secret])
    for (const secrets of [
      [secret, otherSecret],
      [otherSecret, secret],
    ]) {
      await verify(request, { secrets, scheme, now })
    }
  })

  test('refuses another secret, a changed byte, a byte more and an empty body', async () => {
    const { headers, body } = signed(scheme, [secret])
    const verifier = createVerifier({ secrets: secret, scheme, now })
    const changed = Buffer.from(body)
    changed[changed.length - 2] = 0x35
    for (const wrong of [changed, Buffer.concat([body, Buffer.from('\n\u0000')]), new Uint8Array()]) {
      const error = await verifier.verify({ headers, body: wrong }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(NoMatchError)
      expect(error).toMatchObject({ code: 'no_match' })
    }
    await expect(verify({ headers, body }, { secrets: otherSecret, scheme, now })).rejects.toThrow(
      NoMatchError,
    )
  })

  test('names each header that is missing', async () => {
    const { headers, body } = signed(scheme, [secret])
    const needed = Object.keys(headers).filter((name) => !/event-id|topic/.test(name))
    expect(needed.length).toBeGreaterThan(0)
    for (const name of needed) {
      for (const value of [undefined, '', ' ']) {
        const error = await verify(
          { headers: { ...headers, [name]: value }, body },
          { secrets: secret, scheme, now },
        ).catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(MissingHeaderError)
        expect(error).toMatchObject({ code: 'missing_header', header: name })
      }
    }
  })

  test.each([
    ['a parsed body', { test: 1 }],
    ['no body', undefined],
    ['null', null],
    ['a number', 7],
  ])('says of %s that the bytes are needed', async (_what, body) => {
    const { headers } = signed(scheme, [secret])
    const request = { headers, body } as unknown as Parameters<typeof verify>[0]
    const error = await verify(request, { secrets: secret, scheme, now }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(VerifierUsageError)
    expect(error).not.toBeInstanceOf(VerificationError)
    expect(error).toMatchObject({ code: 'body_not_raw' })
  })
})

describe.each(timed)('the time in scheme %s', (scheme) => {
  const at = (seconds: number, toleranceSeconds?: number) =>
    verify(signed(scheme, [secret]), {
      secrets: secret,
      scheme,
      now: () => signedAt + seconds,
      ...(toleranceSeconds !== undefined && { toleranceSeconds }),
    })

  test('may be 300 s off either way, and not a second more', async () => {
    expect((await at(300)).timestamp).toEqual(new Date(signedAt * 1000))
    await at(-300)
    await expect(at(301)).rejects.toMatchObject({
      code: 'too_old',
      timestampSeconds: signedAt,
      nowSeconds: signedAt + 301,
    })
    await expect(at(-301)).rejects.toMatchObject({ code: 'in_the_future', toleranceSeconds: 300 })
    await expect(at(301)).rejects.toThrow(TimestampError)
  })

  test('has the tolerance that it was given', async () => {
    await at(3600, 3600)
    await at(1e9, Number.POSITIVE_INFINITY)
    await expect(at(1, 0)).rejects.toThrow(TimestampError)
  })

  test('is signed: another one does not pass', async () => {
    const { headers, body } = signed(scheme, [secret])
    const moved = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace(`${signedAt}`, `${signedAt + 1}`)]),
    )
    await expect(verify({ headers: moved, body }, { secrets: secret, scheme, now })).rejects.toThrow(
      NoMatchError,
    )
  })
})

describe('signatures of several secrets', () => {
  test.each([['standard'], ['hookrail'], ['stripe']] as const)(
    'in scheme %s a receiver with either secret verifies, as does one with both',
    async (scheme) => {
      const request = signed(scheme, [otherSecret, secret])
      for (const secrets of [[secret], [otherSecret], [secret, otherSecret], [otherSecret, secret]]) {
        await verify(request, { secrets, scheme, now })
      }
    },
  )

  test('versions that are unknown are passed over, before and behind', async () => {
    const { headers, body } = signed('standard', [secret])
    const signature = `v2,AAAA v1 v1,=== ,x ${headers['webhook-signature']} v1b,AAAA`
    await verify({ headers: { ...headers, 'webhook-signature': signature }, body }, { secrets: secret, now })
  })

  test('more than 64 are refused before anything is computed', async () => {
    const { headers, body } = signed('standard', [secret])
    const many = Array(65).fill(headers['webhook-signature']).join(' ')
    await expect(
      verify({ headers: { ...headers, 'webhook-signature': many }, body }, { secrets: secret, now }),
    ).rejects.toThrow(MalformedHeaderError)
  })
})

describe('ed25519', () => {
  const request = () => signed('standard', [pair])

  test('verifies the specification’s vector with the public key, and with the pair', async () => {
    expect(request().headers['webhook-signature']).toBe(
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    )
    for (const secrets of [publicKey, pair, [secret, publicKey]]) await verify(request(), { secrets, now })
  })

  test('refuses a changed body, and an HMAC made with the public key as its secret', async () => {
    await expect(verify({ ...request(), body: '{}' }, { secrets: publicKey, now })).rejects.toThrow(
      NoMatchError,
    )
    const forged = signed('standard', [publicKey.replace('whpk_', 'whsec_')])
    await expect(verify(forged, { secrets: publicKey, now })).rejects.toThrow(NoMatchError)
  })

  test('a signature of either kind is enough while an HMAC secret gives way to a key pair', async () => {
    const both = signed('standard', [pair, secret])
    for (const secrets of [publicKey, secret]) await verify(both, { secrets, now })
  })
})

describe('headers that have no scheme’s form', () => {
  const standard = signed('standard', [secret]).headers
  test.each<[SchemeName, Record<string, string>, string]>([
    ['standard', { ...standard, 'webhook-timestamp': 'now' }, 'webhook-timestamp'],
    ['standard', { ...standard, 'webhook-timestamp': '1614265330.5' }, 'webhook-timestamp'],
    ['standard', { ...standard, 'webhook-timestamp': '-1' }, 'webhook-timestamp'],
    ['standard', { ...standard, 'webhook-signature': 'g0hM9SsE' }, 'webhook-signature'],
    ['standard', { ...standard, 'webhook-signature': 'v1,!!!' }, 'webhook-signature'],
    ['standard', { ...standard, 'webhook-id': 'evt.1' }, 'webhook-id'],
    ['hookrail', { 'hookrail-delivery-id': 'd', 'hookrail-signature': 'v1=00' }, 'hookrail-signature'],
    ['hookrail', { 'hookrail-delivery-id': 'd', 'hookrail-signature': 't=1' }, 'hookrail-signature'],
    ['hookrail', { 'hookrail-delivery-id': 'd', 'hookrail-signature': 't=1,v1=zz' }, 'hookrail-signature'],
    ['hookrail', { 'hookrail-delivery-id': 'd', 'hookrail-signature': 't=1,v1=00' }, 'hookrail-signature'],
    [
      'hookrail',
      { 'hookrail-delivery-id': 'd.1', 'hookrail-signature': `t=1,v1=${'0'.repeat(64)}` },
      'hookrail-delivery-id',
    ],
    ['stripe', { 'stripe-signature': `t=x,v1=${'0'.repeat(64)}` }, 'stripe-signature'],
    ['github', { 'x-hub-signature-256': `sha1=${'0'.repeat(64)}` }, 'x-hub-signature-256'],
    ['github', { 'x-hub-signature-256': '0'.repeat(64) }, 'x-hub-signature-256'],
    ['pyfly', { 'x-pyfly-signature': 'sha256=00' }, 'x-pyfly-signature'],
  ])('%s: %o', async (scheme, headers, header) => {
    const error = await verify({ headers, body: '{}' }, { secrets: secret, scheme, now }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(MalformedHeaderError)
    expect(error).toMatchObject({ code: 'malformed_header', header })
  })
})

describe('scheme hookrail', () => {
  test('takes hookrail’s own vector, spaces and upper-case digits included', async () => {
    const digest = 'd270845b932d510270e3b7132b702de5b0c03c3781221badb79fe39c66672644'
    const body = '{"order_id":"o_1","amount":42}'
    for (const signature of [
      `t=1781092800,v1=${digest}`,
      `v1=${digest.toUpperCase()} , t=1781092800, v2=x, rubbish`,
    ]) {
      const webhook = await verify(
        {
          headers: {
            'hookrail-delivery-id': '01JXAMPLEDELIVERYID0000000',
            'hookrail-signature': signature,
          },
          body,
        },
        { secrets: 'whsec_test_secret', scheme: 'hookrail', now: () => 1781092800 },
      )
      expect(webhook.id).toBe('01JXAMPLEDELIVERYID0000000')
    }
  })

  test('refuses the signature of another delivery', async () => {
    const { headers, body } = signed('hookrail', [secret])
    await expect(
      verify(
        { headers: { ...headers, 'hookrail-delivery-id': 'dlv_2' }, body },
        { secrets: secret, scheme: 'hookrail', now },
      ),
    ).rejects.toThrow(NoMatchError)
  })
})

test('GitHub’s own vector verifies', async () => {
  await verify(
    {
      headers: {
        'X-Hub-Signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
      },
      body: 'Hello, World!',
    },
    { secrets: "It's a Secret to Everybody", scheme: 'github' },
  )
})

test('Svix’s names of the headers are taken where the standard’s are absent', async () => {
  const { headers, body } = signed('standard', [secret])
  const renamed = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.replace('webhook', 'svix'), value]),
  )
  expect(await verify({ headers: renamed, body }, { secrets: secret, now })).toMatchObject({
    id: headers['webhook-id'],
  })
})

describe('secrets', () => {
  test.each([
    ['empty', ''],
    ['a list of none', []],
    ['an empty one among others', [secret, '']],
    ['undefined', undefined],
    ['with a line break behind it', `${secret}\n`],
    ['no base64', 'whsec_MfKQ:'],
    ['a public key of a wrong length', 'whpk_AAAA'],
    ['only a prefix', 'whsec_'],
  ])('%s are refused before a request comes, and not shown', (_what, secrets) => {
    const make = () => createVerifier({ secrets: secrets as string })
    expect(make).toThrow(VerifierUsageError)
    expect(make).toThrow(/^(?!.*MfKQ)/)
  })

  test('of the other schemes are any text', async () => {
    await verify(signed('stripe', ['s3cret with spaces']), {
      secrets: 's3cret with spaces',
      scheme: 'stripe',
      now,
    })
  })

  test('base64 without a prefix is taken as the libraries of the standard take it', async () => {
    await verify(signed('standard', [secret]), { secrets: secret.replace('whsec_', ''), now })
  })

  test('may come from a function, which is asked for each request', async () => {
    const answers = [[otherSecret], [otherSecret, secret]]
    const verifier = createVerifier({ secrets: async () => answers.shift() ?? [], now })
    const request = signed('standard', [secret])
    await expect(verifier.verify(request)).rejects.toThrow(NoMatchError)
    await verifier.verify(request)
    await expect(verifier.verify(request)).rejects.toThrow(VerifierUsageError)
  })
})

test.each([
  ['scheme', { scheme: 'svix' as SchemeName }],
  ['scheme', { scheme: 'toString' as SchemeName }],
  ['toleranceSeconds', { toleranceSeconds: -1 }],
  ['toleranceSeconds', { toleranceSeconds: Number.NaN }],
])('an option %s that cannot be is refused: %o', (name, options) => {
  expect(() => createVerifier({ secrets: secret, ...options })).toThrow(name)
})

test('errors of another copy of the package are told by instanceof', async () => {
  const brand = Symbol.for('outhook.verification-error')
  const foreign = Object.defineProperty(new Error('x'), brand, { value: true })
  expect(foreign).toBeInstanceOf(VerificationError)
  expect(foreign).not.toBeInstanceOf(NoMatchError)
})
