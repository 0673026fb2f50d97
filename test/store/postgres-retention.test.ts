import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createIdFactory, idToBytes } from '../../src/core/ids.ts'
import { type Delivery, defaultTenantId } from '../../src/core/model.ts'
import type { Store } from '../../src/store/port.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { dayMs, expectCountsAsListed, removeAll, retention } from './contract/retention.ts'
import { anOutcome, breaker, deadLetter, leaseMs, openScene, type Scene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
let harness: PostgresHarness
let scene: Scene
let other: Store
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())
beforeEach(async () => {
  harness = await openPostgresHarness(server)
  scene = await openScene(async () => harness)
  other = await harness.openNode()
})
afterEach(() => harness.close())

const uuid = (id: string) => Buffer.from(idToBytes(id)).toString('hex')

/** A connection of somebody else's, whose transaction is open. */
async function openTransaction(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query(`set search_path to ${harness.schema}`)
  await client.query('begin')
  return client
}

/** Resolves once some statement of the store waits for a lock. */
async function somebodyWaits(): Promise<void> {
  const waiting = `select 1 from pg_stat_activity where application_name like 'outhook %' and wait_event_type = 'Lock'`
  while ((await harness.sql(waiting)).length === 0);
}

async function aDeadLetter() {
  const { event, deliveryId } = await scene.publish({ routes: [await scene.anEndpoint()] })
  await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter, startedAt: scene.now() }))
  return { eventId: event.id, deliveryId }
}

const payload = (eventId: string) => scene.store.getPayload(defaultTenantId, eventId)

describe('retention on several nodes', () => {
  it('is the work of one at a time', async () => {
    const { event } = await scene.publish()
    await scene.advance(30 * dayMs)
    const holder = await openTransaction()
    await holder.query(
      `select pg_advisory_xact_lock(hashtextextended('outhook ' || current_schema() || ' retention', 0))`,
    )
    expect(await scene.store.removeExpired({ retention, limit: 10 })).toMatchObject({ more: false })
    expect(await payload(event.id)).not.toBeNull()
    await holder.query('rollback')
    await removeAll(scene)
    expect(await payload(event.id)).toBeNull()
  })

  it('goes on at one node where another stopped, and looks again at what stayed after a day', async () => {
    const { eventId, deliveryId } = await aDeadLetter()
    await scene.advance(59 * dayMs)
    await removeAll(scene)
    await scene.advance(dayMs - 1000)
    // Its time is over, and it was passed over less than a day ago.
    await harness.sql('update deliveries set updated_at = updated_at - 1000 where id = $1', [
      uuid(deliveryId),
    ])
    await removeAll({ store: other })
    expect(await payload(eventId)).not.toBeNull()
    await scene.advance(1000)
    await removeAll({ store: other })
    expect(await payload(eventId)).toBeNull()
  })

  it('stops at what is older than the oldest open transaction, so that nothing appears behind it', async () => {
    const late = createIdFactory(() => scene.now()).next('evt')
    const holder = await openTransaction()
    await holder.query(
      `insert into events (id, tenant_id, topic, state, payload_bytes, created_at, fan_out, payload)
       values ($1, '00000000-0000-0000-0000-000000000000', 'late', 'fanned_out', 1, $2, '{}', '1')`,
      [uuid(late), scene.now()],
    )
    await scene.advance(10)
    const { event } = await scene.publish()
    await scene.advance(10)
    const soon = { payloadsMs: 1 }
    // The age of the transaction is real time, the ids' is the clock of the test.
    while ((await harness.sql<{ old: boolean }>(olderThan(20)))[0]?.old !== true);
    await removeAll(scene, { retention: soon })
    expect(await payload(event.id)).not.toBeNull()
    await holder.query('commit')
    expect(await removeAll(scene, { retention: soon })).toMatchObject({ payloads: 2 })
  })
})

function olderThan(ms: number): string {
  return `select bool_or(statement_timestamp() - xact_start > '${ms} ms') as old from pg_stat_activity
          where datname = current_database() and state = 'idle in transaction'`
}

describe('retention and a replay at the same moment', () => {
  /** What `replay` does to the rows, without its commit. */
  async function startReplay(deliveryId: string): Promise<pg.Client> {
    const client = await openTransaction()
    await client.query('select from deliveries where id = $1 for update', [uuid(deliveryId)])
    await client.query(
      `with gone as (delete from deliveries where id = $1 returning *)
       insert into live_deliveries
         (id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, due_at, attempt_count,
          claim_version, lost_claims, created_at, updated_at)
       select id, tenant_id, event_id, subscription_id, endpoint_id, endpoint_id, 'pending', $2, 0,
          claim_version + 1, 0, created_at, updated_at from gone`,
      [uuid(deliveryId), scene.now()],
    )
    return client
  }

  it('the payload stays for a replay that came first', async () => {
    const { eventId, deliveryId } = await aDeadLetter()
    await scene.advance(100 * dayMs)
    const replay = await startReplay(deliveryId)
    const removing = removeAll(scene)
    await somebodyWaits()
    await replay.query('commit')
    await removing
    expect(await payload(eventId)).not.toBeNull()
    expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'pending' })
  })

  it('the payload stays for a delivery that was given up again meanwhile', async () => {
    const { eventId, deliveryId } = await aDeadLetter()
    await scene.advance(100 * dayMs)
    const replay = await startReplay(deliveryId)
    await replay.query(
      `with gone as (delete from live_deliveries where id = $1 returning *)
       insert into deliveries
         (id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, attempt_count, claim_version,
          created_at, updated_at)
       select id, tenant_id, event_id, subscription_id, endpoint_id, target_id, 'dead_lettered', 1, claim_version,
          created_at, $2 from gone`,
      [uuid(deliveryId), scene.now()],
    )
    const removing = removeAll(scene)
    await somebodyWaits()
    await replay.query('commit')
    await removing
    expect(await payload(eventId)).not.toBeNull()
    expect(await scene.store.replay(defaultTenantId, deliveryId)).toMatchObject({ kind: 'replayed' })
  })

  it('a replay that comes second finds the payload expired', async () => {
    const { eventId, deliveryId } = await aDeadLetter()
    const remover = await openTransaction()
    await remover.query('select from deliveries where id = $1 for update', [uuid(deliveryId)])
    await remover.query('update events set payload = null where id = $1', [uuid(eventId)])
    const replaying = scene.store.replay(defaultTenantId, deliveryId)
    await somebodyWaits()
    await remover.query('commit')
    expect(await replaying).toEqual({ kind: 'expired', expungedAt: null })
  })
})

describe('retention beside the traffic', () => {
  it('loses nothing that is needed, waits for nobody and holds nobody up, with an old snapshot open', async () => {
    const routes = [await scene.anEndpoint(), await scene.anEndpoint()]
    const reader = await openTransaction()
    await reader.query('set transaction isolation level repeatable read')
    await reader.query('select count(*) from events')
    const removed = { payloads: 0, attempts: 0, deliveries: 0, events: 0 }
    let isOver = false
    const remove = async (node: Store): Promise<void> => {
      while (!isOver) {
        const slice = await node.removeExpired({ retention, limit: 100 })
        for (const name of ['payloads', 'attempts', 'deliveries', 'events'] as const)
          removed[name] += slice.removed[name]
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const removing = Promise.all([remove(scene.store), remove(other)])
    for (let round = 0; round < 40 || Math.min(...Object.values(removed)) <= 100; round++) {
      await Promise.all([
        scene.publishMany(20, { routes }),
        deliver(other, round),
        replaySome(scene.store),
        scene.advance(5 * dayMs),
      ])
    }
    isOver = true
    await removing
    await expectWhatIsNeeded()
    await expectCountsAsListed(scene)
  }, 240_000)

  async function deliver(node: Store, round: number): Promise<void> {
    const { deliveries } = await node.claim({ limit: 50, maxBytes: 1e7, leaseMs, slots: new Map() })
    const outcomes = deliveries.map((claimed, at) =>
      anOutcome(claimed, {
        ...((at + round) % 5 === 0 && { next: deadLetter }),
        startedAt: scene.now(),
        observation: null,
      }),
    )
    await node.recordOutcomes(outcomes, breaker)
  }

  async function replaySome(node: Store): Promise<void> {
    const { items } = await node.listDeadLetters(defaultTenantId, {}, { limit: 200, cursor: null })
    for (const dead of items.slice(-3)) await node.replay(defaultTenantId, dead.deliveryId)
  }

  async function expectWhatIsNeeded(): Promise<void> {
    const bare = await harness.sql<{ id: string }>(
      `select d.id from live_deliveries d where not exists (select from events e where e.id = d.event_id and e.payload is not null)
       union all
       select d.id from deliveries d where d.state = 'dead_lettered' and d.updated_at > $1
         and not exists (select from events e where e.id = d.event_id and e.payload is not null)
       union all
       select d.id from deliveries d where not exists (select from events e where e.id = d.event_id)`,
      [scene.now() - retention.deadLettersMs],
    )
    expect(bare).toEqual([])
    const page = { limit: 200, cursor: null }
    const { items } = await scene.store.listDeliveries(defaultTenantId, {}, page)
    expect(items.filter((delivery: Delivery) => delivery.lastError?.includes('payload is gone'))).toEqual([])
  }
})

describe('the cost of a slice', () => {
  it('follows its limit, not how many rows are old enough, without statistics too', async () => {
    // The server counts by table: this schema is nobody else's.
    const alone = await openPostgresHarness(server, { fresh: true })
    onTestFinished(() => alone.close())
    for (const table of ['events', 'deliveries', 'attempts'])
      await alone.sql(`alter table ${table} set (autovacuum_enabled = false)`)
    await alone.sql(
      `with i as (select (lpad(to_hex($1::bigint + n), 12, '0') || '70008000000000000000')::uuid as id, $1 + n as at
                  from generate_series(1, 20000) n),
       e as (insert into events (id, tenant_id, topic, state, payload_bytes, created_at, fan_out, payload)
             select id, '00000000-0000-0000-0000-000000000000', 't', 'fanned_out', 1, at, array[id, id, id], '1' from i),
       a as (insert into attempts (delivery_id, claim_version, attempt_no, status, latency_ms, started_at)
             select id, 1, 1, 'success', 1, at from i)
       insert into deliveries (id, tenant_id, event_id, endpoint_id, target_id, state, attempt_count, claim_version,
                               created_at, updated_at)
       select id, '00000000-0000-0000-0000-000000000000', id, null, id, 'succeeded', 1, 1, at, at from i`,
      [alone.now()],
    )
    await alone.advance(91 * dayMs)
    for (let events = 0; events < 2000; ) {
      events += (await alone.store.removeExpired({ retention, limit: 200 })).removed.events
    }
    const read = `select sum(idx_tup_fetch)::integer as read, sum(n_tup_del)::integer as removed
      from pg_stat_user_tables where schemaname = $1
        and relname in ('events', 'deliveries', 'attempts')`
    let stats = { read: 0, removed: 0 }
    // What the server counts comes a moment after the transaction.
    while (stats.removed < 6000) {
      stats = (await alone.sql<typeof stats>(read, [alone.schema]))[0] ?? stats
    }
    expect(stats.read).toBeLessThan(stats.removed * 4)
  })
})
