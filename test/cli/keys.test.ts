/** The commands for keys and tokens, on a real server. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKey } from '../../src/server.ts'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { aDirectory } from '../delivery/an-app.ts'
import { noServer, runToEnd } from './run-cli.ts'

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

describe('in a store on which no server runs', () => {
  const store = () => `sqlite:${join(aDirectory(), 'outhook.db')}`
  /** The real command on the real store, without a server. */
  const make = async (...args: string[]) => {
    const run = await runToEnd(args, { server: { ...noServer, createKey } })
    return { ...run, json: run.code === 0 ? JSON.parse(run.out) : null }
  }

  test('S1.48 a key has all that one of a server has: scopes, abilities, rate, expiry and tenant', async () => {
    const location = store()
    const settings = ['--scope', 'orders.*', '--scope', 'a', '--ability', 'read', '--rate-limit', '50']
    const key = await make(
      'keys',
      'create',
      'shop',
      ...settings,
      '--expires',
      '90d',
      '--store',
      location,
      '--json',
    )
    const bare = await make('keys', 'create', 'bare', '--store', location, '--json')
    const admin = await make(
      'keys',
      'create',
      'ops',
      '--admin',
      '--expires',
      '1d',
      '--store',
      location,
      '--json',
    )
    const role = ['--role', 'viewer', '--expires', '1d']
    const token = await make('admin-tokens', 'create', 'eyes', ...role, '--store', location, '--json')
    const server = await aServer({ config: { store: location } })
    const twin = async (path: string, body: object) => (await server.call('POST', path, { body })).json
    const members = { scopes: ['orders.*', 'a'], abilities: ['read'], rate_limit_rps: 50 }
    const same = (made: object, ofServer: object) => expect(Object.keys(made)).toEqual(Object.keys(ofServer))
    same(key.json, await twin('/v1/keys', { name: 'shop', ...members, expires_in: '90d' }))
    same(token.json, await twin('/v1/admin-tokens', { role: 'viewer', label: 'eyes' }))
    const shown = async (id: string) => (await server.call('GET', `/v1/keys/${id}`)).json
    expect(await shown(key.json.id)).toMatchObject({
      name: 'shop',
      ...members,
      expires_at: key.json.expires_at,
    })
    const daysLeft = (Date.parse(key.json.expires_at) - Date.parse(key.json.created_at)) / 86_400_000
    expect(daysLeft).toBeCloseTo(90, 3)
    expect(await shown(bare.json.id)).toMatchObject({
      scopes: ['*'],
      abilities: ['publish'],
      expires_at: null,
    })
    const reads = (of: string) => server.call('GET', '/v1/endpoints', { token: of })
    expect((await reads(token.json.token)).status).toBe(200)
    expect((await server.call('GET', '/v1/keys', { token: admin.json.key })).status).toBe(200)
    expect((await server.call('GET', '/v1/keys', { token: token.json.token })).status).toBe(403)
  })

  test.each<[string[], string]>([
    [['keys', 'create', 'a', '--scope', 'ord*'], '--scope can never match'],
    [['keys', 'create', 'a', '--ability', 'write'], '--ability'],
    [['keys', 'create', 'a', '--expires', '2020-01-01T00:00:00Z'], '--expires must be in the future'],
    [['keys', 'create', 'a', '--admin', '--scope', 'a'], "--scope is a producer key's"],
    [['admin-tokens', 'create', 'a', '--role', 'viewer', '--expires', '200y'], 'Use how long'],
  ])('%j is a mistake as it is with a server', async (args, told) => {
    const { code, err } = await make(...args, '--store', store())
    expect([code, err]).toEqual([2, expect.stringContaining(told)])
  })
})

test.each<[string[], string]>([
  [['keys', 'create', 'a', '--expires', 'soon'], 'Use how long, such as 90d'],
  [['keys', 'create', 'a', '--expires', '2020-01-01T00:00:00Z'], '--expires must be in the future'],
  [['keys', 'create', 'a', '--scope', 'ord*'], '--scope can never match'],
  [['keys', 'create', 'a', '--ability', 'write'], '--ability'],
  [['keys', 'create', 'a', '--store-wait', '1s'], '--store-wait goes with --store'],
  [['admin-tokens', 'create', 'a', '--role', 'viewer', '--store-wait', '1s'], '--store-wait goes with'],
  [['admin-tokens', 'create', 'a'], '--role'],
  [['admin-tokens', 'create', 'a', '--role', 'root'], 'viewer, operator, admin'],
])('%j is a mistake of whoever typed it, and named', async (args, told) => {
  const { code, err } = await run(...args)
  expect([code, err]).toEqual([2, expect.stringContaining(told)])
})
