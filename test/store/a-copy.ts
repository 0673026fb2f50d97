/** SQLite stores that are copied into PostgreSQL, and what the tests of copies look at. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import type { Actor } from '../../src/core/audit.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { serverCatalogueId } from '../../src/core/event-type.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { copiedTables } from '../../src/store/copied-tables.ts'
import {
  type CopyProgress,
  type CopyReport,
  type CopySource,
  type CopyTarget,
  copyStore,
} from '../../src/store/copy.ts'
import type { Store } from '../../src/store/port.ts'
import { openPostgresCopyTarget } from '../../src/store/postgres/copy/copy-target.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteCopySource } from '../../src/store/sqlite/copy/copy-source.ts'
import { createCopyViews, placeColumn } from '../../src/store/sqlite/copy/copy-views.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aNotice } from './contract/delivery-notices.ts'
import { aSend } from './contract/direct.ts'
import {
  aKey,
  anOutcome,
  aTransportFailure,
  deadLetter,
  openScene,
  retryIn,
  type Scene,
} from './contract/scene.ts'
import { makeDirectory } from './sqlite-harness.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
export let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

export const clock = createSystemClock()

/** A schema name of the running test's own. */
export function aSchema(): string {
  const schema = `outhook_copy_${process.pid}_${randomUUID().slice(0, 8)}`
  onTestFinished(async () => {
    await sql(schema, `drop schema if exists ${schema} cascade`)
  })
  return schema
}

export async function sql<Row extends object>(schema: string, text: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  try {
    await client.query(`set search_path to ${schema}`)
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

/** The path of a database that `fill` has worked on and that nobody owns any more. */
export async function aSource(fill: (scene: Scene) => Promise<void> = async () => {}): Promise<string> {
  const directory = makeDirectory()
  onTestFinished(() => directory.remove())
  const path = join(directory.path, 'hooks.db')
  await withStore(path, fill)
  return path
}

export async function withStore(path: string, fill: (scene: Scene) => Promise<void>): Promise<void> {
  const store = await openSqliteStore({ path, clock, actorOf: inTurn() })
  const advance = () => Promise.reject(new Error('the clock of this test is the real one'))
  try {
    await fill(await openScene(async () => ({ store, now: clock.now, advance, close: () => store.close() })))
  } finally {
    await store.close()
  }
}

/** So that lines of the audit log have an id of whoever acted, or none. */
function inTurn(): () => Actor {
  let turn = 0
  return () => (turn++ % 2 === 0 ? { kind: 'admin_token', id: 'adm_a' } : { kind: 'library', id: null })
}

export function beside(path: string, text: string, ...values: (string | number | Uint8Array)[]): void {
  const database = new DatabaseSync(path)
  database.prepare(text).run(...values)
  database.close()
}

function openSource(path: string): Promise<CopySource> {
  return openSqliteCopySource({ path, now: clock.now(), lockWaitMs: 0, newCopyId: randomUUID() })
}

interface CopyOptions {
  readonly wrap?: (target: CopyTarget) => CopyTarget
  readonly onProgress?: (progress: CopyProgress) => void
}

export async function copy(path: string, schema: string, options: CopyOptions = {}): Promise<CopyReport> {
  const source = await openSource(path)
  try {
    const target = await openPostgresCopyTarget({ url: server.url, schema })
    try {
      return await copyStore(source, options.wrap?.(target) ?? target, options.onProgress ?? (() => {}))
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/** A target that fails from its nth batch on, as if the process had been killed there. */
export const failingFrom =
  (batch: number) =>
  (target: CopyTarget): CopyTarget => {
    let written = 0
    return {
      ...target,
      write: (...args) => (++written >= batch ? Promise.reject(new Error('killed')) : target.write(...args)),
    }
  }

export async function openTarget(schema: string): Promise<Store> {
  const store = await openPostgresStore({ url: server.url, schema })
  onTestFinished(() => store.close())
  return store
}

/** Something of everything: each state, each optional column both null and not. */
export async function fillVaried(scene: Scene): Promise<void> {
  await aJob(scene)
  const { store, ids } = scene
  const plain = await scene.anEndpoint({ uid: 'main', headers: { 'x-team': 'shop' }, description: 'é ☃' })
  const credential = {
    id: ids.next('crd'),
    tenantId: defaultTenantId,
    name: 'partner é',
    description: '',
    kind: 'basic' as const,
    settings: { username: 'shop' },
    authorizedHosts: ['partner.example'],
    secretHint: null,
    active: false,
  }
  await store.insertCredential({ credential, sealed: Uint8Array.of(0, 1, 255) })
  const paused = await scene.anEndpoint({
    credentialId: credential.id,
    clientCertificateId: credential.id,
    method: 'PUT',
    contentType: 'text/plain',
    timeoutMs: 60_000,
    moreUrls: ['https://b.example/é'],
    failOver: true,
  })
  await store.updateSubscription(defaultTenantId, paused.subscriptionId, { headers: { 'x-a': 'b' } })
  const disabled = await scene.anEndpoint()
  const gone = await scene.anEndpoint()
  const idempotency = { scope: 'key', key: 'order-1', hash: new Uint8Array(32).fill(7), ttlMs: 86_400_000 }
  await scene.publish({ routes: [plain], idempotency, metadata: { source: 'shop' }, orderingKey: 'o 1' })
  await scene.publishMany(6, { routes: [plain] })
  const { deliveries } = await scene.claim()
  const [a, b, c, d] = deliveries
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('no claims')
  await scene.record(
    anOutcome(a, { body: new Uint8Array(0) }),
    anOutcome(b, { next: retryIn(3_600_000), error: 'later' }),
    {
      ...anOutcome(c, { next: deadLetter, body: Uint8Array.from({ length: 256 }, (_, byte) => byte) }),
      notice: aNotice(c),
    },
  )
  await store.release([{ deliveryId: d.id, claimVersion: d.claimVersion, delayMs: 60_000 }])
  const failing = await scene.publishMany(5, { routes: [paused], handOff: true })
  const leased = failing.map(({ deliveries: [first] }) => ({
    id: first?.id ?? '',
    claimVersion: 1,
    attemptCount: 0,
  }))
  await scene.record(...leased.map((delivery) => aTransportFailure(delivery, clock.now())))
  await store.updateEndpoint(disabled.tenantId, disabled.endpointId, { disabledReason: 'operator' })
  await scene.publish({ routes: [disabled], parked: 'endpoint_disabled' })
  await scene.publish({ routes: [gone] })
  await store.deleteEndpoint(gone.tenantId, gone.endpointId)
  await store.rotateSecret(
    plain.tenantId,
    plain.endpointId,
    { id: ids.next('sec'), sealed: new Uint8Array(80).fill(9) },
    60_000,
  )
  const { event: expunged } = await scene.publish({ routes: [] })
  await store.expungePayload(plain.tenantId, expunged.id)
  const sends = [
    await aSend(scene),
    await aSend(scene, { to: plain, handOff: true }),
    await aSend(scene, { deliverInMs: 3_600_000 }),
  ]
  await store.publish(sends, { leaseMs: 60_000 })
  await scene.publish({ receivers: [plain, plain, paused] })
  while ((await scene.fanOutSlice()).more);
  const owner = { tenantId: plain.tenantId, kind: 'producer' } as const
  const rotated = aKey(ids, { ...owner, rateLimitRps: 2.5, expiresAt: clock.now() + 1e9 })
  await store.insertApiKey({ key: rotated, hash: new Uint8Array(32).fill(1) })
  await store.rotateApiKey(owner, rotated.id, { hash: new Uint8Array(32).fill(3), graceMs: 60_000 })
  await store.noteKeyUse([{ id: rotated.id, at: clock.now() }])
  const revoked = aKey(ids, owner)
  await store.insertApiKey({ key: revoked, hash: new Uint8Array(32).fill(2) })
  await store.revokeApiKey(owner, revoked.id)
  const token = aKey(ids, { kind: 'admin', tenantId: null, role: 'viewer' })
  await store.insertApiKey({ key: token, hash: new Uint8Array(32).fill(4) })
  await store.insertPortalLink({
    id: ids.next('plk'),
    tenantId: plain.tenantId,
    abilities: ['view', 'resend'],
    label: 'of Ana é',
    hash: new Uint8Array(32).fill(5),
    lifeMs: 3_600_000,
  })
  const type = {
    description: 'é',
    group: null,
    schema: '{"type":"object"}',
    example: null,
    deprecated: false,
  }
  await store.insertEventType(serverCatalogueId, { name: 'orders.created', ...type, mode: 'warn' })
  await store.insertEventType(plain.tenantId, {
    name: 'orders.created',
    ...type,
    group: 'O',
    mode: 'enforce',
  })
  await someLines(scene)
  await store.setMetaOnce('master_key_check', 'abcd1234.check')
}

/** No endpoint, as of a send to a URL, is an empty blob on SQLite and the tenant on PostgreSQL. */
const countsInPostgres = `select tenant_id, iif(length(endpoint_id) = 0, tenant_id, endpoint_id) as endpoint_id, state,
  minute, delta from delivery_counts`

/** Every row of every copied table, in a form that both databases can give. */
export function rowsOfSqlite(path: string): Readonly<Record<string, readonly string[]>> {
  const database = new DatabaseSync(path)
  createCopyViews(database)
  try {
    return Object.fromEntries(
      copiedTables.map(({ name }) => [
        name,
        database
          .prepare(name === 'delivery_counts' ? countsInPostgres : `select * from ${name}`)
          .all()
          .map((row) => Object.entries(row).filter(([column]) => column !== placeColumn))
          .map((row) => sortedRow(row.map(([column, value]) => [column, plainValue(value)])))
          .sort(),
      ]),
    )
  } finally {
    database.close()
  }
}

export async function rowsOfPostgres(schema: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const tables = copiedTables.map(async ({ name }) => {
    const rows = await sql<Readonly<Record<string, unknown>>>(schema, `select * from ${name}`)
    const sorted = rows.map((row) =>
      sortedRow(Object.entries(row).map(([column, value]) => [column, plainValue(value)])),
    )
    return [name, sorted.sort()] as const
  })
  return Object.fromEntries(await Promise.all(tables))
}

/** The end of a lease is the one value that a copy changes. */
function sortedRow(entries: readonly (readonly [string, unknown])[]): string {
  const isLeased = entries.some(([column, value]) => column === 'state' && value === 'in_flight')
  const kept = entries.filter(([column]) => column !== 'due_at' || !isLeased)
  return JSON.stringify([...kept].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** `pg` gives 64-bit numbers and ids as text, bytes as buffers, flags as booleans; lists of ids are bytes on SQLite. */
function plainValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  // In a list that names none, zeros.
  if (Array.isArray(value))
    return value
      .map((id) => id ?? '0'.repeat(32))
      .join('')
      .replaceAll('-', '')
  if (typeof value === 'boolean') return `${Number(value)}`
  if (typeof value === 'number') return `${value}`
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
    ? value.replaceAll('-', '')
    : value
}

/** One whose head was skipped, one that is blocked, and one with somebody behind its head. */
async function someLines(scene: Scene): Promise<void> {
  const ordered = await scene.anEndpoint({ ordered: true })
  for (const orderingKey of ['skipped', 'blocked']) {
    await scene.publish({ routes: [ordered], orderingKey })
    await scene.publish({ routes: [ordered], orderingKey })
    const [dead] = (await scene.claim()).deliveries.filter(
      ({ endpointId }) => endpointId === ordered.endpointId,
    )
    if (dead === undefined) throw new Error('no head was claimed')
    await scene.record(anOutcome(dead, { next: deadLetter }))
    if (orderingKey === 'skipped') await scene.store.skipDelivery(ordered.tenantId, dead.id, 'skipped')
  }
}

/** One that has an owner, as a process leaves it that dies. */
async function aJob({ store, ids }: Scene): Promise<void> {
  const job = {
    id: ids.next('job'),
    tenantId: defaultTenantId,
    kind: 'replay',
    filter: { topic: 'a' },
    rate: 2.5,
  } as const
  await store.insertJob(job)
  const request = { id: new Uint8Array(32).fill(8), hash: new Uint8Array(32).fill(9), seed: Uint8Array.of(1) }
  await store.keepAnswer({ ...request, ttlMs: 86_400_000 }, Uint8Array.of(2))
  await store.takeJob({ owner: 'gone', leaseMs: 1000 })
}
