import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createKeyring } from '../../src/core/keyring.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import type { Finding } from '../../src/store/finding.ts'
import { examinePostgres } from '../../src/store/postgres/upkeep/doctor.ts'
import type { PostgresExamination } from '../../src/store/postgres/upkeep/doctor-check.ts'
import { patienceMs } from '../patience.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aLine } from './contract/ordering.ts'
import { anOutcome, openScene, retryIn } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

const masterKey = createKeyring([new Uint8Array(32).fill(7)], randomBytes)

describe.each(testedServers())('the doctor on $name', ({ start }) => {
  let server: PostgresServer
  let harness: PostgresHarness
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server?.stop())
  beforeEach(async () => {
    harness = await openPostgresHarness(server, { fresh: true })
    // The doctor asks the server, whose clock is the harness's.
    await harness.sql(
      `create or replace function server_ms() returns bigint language sql stable parallel safe as
         $$ select ${harness.now()}::bigint $$`,
    )
    await harness.store.setMetaOnce('master_key_check', masterKey.checkValue)
  })
  afterEach(() => harness.close())

  const examine = (options: Partial<PostgresExamination> = {}) =>
    examinePostgres({
      url: server.url,
      schema: harness.schema,
      masterKey,
      processes: 1,
      now: () => performance.timeOrigin + performance.now(),
      ...options,
    })
  const find = async (check: string, options?: Partial<PostgresExamination>) =>
    (await examine(options)).filter((finding) => finding.check === check)
  const firstOf = async (
    check: string,
    options?: Partial<PostgresExamination>,
  ): Promise<Finding | undefined> => (await find(check, options))[0]

  async function connect(url = server.url): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    await client.query(`set search_path to ${harness.schema}`)
    onTestFinished(() => client.end().catch(() => {}))
    return client
  }

  it('lets go of the server in the middle of a check when that is asked for', async () => {
    const holder = await connect()
    await holder.query('begin')
    await holder.query('lock table meta')
    const abort = new AbortController()
    const examining = examine({ signal: abort.signal })
    const waiting = async () => {
      const rows = await harness.sql(
        `select pid from pg_stat_activity where application_name = 'outhook upkeep' and wait_event_type = 'Lock'`,
      )
      return rows.length
    }
    await expect.poll(waiting, { timeout: patienceMs }).toBe(1)
    const startedAt = performance.now()
    abort.abort()
    await examining
    // The statement would wait for thirty seconds.
    expect(performance.now() - startedAt).toBeLessThan(25_000)
    await holder.query('rollback')
    await expect.poll(waiting, { timeout: patienceMs }).toBe(0)
  })

  it('warns of an expunge that was cut off, until it is done again', async () => {
    const scene = await openScene(async () => harness)
    expect(await find('expunged')).toEqual([])
    const { event, deliveryId } = await scene.publish({ routes: [await scene.anEndpoint()] })
    await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(0) }))
    await scene.record(anOutcome(await scene.claimOne()))
    await scene.store.expungePayload(defaultTenantId, event.id)
    expect(await find('expunged')).toMatchObject([
      { level: 'warning', advice: expect.stringContaining(event.id) },
    ])
    await scene.store.expungeAnswers([deliveryId])
    expect(await find('expunged')).toMatchObject([
      { level: 'ok', found: '1 payloads were expunged on demand' },
    ])
  })

  /** A setting of the server, until the test is over. */
  async function alterServer(name: string, value: string): Promise<void> {
    await harness.sql(`alter system set ${name} = ${value}`)
    await harness.sql('select pg_reload_conf()')
    onTestFinished(async () => {
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      await client.query(`alter system reset ${name}`)
      await client.query('select pg_reload_conf()')
      await client.end()
    })
    const shown = `select current_setting('${name}') as value`
    await expect.poll(() => harness.sql(shown)).toEqual([{ value }])
  }

  /** A role that may log in, and what it may do besides; its URL. */
  async function aRole(...grants: readonly string[]): Promise<string> {
    const role = `doctor_${harness.schema}`
    await harness.sql(`create role ${role} login`)
    for (const grant of grants) await harness.sql(`grant ${grant} to ${role}`)
    onTestFinished(async () => {
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      await client.query(`drop owned by ${role}; drop role ${role}`)
      await client.end()
    })
    const url = new URL(server.url)
    url.username = role
    return url.href
  }

  it('finds nothing to complain about in a healthy store', async () => {
    const findings = await examine()
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([])
    expect(findings.map(({ check }) => check)).toEqual([
      'version',
      'writable',
      'fsync',
      'full_page_writes',
      'synchronous_commit',
      'clock',
      'connections',
      'schema',
      'privileges',
      'master key',
      'autovacuum',
      'dead rows',
      'open transactions',
      'prepared transactions',
      'replication slots',
      'backlog',
      'clock of the server',
      'ordered keys',
    ])
  })

  it('says that the server cannot be reached', async () => {
    const findings = await examine({ url: 'postgres://postgres@127.0.0.1:1/postgres' })
    expect(findings).toMatchObject([{ check: 'connection', level: 'problem' }])
    expect(findings[0]?.found).toContain('ECONNREFUSED')
  })

  it('says that a schema has not been made yet, and looks at the server all the same', async () => {
    const findings = await examine({ schema: 'outhook_not_there' })
    expect(findings.at(-1)).toMatchObject({ check: 'schema', level: 'warning', found: 'none yet' })
    expect(findings.map(({ check }) => check)).toContain('fsync')
  })

  it('says that the schema needs a newer Outhook, or is older than the first release', async () => {
    await harness.sql(
      'delete from schema_migrations where version > (select min(version) from schema_migrations)',
    )
    await harness.sql(`update schema_migrations set version = 1, oldest_compatible = 1`)
    expect(await firstOf('schema')).toMatchObject({
      level: 'problem',
      found: expect.stringContaining('from before the first release'),
    })
    await harness.sql(`insert into schema_migrations (version, name, oldest_compatible) values (99, 'x', 99)`)
    expect(await firstOf('schema')).toMatchObject({
      level: 'problem',
      found: expect.stringContaining('run a newer Outhook'),
    })
  })

  it('compares the master key and names both fingerprints', async () => {
    const other = createKeyring([new Uint8Array(32).fill(8)], randomBytes)
    const finding = await firstOf('master key', { masterKey: other })
    expect(finding).toMatchObject({ level: 'problem' })
    expect(finding?.found).toContain(masterKey.fingerprint)
    expect(finding?.found).toContain(other.fingerprint)
    expect(await firstOf('master key', { masterKey: null })).toMatchObject({ level: 'warning' })
  })

  it('tells a clock that is off from one that is wrong', async () => {
    const shifted = (ms: number) => () => performance.timeOrigin + performance.now() + ms
    expect(await firstOf('clock', { now: shifted(5000) })).toMatchObject({
      level: 'warning',
      found: expect.stringContaining('ahead of the server'),
    })
    expect(await firstOf('clock', { now: shifted(-90_000) })).toMatchObject({
      level: 'problem',
      found: expect.stringMatching(/9\d\.\d s behind the server/),
    })
  })

  it('counts the connections that the processes need against what there is', async () => {
    expect(await firstOf('connections', { processes: 200 })).toMatchObject({ level: 'problem' })
    const url = await aRole(`usage on schema ${harness.schema}`)
    await harness.sql(`alter role doctor_${harness.schema} connection limit 5`)
    expect(await firstOf('connections', { url })).toMatchObject({
      level: 'problem',
      found: expect.stringContaining(' of 5 in use'),
    })
  })

  it('names what the role may not do, and how to grant it', async () => {
    const { schema } = harness
    const bare = await aRole(`usage on schema ${schema}`, `select on all tables in schema ${schema}`)
    const lacking = await firstOf('privileges', { url: bare })
    expect(lacking).toMatchObject({ level: 'problem', found: expect.stringContaining('live_deliveries') })
    await harness.sql(lacking?.advice ?? '')
    expect(await firstOf('privileges', { url: bare })).toMatchObject({
      level: 'ok',
      found: expect.stringContaining('not migrate'),
    })
  })

  it('says that sessions of others cannot be seen, and so whether they hold a snapshot', async () => {
    const url = await aRole(
      `usage on schema ${harness.schema}`,
      `select on all tables in schema ${harness.schema}`,
    )
    const [hidden] = await find('open transactions', { url })
    expect(hidden).toMatchObject({ level: 'warning', advice: 'grant pg_read_all_stats to the role' })
  })

  it('names the oldest open transaction and how to end it', async () => {
    const open = await connect()
    await open.query('begin isolation level repeatable read')
    const { rows } = await open.query(
      'select pg_backend_pid() as pid from live_deliveries right join meta on true',
    )
    expect(await firstOf('open transactions')).toMatchObject({ level: 'ok' })
    expect(await firstOf('open transactions', { oldMs: 0 })).toMatchObject({
      level: 'warning',
      advice: expect.stringContaining(`pg_terminate_backend(${rows[0].pid})`),
    })
    await open.query('rollback')
    expect(await firstOf('open transactions', { oldMs: 0 })).toMatchObject({ level: 'ok', found: 'none' })
  })

  it('finds tables that nobody vacuums', async () => {
    await harness.sql('alter table ready_endpoints set (autovacuum_enabled = false)')
    expect(await firstOf('autovacuum')).toMatchObject({ level: 'problem', found: 'off for ready_endpoints' })
    await harness.sql(
      `insert into ready_endpoints select gen_random_uuid(), gen_random_uuid(), n from generate_series(1, 3000) n`,
    )
    // Without the flush the session may keep its counts for ten idle seconds.
    await harness.sql('delete from ready_endpoints; select pg_stat_force_next_flush()')
    await expect
      .poll(() => firstOf('dead rows'))
      .toMatchObject({
        level: 'warning',
        found: 'ready_endpoints has 3000 dead rows beside 0 live ones, never vacuumed',
      })
    await harness.sql('vacuum ready_endpoints')
    await expect.poll(() => firstOf('dead rows')).toMatchObject({ level: 'ok' })
  })

  it('tells how much waits and for how long', async () => {
    const scene = await openScene(async () => harness)
    const route = await scene.anEndpoint()
    await scene.publish({ routes: [route] })
    expect(await firstOf('backlog')).toMatchObject({
      level: 'ok',
      found: expect.stringContaining('1 pending'),
    })
    const dueAt = harness.now() - 90_000
    await harness.sql('update live_deliveries set due_at = $1', [dueAt])
    await harness.sql('update ready_endpoints set next_at = $1', [dueAt])
    expect(await firstOf('backlog')).toMatchObject({
      level: 'warning',
      found: expect.stringContaining('the oldest due for 90.0 s'),
    })
  })

  it('finds a line of ordered deliveries that nothing would move on, until a server has mended it', async () => {
    const scene = await openScene(async () => harness)
    const route = await scene.anEndpoint({ ordered: true })
    const [, second] = await aLine(scene, route, 3, 'stuck')
    await aLine(scene, route, 1, 'fine')
    expect(await firstOf('ordered keys')).toMatchObject({
      level: 'ok',
      found: '2 with deliveries, 0 blocked by a dead letter',
    })
    await harness.sql(
      `delete from live_deliveries where id = (select head from ordered_keys where ordering_key = 'stuck')`,
    )
    expect(await firstOf('ordered keys')).toMatchObject({
      level: 'problem',
      found: expect.stringContaining('1 with no head that is due or in flight, such as "stuck"'),
    })
    for (const _ of [1, 2]) await harness.store.reconcileReady({ limit: 1 })
    expect(await firstOf('ordered keys')).toMatchObject({ level: 'ok' })
    const page = { limit: 1, cursor: null }
    const keys = await harness.store.listOrderedKeys(route.tenantId, { orderingKey: 'stuck' }, page)
    expect(keys.items).toMatchObject([{ headDeliveryId: second }])
  })

  it('finds that commits of this role do not wait for the disk', async () => {
    const url = await aRole(`usage on schema ${harness.schema}`)
    await harness.sql(`alter role doctor_${harness.schema} set synchronous_commit = off`)
    expect(await firstOf('synchronous_commit', { url })).toMatchObject({ level: 'warning' })
  })

  it('finds a role that may only read', async () => {
    const url = await aRole(`usage on schema ${harness.schema}`)
    await harness.sql(`alter role doctor_${harness.schema} set default_transaction_read_only = on`)
    expect(await firstOf('writable', { url })).toMatchObject({ level: 'problem' })
  })

  const isOurs = process.env.OUTHOOK_TEST_POSTGRES_URL === undefined
  describe.skipIf(!isOurs)('with settings of the server (skipped on a server that is not ours)', () => {
    it.each([
      ['fsync', 'off', 'fsync', 'problem'],
      ['full_page_writes', 'off', 'full_page_writes', 'problem'],
      ['autovacuum', 'off', 'autovacuum', 'problem'],
      ['track_counts', 'off', 'autovacuum', 'problem'],
    ])('%s = %s', async (setting, value, check, level) => {
      await alterServer(setting, value)
      expect(await firstOf(check)).toMatchObject({ level })
    })

    it('names a replication slot that nobody reads', async () => {
      const name = `slot_${harness.schema}`
      await harness.sql(`select pg_create_physical_replication_slot('${name}', true)::text`)
      const found = await firstOf('replication slots')
      expect(found).toMatchObject({ level: 'warning', found: expect.stringContaining(`${name} is inactive`) })
      await harness.sql(`select pg_drop_replication_slot('${name}')`)
      expect(await firstOf('replication slots')).toMatchObject({ level: 'ok' })
    })

    it('names a prepared transaction that was forgotten', async () => {
      await harness.sql('alter system set max_prepared_transactions = 2')
      await server.crash()
      await server.restart()
      const client = await connect()
      await client.query('begin')
      await client.query(`insert into meta (name, value) values ('prepared', '1')`)
      await client.query(`prepare transaction 'forgotten'`)
      expect(await firstOf('prepared transactions')).toMatchObject({ level: 'ok' })
      expect(await firstOf('prepared transactions', { oldMs: 0 })).toMatchObject({
        level: 'problem',
        found: expect.stringContaining('"forgotten"'),
        advice: expect.stringContaining(`rollback prepared 'forgotten'`),
      })
      await client.query(`rollback prepared 'forgotten'`)
      harness = await openPostgresHarness(server, { fresh: true })
    })
  })
})
