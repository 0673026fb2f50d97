import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { migratePostgresStore, planPostgresStore } from '../../src/store/postgres/connection/migrate.ts'
import { postgresMigrations } from '../../src/store/postgres/connection/schema.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

const versions = postgresMigrations.map(({ version }) => version)

let schemas = 0
async function aPlace(): Promise<{ url: string; schema: string; client: pg.Client }> {
  const schema = `outhook_migrate_${process.pid}_${++schemas}`
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  onTestFinished(async () => {
    await client.query(`drop schema if exists ${schema} cascade`)
    await client.end()
  })
  return { url: server.url, schema, client }
}

test('a plan writes nothing, not even the schema', async () => {
  const { client, ...place } = await aPlace()
  const plan = await planPostgresStore(place)
  expect([plan.from, plan.steps.map(({ version }) => version)]).toEqual([0, versions])
  const { rowCount } = await client.query('select 1 from pg_namespace where nspname = $1', [place.schema])
  expect(rowCount).toBe(0)
})

test('of many that migrate together one does it, and the others find it done', async () => {
  const { client, ...place } = await aPlace()
  const changes = await Promise.all(Array.from({ length: 6 }, () => migratePostgresStore(place)))
  expect(changes.map(({ steps }) => steps.length).toSorted()).toEqual([0, 0, 0, 0, 0, versions.length])
  const { rows } = await client.query(
    `select version from ${place.schema}.schema_migrations order by version`,
  )
  expect(rows.map(({ version }) => version)).toEqual(versions)
  expect(await planPostgresStore(place)).toEqual({ from: versions.at(-1), steps: [] })
})

test('a node waits for the migration of another beyond every time limit of its role', async () => {
  const { client, ...place } = await aPlace()
  const role = `limited_${place.schema}`
  await client.query(`create role ${role} login; grant create on database postgres to ${role}`)
  await client.query(`alter role ${role} set statement_timeout = '100ms'`)
  await client.query(`alter role ${role} set lock_timeout = '100ms'`)
  onTestFinished(() => client.query(`drop owned by ${role} cascade; drop role ${role}`).then(() => undefined))
  const url = new URL(place.url)
  url.username = role
  await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`outhook migrate ${place.schema}`])
  const opening = openPostgresStore({ url: url.href, schema: place.schema })
  const waiting = `select 1 from pg_stat_activity where usename = '${role}' and wait_event = 'advisory'
                   and clock_timestamp() - query_start > '500ms'`
  await expect.poll(async () => (await client.query(waiting)).rowCount).toBe(1)
  await client.query('select pg_advisory_unlock_all()')
  await (await opening).close()
  expect((await planPostgresStore(place)).steps).toEqual([])
})

test('a role that may only read and write opens a store that its owner has migrated', async () => {
  const { client, ...place } = await aPlace()
  const role = `worker_of_${place.schema}`
  await client.query(`create role ${role} login`)
  onTestFinished(() => client.query(`drop owned by ${role}; drop role ${role}`).then(() => undefined))
  const url = new URL(place.url)
  url.username = role
  const asWorker = { url: url.href, schema: place.schema }
  await expect(openPostgresStore(asWorker)).rejects.toMatchObject({ code: 'store_unavailable' })
  await migratePostgresStore(place)
  await client.query(`grant usage on schema ${place.schema} to ${role}`)
  await client.query(
    `grant select, insert, update, delete on all tables in schema ${place.schema} to ${role}`,
  )
  const store = await openPostgresStore(asWorker)
  onTestFinished(() => store.close())
  await store.ping()
  expect(await store.setMetaOnce('a', 'b')).toBe('b')
})

test('a schema from before the first release is refused, says what to do, and stays as it is', async () => {
  const { client, ...place } = await aPlace()
  await migratePostgresStore(place)
  await client.query(`delete from ${place.schema}.schema_migrations where version > ${versions[0]}`)
  await client.query(`update ${place.schema}.schema_migrations set version = 7, oldest_compatible = 1`)
  const refusal = {
    code: 'store_incompatible',
    message:
      `the database has schema 7, from before the first release, and this Outhook begins with schema ${versions[0]}: it ` +
      'cannot be brought up to date; start with a new database, or go on with the Outhook that made it',
  }
  await expect(openPostgresStore(place)).rejects.toMatchObject(refusal)
  await expect(planPostgresStore(place)).rejects.toMatchObject(refusal)
  const { rows } = await client.query(`select version from ${place.schema}.schema_migrations`)
  expect(rows).toEqual([{ version: 7 }])
})

test('admin tokens from before there were roles are administrators of all tenants, and keys publish as they did', async () => {
  const { client, ...place } = await aPlace()
  await client.query(`create schema ${place.schema}; set search_path to ${place.schema}`)
  await client.query('create table schema_migrations (applied_at timestamptz not null default now())')
  await client.query('insert into schema_migrations default values')
  const roles = postgresMigrations.findIndex(({ name }) => name === 'roles')
  for (const { sql } of postgresMigrations.slice(0, roles)) await client.query(sql)
  await client.query(
    `insert into api_keys (id, tenant_id, kind, name, scopes, hash, created_at, revoked_at) values
       ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000000', 'admin', 'first', '["*"]', '\\x11', 5, null),
       ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000007', 'admin', 'bound', '["*"]', '\\x12', 5, 9),
       ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000000', 'producer', 'shop', '["*"]', '\\x13', 5, null)`,
  )
  await client.query(postgresMigrations[roles]?.sql ?? '')
  const { rows } = await client.query(
    `select k.name, k.tenant_id, k.role, k.abilities, encode(h.hash, 'hex') as hash, h.expires_at
     from api_keys k join api_key_hashes h on h.key_id = k.id order by k.id`,
  )
  const common = { expires_at: null }
  expect(rows).toEqual([
    { ...common, name: 'first', tenant_id: null, role: 'admin', abilities: '[]', hash: '11' },
    {
      ...common,
      name: 'bound',
      tenant_id: '00000000-0000-0000-0000-000000000007',
      role: 'admin',
      abilities: '[]',
      hash: '12',
    },
    {
      ...common,
      name: 'shop',
      tenant_id: '00000000-0000-0000-0000-000000000000',
      role: null,
      abilities: '["publish"]',
      hash: '13',
    },
  ])
})

test('the retry policy of an endpoint’s own subscription moves to the endpoint, unless another subscription would change by it', async () => {
  const { client, ...place } = await aPlace()
  await client.query(`create schema ${place.schema}; set search_path to ${place.schema}`)
  await client.query('create table schema_migrations (applied_at timestamptz not null default now())')
  await client.query('insert into schema_migrations default values')
  const moving = postgresMigrations.findIndex(({ name }) => name === 'endpoint retry policies')
  for (const { sql } of postgresMigrations.slice(0, moving)) await client.query(sql)
  const id = (number: number) => `00000000-0000-0000-0000-00000000000${number}`
  const [alone, shared] = [id(1), id(2)]
  for (const endpoint of [alone, shared]) {
    await client.query(
      `insert into endpoints (id, tenant_id, url, description, headers, signing_schemes, max_in_flight, created_at, updated_at)
       values ($1, $2, 'https://a.example/', '', '{}', '[]', 1, 0, 0)`,
      [endpoint, id(0)],
    )
  }
  for (const [number, endpoint, policy, own] of [
    [3, alone, '"dograh"', true],
    [4, alone, '"pyfly"', false],
    [5, shared, '"dograh"', true],
    [6, shared, null, false],
  ] as const) {
    await client.query(
      `insert into subscriptions (id, tenant_id, endpoint_id, topic_patterns, retry_policy, ordered, active, own, created_at, updated_at)
       values ($1, $2, $3, '["*"]', $4, false, true, $5, 0, 0)`,
      [id(number), id(0), endpoint, policy, own],
    )
  }
  await client.query(postgresMigrations[moving]?.sql ?? '')
  const policies = async (table: string) =>
    (await client.query(`select retry_policy from ${table} order by id`)).rows.map((row) => row.retry_policy)
  expect(await policies('endpoints')).toEqual(['"dograh"', null])
  expect(await policies('subscriptions')).toEqual([null, '"pyfly"', '"dograh"', null])
})
