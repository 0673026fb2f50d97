/** /readyz on PostgreSQL: 200 means that a publish would be durable now, and the answer comes within half a second. */
import { spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { aServer, type TestServer } from '../api/a-server.ts'
import { expectProblem } from '../api/expect-problem.ts'
import { patienceMs } from '../patience.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let postgres: PostgresServer
beforeAll(async () => {
  postgres = await newest.start()
})
afterAll(() => postgres?.stop())

let schemas = 0

async function aNode(): Promise<{ server: TestServer; beside: pg.Client; schema: string }> {
  const schema = `outhook_ready_${process.pid}_${++schemas}`
  const store = `${postgres.url}?schema=${schema}`
  const server = await aServer({ config: { store, masterKey: '22'.repeat(32) } })
  const beside = new pg.Client({ connectionString: postgres.url })
  beside.on('error', () => {})
  await beside.connect()
  await beside.query(`set search_path to ${schema}`)
  onTestFinished(async () => {
    await beside.query('rollback')
    await beside.query(`set default_transaction_read_only = off; drop schema ${schema} cascade`)
    await beside.end()
  })
  expect((await server.call('GET', '/readyz', { token: null })).status).toBe(200)
  return { server, beside, schema }
}

const ready = (server: TestServer) => server.call('GET', '/readyz', { token: null })
const publish = (server: TestServer, payload: unknown = 1) =>
  server.call('POST', '/v1/events', { body: { topic: 'a.b', payload } })
const becomes = (status: number, server: TestServer) =>
  expect.poll(async () => (await ready(server)).status, { timeout: patienceMs }).toBe(status)

test.each(['live_deliveries', 'events', 'idempotency_keys'])(
  'a session that holds %s exclusively makes it not ready, in words, until it lets go',
  async (table) => {
    const { server, beside } = await aNode()
    await beside.query('begin')
    await beside.query(`lock table ${table} in access exclusive mode`)
    await becomes(503, server)
    const answerMs = async (): Promise<number> => {
      const startedAt = performance.now()
      expectProblem(await ready(server), { status: 503, title: 'not ready', detail: 'lock' })
      return performance.now() - startedAt
    }
    // Below one second, which is what most who ask wait for; half of it on a machine at rest, so that one is that fast.
    await expect.poll(answerMs).toBeLessThan(1000)
    await beside.query('rollback')
    await becomes(200, server)
  },
)

test('a lock that lets inserts pass does not disturb it', async () => {
  const { server, beside } = await aNode()
  await beside.query('begin')
  await beside.query('lock table live_deliveries in row exclusive mode')
  await becomes(200, server)
})

test('a server that takes no writes is not ready, and says so', async () => {
  const { server, beside } = await aNode()
  const { rows } = await beside.query('select current_database() as name')
  await beside.query(`alter database ${rows[0].name} set default_transaction_read_only = on`)
  await beside.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'outhook %'`,
  )
  await becomes(503, server)
  await expect
    .poll(async () => (await ready(server)).json.detail, { timeout: patienceMs })
    .toContain('takes no writes')
  await beside.query('set default_transaction_read_only = off')
  await beside.query(`alter database ${rows[0].name} reset default_transaction_read_only`)
  await becomes(200, server)
})

test('an index that is damaged: what publishes meet makes it not ready, in other words than a full disk', async () => {
  const { server, beside } = await aNode()
  await beside.query(`create function broken() returns trigger language plpgsql as $$
    begin raise exception 'index "events_pkey" contains unexpected zero page' using errcode = 'XX002'; end $$`)
  await beside.query('create trigger broken before insert on events execute function broken()')
  const refused = await publish(server)
  expect(refused).toMatchObject({ status: 503 })
  expect(refused.json.detail).toContain('damaged')
  expectProblem(await ready(server), { status: 503, title: 'not ready', detail: 'damaged' })
  await beside.query('drop trigger broken on events')
  expect((await publish(server)).status).toBe(202)
  expect((await ready(server)).status).toBe(200)
})

const mayMount = process.platform === 'linux' && process.getuid?.() === 0 && canMount()

function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-mount-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory])
  if (status === 0) spawnSync('umount', [directory])
  rmSync(directory, { recursive: true, force: true })
  return status === 0
}

test.skipIf(!mayMount || process.env.OUTHOOK_TEST_POSTGRES_URL)(
  'a disk without room makes it not ready, and says so, until there is room',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'outhook-tablespace-'))
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', directory])
    const { uid, gid } = statSync(`/proc/${postgres.pid}`)
    chownSync(directory, uid, gid)
    const { server, beside, schema } = await aNode()
    await beside.query(`create tablespace small location '${directory}'`)
    onTestFinished(() => void spawnSync('umount', ['-l', directory]))
    const { rows } = await beside.query('select tablename from pg_tables where schemaname = $1', [schema])
    for (const { tablename } of rows) await beside.query(`alter table ${tablename} set tablespace small`)
    await becomes(200, server)
    const { bavail, bsize } = statfsSync(directory)
    writeFileSync(join(directory, 'ballast'), Buffer.alloc(bavail * bsize))
    await becomes(503, server)
    const full = { status: 503, title: 'not ready', detail: 'disk of the database is full' }
    // A look that took too long on a busy machine says so; the next one says what is wrong.
    await vi.waitFor(async () => expectProblem(await ready(server), full), { timeout: patienceMs })
    const payload = Buffer.alloc(50_000, 1).toString('hex')
    expect((await publish(server, payload)).json.detail).toContain('full')
    rmSync(join(directory, 'ballast'))
    await becomes(200, server)
    expect((await publish(server, payload)).status).toBe(202)
    await beside.query(`drop schema ${schema} cascade`)
    await beside.query('drop tablespace small')
    await beside.query(`create schema ${schema}`)
  },
)
