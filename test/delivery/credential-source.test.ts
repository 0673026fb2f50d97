import { expect, it } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import type { RoutedCredential } from '../../src/core/credential.ts'
import { OuthookError } from '../../src/core/errors.ts'
import { createSecretBox } from '../../src/core/secret-box.ts'
import { CredentialSource } from '../../src/delivery/credential-source.ts'
import type { TenantRouting } from '../../src/delivery/routing-cache.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

const tenantId = 'ten_00000000000000000000000000'
const id = 'crd_00000000000000000000000001'
const secretBox = createSecretBox(new Uint8Array(32).fill(1), (size) => new Uint8Array(size).fill(2))

const address = { url: new URL('https://hooks.partner.example/in') }

function aCredential(given: Partial<RoutedCredential> = {}): RoutedCredential {
  const sealed = secretBox.seal(JSON.stringify({ token: 'a-token' }), id)
  return {
    id,
    tenantId,
    name: 'a',
    kind: 'bearer',
    settings: {},
    authorizedHosts: null,
    active: true,
    version: 't1',
    sealed,
    ...given,
  }
}

function aSource(load: () => Promise<TenantRouting> | TenantRouting, clock = createSystemClock()) {
  const used: string[] = []
  const watched: string[] = []
  const routing = { get: load }
  const tokens = { get: () => Promise.reject(new Error('none is asked for')), answered: () => false }
  const source = new CredentialSource({
    routing,
    tokens,
    certificates: { used: ({ id: one }) => void watched.push(one) },
    secretBox,
    clock,
    onUse: (one) => void used.push(one),
  })
  return { source, used, watched }
}

const routingOf = (...credentials: readonly RoutedCredential[]) =>
  ({ credentials: new Map(credentials.map((each) => [each.id, each])) }) as unknown as TenantRouting

it('gives the header of a credential, and notes that it was used', async () => {
  const { source, used } = aSource(() => routingOf(aCredential()))
  expect(
    await source.authorize(tenantId, { credentialId: id, clientCertificateId: null, address }),
  ).toMatchObject({
    kind: 'ready',
    headers: { authorization: 'Bearer a-token' },
  })
  expect(used).toEqual([id])
})

it('gives one to its own hosts and what is below them', async () => {
  for (const host of ['partner.example', 'hooks.partner.example']) {
    const { source } = aSource(() => routingOf(aCredential({ authorizedHosts: ['other.example', host] })))
    const given = await source.authorize(tenantId, { credentialId: id, clientCertificateId: null, address })
    expect(given).toMatchObject({ kind: 'ready', headers: { authorization: 'Bearer a-token' } })
  }
})

const otherBox = createSecretBox(new Uint8Array(32).fill(9), (size) => new Uint8Array(size).fill(2))

it.each([
  ['is missing', () => routingOf(), /does not exist any more/],
  ['is switched off', () => routingOf(aCredential({ active: false })), /is switched off/],
  [
    'may not be sent to the host',
    () => routingOf(aCredential({ authorizedHosts: ['other.example', 'artner.example'] })),
    /may not be sent to hooks\.partner\.example, which is none of its authorized hosts/,
  ],
  ['is damaged', () => routingOf(aCredential({ sealed: new Uint8Array(40) })), /cannot be read.*damaged/],
  [
    'is sealed under another master key',
    () => routingOf(aCredential({ sealed: otherBox.seal('{"token":"a-token"}', id) })),
    /cannot be read.*master key/,
  ],
  [
    'lacks its secret',
    () => routingOf(aCredential({ sealed: secretBox.seal('{}', id) })),
    /cannot be read.*lacks its secret/,
  ],
  [
    'cannot be looked up, S3.22',
    () => Promise.reject(new OuthookError('store_unavailable', 'a password of the database')),
    /cannot be read: the store did not answer$/,
  ],
])('one that %s is a failure of ours, and nothing is used', async (_what, load, error) => {
  const { source, used } = aSource(load)
  expect(await source.authorize(tenantId, { credentialId: id, clientCertificateId: null, address })).toEqual({
    kind: 'failed',
    error: expect.stringMatching(error),
  })
  expect(used).toEqual([])
})

it('does not hold a slot for a store that takes long: the delivery is put off', async () => {
  const clock = createManualClock()
  const { source } = aSource(() => new Promise(() => {}), clock)
  const authorized = source.authorize(tenantId, { credentialId: id, clientCertificateId: null, address })
  await clock.advance(1000)
  expect(await authorized).toEqual({ kind: 'wait', waitMs: expect.any(Number) })
})

it.each([
  ['a header that names authorities', { settings: { ca: 'PEM' } }, [id]],
  ['a header alone', {}, []],
])('has the certificates of %s watched', async (_what, given, wanted) => {
  const { source, watched } = aSource(() => routingOf(aCredential(given)))
  await source.authorize(tenantId, { credentialId: id, clientCertificateId: null, address })
  expect(watched).toEqual(wanted)
})
