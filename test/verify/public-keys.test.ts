/** Public keys that a receiver fetches: how often it asks, and what it takes when it cannot. */
import { expect, test } from 'vitest'
import { createVerifier, NoMatchError, publicKeysAt, VerifierUsageError } from '../../src/verify/index.ts'
import { pair, publicKey, secret, signed, signedAt } from './a-signed-request.ts'

const x = '1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4'
const jwk = { kty: 'OKP', crv: 'Ed25519', x }
const otherKey = { ...jwk, x: Buffer.alloc(32, 9).toString('base64url') }

/** What is served, and how often it was asked for. */
function aKeyServer(keys: unknown) {
  const served = { asked: 0, status: 200, answer: { keys } as unknown, seconds: signedAt, isAway: false }
  const secrets = publicKeysAt('https://user:pass@hooks.example/keys?token=hidden', {
    now: () => served.seconds,
    fetch: async () => {
      served.asked += 1
      if (served.isAway) throw new Error('connect ECONNREFUSED')
      const { status, answer } = served
      return { ok: status < 300, status, json: async () => answer }
    },
  })
  const verifier = createVerifier({ secrets, now: () => signedAt })
  return { served, secrets, verify: () => verifier.verify(signed('standard', [pair])) }
}

test('keys are fetched for the first request, whoever waits for them, and again once they are old', async () => {
  const { served, verify } = aKeyServer([jwk])
  await Promise.all([verify(), verify(), verify()])
  served.seconds += 59
  await verify()
  expect(served.asked).toBe(1)
  served.seconds += 1
  await verify()
  expect(served.asked).toBe(2)
  // A clock that was put back by a year.
  served.seconds -= 31_536_000
  await verify()
  expect(served.asked).toBe(3)
})

test('of a key set the ed25519 keys are taken, as Standard Webhooks writes them, and no other', async () => {
  const others = [
    null,
    7,
    { kty: 'RSA', n: 'a', e: 'AQAB' },
    { ...jwk, crv: 'X25519' },
    { ...jwk, x: 'short' },
  ]
  const { secrets } = aKeyServer([...others, jwk])
  expect(await secrets()).toEqual([publicKey])
})

test('a signature of no known key makes it ask once more, and forged ones not again for five seconds', async () => {
  const { served, verify } = aKeyServer([otherKey])
  await expect(verify()).rejects.toBeInstanceOf(NoMatchError)
  expect(served.asked).toBe(1)
  served.seconds += 5
  served.answer = { keys: [jwk] }
  await verify()
  expect(served.asked).toBe(2)
  served.answer = { keys: [otherKey] }
  for (let count = 0; count < 3; count++) await verify()
  expect(served.asked).toBe(2)
})

test('while the sender cannot be asked, keys are taken for an hour', async () => {
  const { served, verify } = aKeyServer([jwk])
  await verify()
  served.isAway = true
  served.seconds += 60
  await verify()
  await verify()
  expect(served.asked, 'not for each request').toBe(2)
  served.seconds += 3539
  await verify()
  served.seconds += 1
  await expect(verify()).rejects.toMatchObject({ code: 'keys_unavailable' })
  served.isAway = false
  await verify()
})

test.each([
  ['an endpoint without such a secret', { status: 404 }, 'it answered HTTP 404'],
  ['a server that is away', { isAway: true }, 'connect ECONNREFUSED'],
  ['an answer of another kind', { answer: [] }, 'its answer holds no ed25519 key'],
  ['an answer that is null', { answer: null }, 'its answer holds no ed25519 key'],
  ['a set without ed25519', { answer: { keys: [{ kty: 'RSA' }] } }, 'its answer holds no ed25519 key'],
])('no keys is no reason to refuse a request as forged: %s', async (_what, state, reason) => {
  const { served, verify } = aKeyServer([jwk])
  Object.assign(served, state)
  const error = await verify().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(VerifierUsageError)
  expect(error).toMatchObject({
    code: 'keys_unavailable',
    message: `no public keys from https://hooks.example/keys: ${reason}`,
  })
})

test('a secret that the receiver shares with the sender is not among what is served, so nobody forges with a public key', async () => {
  const { secrets } = aKeyServer([jwk])
  const verifier = createVerifier({ secrets, now: () => signedAt })
  await expect(verifier.verify(signed('standard', [secret]))).rejects.toBeInstanceOf(NoMatchError)
  const forged = signed('standard', [`whsec_${publicKey.slice(5)}`])
  await expect(verifier.verify(forged)).rejects.toBeInstanceOf(NoMatchError)
})
