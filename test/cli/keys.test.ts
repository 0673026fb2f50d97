/** The commands for keys and tokens, on a real server. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { runToEnd } from './run-cli.ts'

const closing: (() => Promise<void>)[] = []
let api: TestServer
beforeAll(async () => {
  api = await aServer({ closeWith: (close) => void closing.push(close) })
})
afterAll(() => Promise.all(closing.map((close) => close())))

const runAs = (token: string, ...args: string[]) => runToEnd([...args, '--url', api.url, '--token', token])
const run = (...args: string[]) => runAs(adminToken, ...args)
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)

test('S1.48 a key is made with scopes, shown, changed, rotated and revoked', async () => {
  const made = await json('keys', 'create', 'shop', '--scope', 'orders.*', '--expires', '90d')
  expect(made).toMatchObject({ name: 'shop', scopes: ['orders.*'], key: expect.stringMatching(/^hk_/) })
  expect((await runAs(made.key, 'publish', 'orders.created', '1')).code).toBe(0)
  const refused = await runAs(made.key, 'publish', 'users.created', '1')
  expect([refused.code, refused.err]).toEqual([4, expect.stringContaining('topic not permitted')])
  const changed = await json('keys', 'update', made.id, '--scope', '*', '--expires', 'never')
  expect(changed).toMatchObject({ scopes: ['*'], expires_at: null })
  expect((await runAs(made.key, 'publish', 'users.created', '1')).code).toBe(0)
  const rotated = await json('keys', 'rotate', made.id, '--grace', '0')
  expect((await runAs(made.key, 'publish', 'a', '1')).code).not.toBe(0)
  expect((await runAs(rotated.key, 'publish', 'a', '1')).code).toBe(0)
  expect((await run('keys', 'list')).out).toMatch(/ID +KIND +NAME +SCOPES +USED +EXPIRES +REVOKED/)
  expect((await run('keys', 'revoke', made.id)).code).toBe(0)
  expect(await json('keys', 'get', made.id)).toMatchObject({ revoked_at: expect.any(String) })
})

test('S1.48 an admin token is made with a role, listed and revoked', async () => {
  const made = await json('admin-tokens', 'create', 'dashboard', '--role', 'viewer')
  expect(made).toMatchObject({ role: 'viewer', label: 'dashboard', token: expect.stringMatching(/^hkadm_/) })
  expect((await runAs(made.token, 'endpoints', 'list')).code).toBe(0)
  const refused = await runAs(made.token, 'publish', 'a', '1')
  expect(refused.err).toContain('requires role operator; this token has role viewer')
  expect((await run('admin-tokens', 'list')).out).toMatch(/ID +ROLE +LABEL +TENANT +USED/)
  expect((await run('admin-tokens', 'revoke', made.id)).code).toBe(0)
  expect((await runAs(made.token, 'endpoints', 'list')).err).toContain('unknown or revoked')
})

test.each<[string[], string]>([
  [['keys', 'create', 'a', '--expires', 'soon'], 'Use how long, such as 90d'],
  [['keys', 'create', 'a', '--expires', '2020-01-01T00:00:00Z'], '--expires must be in the future'],
  [['keys', 'create', 'a', '--scope', 'ord*'], '--scope can never match'],
  [['keys', 'create', 'a', '--ability', 'write'], '--ability'],
  [['keys', 'create', 'a', '--scope', 'a', '--store', 'memory:'], 'without settings'],
  [['admin-tokens', 'create', 'a'], '--role'],
  [['admin-tokens', 'create', 'a', '--role', 'root'], 'viewer, operator, admin'],
])('%j is a mistake of whoever typed it, and named', async (args, told) => {
  const { code, err } = await run(...args)
  expect([code, err]).toEqual([2, expect.stringContaining(told)])
})
