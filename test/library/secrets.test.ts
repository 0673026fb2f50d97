/** Secrets and signing schemes in a program. */
import { expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'

test('a program rotates, lists, prefers and shows secrets, and is logged when it shows one', async () => {
  const logged: object[] = []
  const note = (fields: object) => void logged.push(fields)
  const logger = { debug: note, info: note, warn: note, error: note }
  const hooks = await Outhook.open({ store: 'memory:', logger })
  onTestFinished(() => hooks.close())
  const { endpoint, secret } = await hooks.endpoints.create({
    url: 'https://93.184.216.34/',
    signingSchemes: ['slack', { type: 'hmac', header: 'x-own', encoding: 'base64' }],
  })
  expect(endpoint.signingSchemes).toMatchObject([
    'slack',
    { header: 'x-own', encoding: 'base64', next: null },
  ])
  const rotated = await hooks.endpoints.rotateSecret(endpoint.id, { graceMs: 60_000 })
  const [newest, oldest] = await hooks.endpoints.listSecrets(endpoint.id)
  expect([newest, oldest]).toMatchObject([
    { primary: false, keyType: 'hmac', publicKey: null, expiresAt: null, reveals: 0 },
    { primary: true, expiresAt: expect.any(Number) },
  ])
  const id = newest?.id ?? ''
  expect(await hooks.endpoints.setPrimarySecret(endpoint.id, id)).toMatchObject({ id, primary: true })
  expect(await hooks.endpoints.revealSecret(endpoint.id, id, { by: 'support' })).toEqual({
    id,
    secret: rotated.secret,
  })
  expect(await hooks.endpoints.revealSecret(endpoint.id, oldest?.id ?? '')).toMatchObject({ secret })
  expect((await hooks.endpoints.listSecrets(endpoint.id))[0]).toMatchObject({
    reveals: 1,
    revealedBy: 'support',
  })
  expect(logged).toContainEqual(
    expect.objectContaining({ secret_id: id, revealed_by: 'support', reveals: 1 }),
  )
  expect(JSON.stringify(logged)).not.toContain(rotated.secret)
  await expect(hooks.endpoints.listPublicKeys(endpoint.id)).rejects.toMatchObject({ code: 'not_found' })
  const own = await hooks.endpoints.create({ url: 'https://93.184.216.34/', keyType: 'ed25519' })
  expect(await hooks.endpoints.listPublicKeys(own.endpoint.id)).toMatchObject([
    {
      kty: 'OKP',
      crv: 'Ed25519',
      kid: expect.stringMatching(/^sec_/),
      publicKey: own.publicKey,
      expiresAt: null,
    },
  ])
  await expect(hooks.endpoints.rotateSecret(endpoint.id, { keyType: 'rsa' as 'hmac' })).rejects.toMatchObject(
    { code: 'unprocessable', message: 'keyType must be one of hmac, ed25519' },
  )
  await expect(hooks.endpoints.rotateSecret(endpoint.id, { keyType: 'ed25519' })).rejects.toMatchObject({
    message: expect.stringContaining(
      'keyType is an ed25519 key pair, with which the scheme "slack" cannot sign',
    ),
  })
})
