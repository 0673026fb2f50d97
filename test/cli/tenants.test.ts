/** The command line for one tenant of several, on a real server. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { followRemoval } from '../../src/cli/tenant-removal.ts'
import { createClient } from '../../src/client/client.ts'
import * as server from '../../src/server.ts'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { runToEnd } from './run-cli.ts'
import { startStubApi } from './stub-api.ts'

const closing: (() => Promise<void>)[] = []
let api: TestServer
beforeAll(async () => {
  api = await aServer({
    config: { allowNetworks: ['127.0.0.0/8'] },
    closeWith: (close) => void closing.push(close),
  })
})
afterAll(() => Promise.all(closing.map((close) => close())))

const runIn = (env: Record<string, string>, ...args: string[]) =>
  runToEnd([...args, '--url', api.url, '--token', adminToken], { env })
const run = (...args: string[]) => runIn({}, ...args)
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)

test('what is made and listed with --tenant, or OUTHOOK_TENANT, is of that tenant', async () => {
  const tenant = await json('tenants', 'create', '--uid', 'acme', '--name', 'Acme Inc.')
  const made = await json('endpoints', 'create', 'https://127.0.0.1/', '--topic', 'a', '--tenant', 'acme')
  const event = await json('publish', 'a', '1', '--tenant', tenant.id)
  expect(event.delivery_ids).toHaveLength(1)
  const listed = async (...args: string[]) => (await json('endpoints', 'list', ...args)).items
  expect(await listed('--tenant', 'acme')).toMatchObject([{ id: made.id }])
  expect(await listed()).toEqual([])
  const byEnvironment = await runIn({ OUTHOOK_TENANT: 'acme' }, 'endpoints', 'list', '--json')
  expect(JSON.parse(byEnvironment.out).items).toMatchObject([{ id: made.id }])
  expect(await json('events', 'get', event.id)).toMatchObject({ id: event.id })
  const key = await json('keys', 'create', 'shop', '--tenant', 'acme')
  const [found] = await api.engine.authentication.authenticate([key.key])
  expect(found?.principal).toMatchObject({ tenantId: tenant.id })
})

test('S4.5 authorized domains are given one by one, taken back by a word, and named by their flag', async () => {
  const flags = ['--authorized-domain', 'Shop.test', '--authorized-domain', 'b.test']
  const { settings } = await json('tenants', 'upsert', 'fenced', ...flags)
  expect(settings.authorized_domains).toEqual(['shop.test', 'b.test'])
  const refused = await run('endpoints', 'create', 'https://127.0.0.1/', '--tenant', 'fenced')
  expect(refused.code).not.toBe(0)
  expect(refused.err).toContain('Domain not authorized: 127.0.0.1')
  const wrong = await run('tenants', 'update', 'fenced', '--authorized-domain', '*.test')
  expect(wrong.err).toContain('--authorized-domain must be a host')
  const back = await json('tenants', 'update', 'fenced', '--authorized-domain', 'default')
  expect(back.settings.authorized_domains).toEqual([])
})

test('when endpoints are paused and disabled is given by flags of tenants and endpoints, and taken back by a word', async () => {
  const off = ['--breaker-threshold', '0', '--disable-after', '0']
  const { settings } = await json('tenants', 'upsert', 'patient', ...off)
  expect(settings).toMatchObject({ breaker_threshold: 0, disable_after: '0ms', breaker_pause: null })
  const of = ['--tenant', 'patient']
  const pauses = ['--breaker-threshold', '3', '--breaker-pause', '1m', '--breaker-max-pause', '10m']
  const made = await json('endpoints', 'upsert', 'mine', 'https://127.0.0.1/', ...of, ...pauses)
  expect(made).toMatchObject({
    breaker_threshold: 3,
    breaker_pause: '1m',
    breaker_max_pause: '10m',
    disable_after: null,
    effective_health: {
      breaker_threshold: { value: 3, from: 'endpoint' },
      disable_after: { value: '0ms', from: 'tenant' },
    },
  })
  const back = await json('endpoints', 'update', 'mine', '--breaker-threshold', 'default', ...of)
  expect(back).toMatchObject({
    breaker_threshold: null,
    breaker_pause: '1m',
    effective_health: { breaker_threshold: { value: 0, from: 'tenant' } },
  })
  expect((await run('endpoints', 'update', 'mine', '--breaker-threshold', '1001', ...of)).code).toBe(2)
})

test('tenants are named by uid or id, shown in a table, and changed by what is given', async () => {
  const { id } = await json(
    'tenants',
    'upsert',
    'globex',
    '--ingest-rate',
    '5',
    '--retain-events',
    '7d',
    '--weight',
    '4',
  )
  const changed = await json('tenants', 'update', 'globex', '--ingest-rate', 'default', '--name', 'Globex')
  expect(changed).toMatchObject({
    id,
    name: 'Globex',
    settings: { ingest_rate: null, retain_events: '7d', weight: 4 },
  })
  const back = await json('tenants', 'update', 'globex', '--weight', 'default')
  expect(back.settings.weight).toBe(1)
  expect((await run('tenants', 'update', 'globex', '--weight', '101')).code).toBe(2)
  expect(await json('tenants', 'get', id)).toEqual(await json('tenants', 'get', 'globex'))
  const table = (await run('tenants', 'list')).out
  expect(table).toMatch(/UID +NAME +STATE/)
  expect(table).toMatch(/globex +Globex +active/)
})

test('a tenant that is not there has the exit code of what is not found, and a bad setting names its flag', async () => {
  const missing = await run('endpoints', 'list', '--tenant', 'nobody')
  expect([missing.code, missing.err]).toEqual([3, expect.stringContaining('there is no tenant "nobody"')])
  expect((await run('tenants', 'get', 'nobody')).err).toContain('no tenant has the id or uid nobody')
  const refused = await run('tenants', 'upsert', 'acme', '--retain-events', '9999d')
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--retain-events must be "500ms"')])
  const misread = await run('tenants', 'upsert', 'acme', '--ingest-rate', 'many')
  expect([misread.code, misread.err]).toEqual([2, expect.stringContaining('Use a number above 0')])
})

test('the first key of a tenant can be made in a store on which no server runs', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-tenants-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const store = ['--store', `sqlite:${join(directory, 'hooks.db')}`]
  const made = await runToEnd(['keys', 'create', 'shop', '--tenant', 'default', ...store], { server })
  expect(made.code).toBe(0)
  const missing = await runToEnd(['keys', 'create', 'shop', '--tenant', 'nobody', ...store], { server })
  expect([missing.code, missing.err]).toEqual([3, expect.stringContaining('there is no tenant "nobody"')])
})

test('a tenant is deleted by its uid; the command waits until it is gone, or says where to look', async () => {
  const { id } = await json('tenants', 'create', '--uid', 'initech')
  await json('endpoints', 'create', 'https://127.0.0.1/', '--topic', 'a', '--tenant', 'initech')
  await json('publish', 'a', '1', '--tenant', 'initech')
  const deleted = await run('tenants', 'delete', 'initech', '--no-wait')
  expect([deleted.code, deleted.out]).toEqual([0, expect.stringMatching(/state +deleting/)])
  expect(deleted.out).toContain(`outhook tenants get ${id} --wait`)
  expect((await run('endpoints', 'list', '--tenant', 'initech')).code).toBe(3)
  expect(await json('tenants', 'get', id, '--wait')).toMatchObject({ id, state: 'deleted' })
  const other = await json('tenants', 'create', '--uid', 'hooli')
  expect(await json('tenants', 'delete', 'hooli')).toEqual({
    id: other.id,
    uid: 'hooli',
    name: '',
    state: 'deleted',
  })
  expect((await run('tenants', 'get', id)).code).toBe(3)
})

test('a removal is shown as a bar, by its phase until what is left is counted', async () => {
  const removed = (deliveries: number) => ({ endpoints: 0, events: 0, deliveries })
  const states = [
    { phase: 'draining', removed: removed(0), left: null },
    { phase: 'removing', removed: removed(5), left: { endpoints: 1, events: 4, deliveries: 10 } },
  ]
  const stub = await startStubApi(() => {
    const state = states.shift()
    if (state === undefined)
      return { status: 404, body: { status: 404, code: 'not_found', title: 'x', detail: 'x' } }
    const { removed: gone, ...removal } = state
    return { body: { id: 'ten_1', state: 'deleting', removed: gone, removal } }
  })
  const printed: string[] = []
  const io = {
    isTerminal: true,
    print: (line: string) => void printed.push(line),
    printBytes: (bytes: Uint8Array) => void printed.push(Buffer.from(bytes).toString()),
  }
  const client = createClient({ url: stub.url, token: 'x' })
  const print = { json: false, answer: () => {}, object: () => {}, note: () => {}, page: () => {} }
  const first = await client.tenants.get('ten_1')
  await followRemoval({ client, io, print } as never, first, { wait: true })
  await stub.close()
  expect(printed).toEqual([
    '\r\u001b[2Kdraining: not counted yet',
    '\r\u001b[2K[######------------------] 25% removing: 10 deliveries, 4 events and 1 endpoint left',
    '\r\u001b[2K[########################] 100% removed',
    '',
  ])
})

test('a link to the portal is made, listed and revoked for a tenant that is named by its uid', async () => {
  const { id: tenantId } = await json('tenants', 'create', '--uid', 'linked')
  const abilities = ['--ability', 'view', '--ability', 'resend', '--expires', '8h', '--label', 'Ada']
  const link = await json('portal-links', 'create', 'linked', ...abilities)
  expect(link).toMatchObject({ tenant_id: tenantId, abilities: ['view', 'resend'], label: 'Ada' })
  expect(link.url).toBe(`${api.url}/portal/#${link.token}`)
  expect(Date.parse(link.expires_at) - Date.parse(link.created_at)).toBe(8 * 3_600_000)
  const listed = await run('portal-links', 'list', 'linked')
  expect(listed.out).toContain('view,resend')
  const shown = /plk_\S+/.exec(listed.out)?.[0] ?? ''
  expect(await json('portal-links', 'revoke', tenantId, shown)).toEqual({ id: link.id, revoked: true })
  expect((await api.call('GET', '/v1/portal', { token: link.token })).status).toBe(401)
  const wrong = await run('portal-links', 'create', 'linked', '--ability', 'all')
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('reveal_secret')])
  expect((await run('portal-links', 'create', 'linked', '--expires', '8d')).err).toContain('7 days')
  expect((await run('portal-links', 'list', 'nobody')).code).not.toBe(0)
})
