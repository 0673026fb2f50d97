/** Keys and admin tokens in the library. */
import { expect, onTestFinished, test } from 'vitest'
import { type ErrorCode, Outhook, OuthookError } from '../../src/index.ts'

async function open() {
  const hooks = await Outhook.open({ store: 'memory:' })
  onTestFinished(() => hooks.close())
  return hooks
}

test('makes, changes, rotates and revokes the keys of a tenant', async () => {
  const hooks = await open()
  const { key, token } = await hooks.keys.create({ name: 'shop', scopes: ['orders.*'], rateLimitRps: 5 })
  expect(token).toMatch(/^hk_[0-9a-f]{48}$/)
  expect(await hooks.keys.get(key.id)).toEqual(key)
  expect(key).toMatchObject({ abilities: ['publish'], expiresAt: null, lastUsedAt: null, revokedAt: null })
  const expiresAt = Date.now() + 3_600_000
  expect(await hooks.keys.update(key.id, { abilities: ['read'], expiresAt })).toMatchObject({
    scopes: ['orders.*'],
    abilities: ['read'],
    expiresAt,
  })
  const rotated = await hooks.keys.rotate(key.id, { graceMs: 60_000 })
  expect(rotated.key.id).toBe(key.id)
  expect(rotated.token).not.toBe(token)
  expect(Math.abs(rotated.previousExpiresAt - Date.now() - 60_000)).toBeLessThan(10_000)
  await hooks.keys.revoke(key.id)
  expect((await hooks.keys.list()).items).toMatchObject([{ id: key.id, revokedAt: expect.any(Number) }])

  await hooks.tenants.create({ uid: 'acme' })
  const acme = hooks.tenant('acme')
  const own = await acme.keys.create({ name: 'theirs' })
  expect((await acme.keys.list()).items.map(({ id }) => id)).toEqual([own.key.id])
  await expect(acme.keys.get(key.id)).rejects.toMatchObject({ code: 'not_found' })
})

test('makes admin tokens of all tenants or of one', async () => {
  const hooks = await open()
  await hooks.tenants.create({ uid: 'acme' })
  const all = await hooks.adminTokens.create({ role: 'operator', label: 'on call' })
  const one = await hooks.adminTokens.create({ role: 'viewer', label: 'theirs', tenantId: 'acme' })
  expect([all.key.tenantId, one.key.tenantId]).toEqual([null, expect.stringMatching(/^ten_/)])
  const { items } = await hooks.adminTokens.list()
  expect(items.map(({ id, role }) => [id, role])).toEqual([
    [all.key.id, 'operator'],
    [one.key.id, 'viewer'],
  ])
  await hooks.adminTokens.revoke(one.key.id)
  expect((await hooks.adminTokens.get(one.key.id)).revokedAt).not.toBeNull()
})

test.each<[string, (hooks: Outhook) => Promise<unknown>, ErrorCode, string]>([
  ['a member', (hooks) => hooks.keys.create({ name: 'a', scope: [] } as never), 'unprocessable', '"scope"'],
  [
    'both ends',
    (hooks) => hooks.keys.create({ name: 'a', expiresAt: null, expiresInMs: 5 }),
    'unprocessable',
    'expiresAt must not stand beside expiresInMs',
  ],
  [
    'a rate',
    (hooks) => hooks.keys.create({ name: 'a', rateLimitRps: 0 }),
    'unprocessable',
    'rateLimitRps must be',
  ],
  [
    'a grace',
    (hooks) => hooks.keys.rotate('key_01h455vb4pex5vsknk084sn02q', { graceMs: -1 }),
    'unprocessable',
    'graceMs must be',
  ],
  [
    'a role',
    (hooks) => hooks.adminTokens.create({ role: 'root' as never, label: 'a' }),
    'unprocessable',
    'role must be one of',
  ],
  [
    'a tenant',
    (hooks) => hooks.adminTokens.create({ role: 'viewer', label: 'a', tenantId: 'nobody' }),
    'not_found',
    'nobody',
  ],
])('names %s that is not as it has to be', async (_what, act, code, told) => {
  const error = await act(await open()).catch((problem: unknown) => problem)
  expect(error).toBeInstanceOf(OuthookError)
  expect(error).toMatchObject({ code, message: expect.stringContaining(told) })
})
