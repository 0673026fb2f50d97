import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Migration } from '../../src/store/migrations.ts'
import { migrateSqlite, planSqlite, sqliteMigrations } from '../../src/store/sqlite/connection/schema.ts'

const first = sqliteMigrations[0]?.version ?? 0
const newest = sqliteMigrations.at(-1)?.version ?? 0
const later: Migration = {
  version: newest + 1,
  name: 'mood',
  oldestCompatible: first,
  sql: 'alter table events add column mood text',
}

let database: DatabaseSync
beforeEach(() => {
  database = new DatabaseSync(':memory:')
})
afterEach(() => database.close())

const versions = () =>
  database
    .prepare('select version from schema_migrations order by version')
    .all()
    .map((row) => row.version)

test('a database of an older version is brought up to date, and what it lacked is said', () => {
  migrateSqlite(database, 0)
  const known = [...sqliteMigrations, later]
  expect(planSqlite(database, known)).toEqual({ from: newest, steps: [later] })
  expect(migrateSqlite(database, 0, known)).toEqual({ from: newest, steps: [later] })
  expect(migrateSqlite(database, 0, known)).toEqual({ from: newest + 1, steps: [] })
  database.prepare('select mood from events').all()
  expect(versions()).toEqual([...sqliteMigrations.map(({ version }) => version), newest + 1])
})

test('migrations are all applied or none', () => {
  const broken = { ...later, version: newest + 2, sql: 'create table mood (id integer); nonsense' }
  migrateSqlite(database, 0)
  expect(() => migrateSqlite(database, 0, [...sqliteMigrations, later, broken])).toThrow('nonsense')
  expect(versions()).toEqual(sqliteMigrations.map(({ version }) => version))
  expect(() => database.prepare('select mood from events').all()).toThrow('no such column')
})

test('a database from before the first release is refused, and says what to do', () => {
  migrateSqlite(database, 0, [{ ...later, version: 1, sql: '' }])
  expect(() => migrateSqlite(database, 0)).toThrow(
    `the database has schema 1, from before the first release, and this Outhook begins with schema ${first}: it ` +
      'cannot be brought up to date; start with a new database, or go on with the Outhook that made it',
  )
  expect(versions()).toEqual([1])
})

test('admin tokens from before there were roles are administrators of all tenants, and keys publish as they did', () => {
  const before = sqliteMigrations.filter(({ name }) => name !== 'roles' && sqliteIsBefore(name))
  migrateSqlite(database, 0, before)
  const insert = database.prepare(
    `insert into api_keys (id, tenant_id, kind, name, scopes, hash, created_at, revoked_at)
     values (?, ?, ?, ?, '["*"]', ?, 5, ?)`,
  )
  const bytes = (fill: number) => new Uint8Array(16).fill(fill)
  insert.run(bytes(1), bytes(0), 'admin', 'first', bytes(11), null)
  insert.run(bytes(2), bytes(7), 'admin', 'of a tenant', bytes(12), 9)
  insert.run(bytes(3), bytes(0), 'producer', 'shop', bytes(13), null)
  migrateSqlite(database, 0)
  const rows = database
    .prepare(
      `select k.*, h.hash, h.expires_at as hash_expires_at from api_keys k
       join api_key_hashes h on h.key_id = k.id order by k.id`,
    )
    .all()
  const common = { scopes: '["*"]', created_at: 5, expires_at: null, hash_expires_at: null }
  expect(rows).toMatchObject([
    { ...common, tenant_id: null, role: 'admin', abilities: '[]', name: 'first', hash: bytes(11) },
    { ...common, tenant_id: bytes(7), role: 'admin', revoked_at: 9, hash: bytes(12) },
    { ...common, tenant_id: bytes(0), role: null, abilities: '["publish"]', hash: bytes(13) },
  ])
})

function sqliteIsBefore(name: string): boolean {
  const names = sqliteMigrations.map((one) => one.name)
  return names.indexOf(name) < names.indexOf('roles')
}

test('the retry policy of an endpoint’s own subscription moves to the endpoint, unless another subscription would change by it', () => {
  const isBefore = ({ name }: Migration) => name !== 'endpoint retry policies'
  const before = sqliteMigrations.slice(
    0,
    sqliteMigrations.findIndex((migration) => !isBefore(migration)),
  )
  migrateSqlite(database, 0, before)
  const endpoint = database.prepare(
    `insert into endpoints (id, tenant_id, url, description, headers, signing_schemes, max_in_flight, created_at, updated_at)
     values (?, x'00', 'https://a.example/', '', '{}', '[]', 1, 0, 0)`,
  )
  const subscription = database.prepare(
    `insert into subscriptions (id, tenant_id, endpoint_id, topic_patterns, retry_policy, ordered, active, own, created_at, updated_at)
     values (?, x'00', ?, '["*"]', ?, 0, 1, ?, 0, 0)`,
  )
  const [alone, shared] = [Uint8Array.of(1), Uint8Array.of(2)]
  for (const id of [alone, shared]) endpoint.run(id)
  subscription.run(Uint8Array.of(3), alone, '"dograh"', 1)
  subscription.run(Uint8Array.of(4), alone, '"pyfly"', 0)
  subscription.run(Uint8Array.of(5), shared, '"dograh"', 1)
  subscription.run(Uint8Array.of(6), shared, null, 0)
  migrateSqlite(database, 0)
  const policies = (table: string) =>
    database
      .prepare(`select retry_policy from ${table} order by id`)
      .all()
      .map((row) => row.retry_policy)
  expect(policies('endpoints')).toEqual(['"dograh"', null])
  expect(policies('subscriptions')).toEqual([null, '"pyfly"', '"dograh"', null])
})
