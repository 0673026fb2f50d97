import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { idToBytes } from '../../src/core/ids.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import type { Store } from '../../src/store/port.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { anOutcome, breaker, leaseMs, openScene, type Scene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'
import { foldStats, readFigures } from './read-figures.ts'

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

const aKey = (key: string, byte = 1) => ({
  scope: '',
  key,
  hash: new Uint8Array(32).fill(byte),
  ttlMs: 86_400_000,
})
const request = { maxBytes: 10_000_000, leaseMs, slots: new Map<string, number>() }

/** A connection of somebody else's, whose transaction is open. */
async function openTransaction(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query(`set search_path to ${harness.schema}`)
  await client.query('begin')
  return client
}

/** Resolves once some statement of the store waits for a lock. */
async function somebodyWaits(): Promise<void> {
  const waiting = `select 1 from pg_stat_activity where application_name like 'outhook %' and wait_event_type = 'Lock'`
  while ((await harness.sql(waiting)).length === 0);
}

describe('processes that say that they are there', () => {
  const report = { host: 'vm', pid: 7, role: 'all', version: '1.2.3', inFlight: 1 } as const
  const [first, second] = ['1', '2'].map((digit) => digit.repeat(32)) as [string, string]

  it('are known to all with what they said last, until they leave or have been silent for a minute', async () => {
    const [one, two] = [scene.store.cluster?.nodes, other.cluster?.nodes]
    if (one === undefined || two === undefined) throw new Error('nodes are told of on PostgreSQL')
    const [begun, startedAt] = [scene.now(), scene.now() - 1000]
    await one.report({ ...report, id: first, startedAt: begun })
    await two.report({ ...report, id: second, startedAt, pid: 8, role: 'api' })
    await harness.advance(50_000)
    await one.report({ ...report, id: first, startedAt: begun, inFlight: 9 })
    expect(await two.list()).toEqual([
      { ...report, id: second, startedAt, pid: 8, role: 'api', seenAt: begun },
      { ...report, id: first, startedAt: begun, inFlight: 9, seenAt: begun + 50_000 },
    ])
    await harness.advance(10_001)
    expect((await two.list()).map(({ id }) => id)).toEqual([first])
    await one.report({ ...report, id: first, startedAt: begun })
    expect(await harness.sql('select from node_reports')).toHaveLength(1)
    await one.leave(first)
    expect(await two.list()).toEqual([])
  })
})

describe('figures over time', () => {
  it('have each outcome once when two nodes record and fold at the same time', async () => {
    const routes = [await scene.anEndpoint(), await scene.anEndpoint()]
    await scene.publishMany(60, { routes })
    let recorded = 0
    const deliver = async (node: Store): Promise<void> => {
      for (;;) {
        const { deliveries } = await node.claim({ ...request, limit: 10 })
        if (deliveries.length === 0) return
        await node.recordOutcomes(
          deliveries.map((each) => anOutcome(each)),
          breaker,
        )
        recorded += deliveries.length
        // Whoever comes second finds the lock taken, and has nothing to do.
        await Promise.all([foldStats(node, 3), foldStats(node === other ? scene.store : other, 3)])
        expect((await readFigures(node)).events).toBe(60)
      }
    }
    await Promise.all([deliver(scene.store), deliver(other)])
    expect(recorded).toBe(120)
    await foldStats(scene.store)
    for (const span of [1, 60] as const) {
      const { events, deliveries } = await readFigures(other, { span })
      expect([events, deliveries.succeeded]).toEqual([60, 120])
    }
    expect(await harness.sql('select from stats_deltas')).toEqual([])
  })

  it('stay as they were when a fold is ended half way, and the next one finds all of it', async () => {
    const route = await scene.anEndpoint()
    await scene.publishMany(5, { routes: [route] })
    const blocker = await openTransaction()
    await blocker.query('lock table stats in exclusive mode')
    const refused = expect(scene.store.foldStats({ limit: 100 })).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    const waiting = `select pid from pg_stat_activity where application_name like 'outhook %' and wait_event_type = 'Lock'`
    while ((await harness.sql(waiting)).length === 0);
    await harness.sql(`select pg_terminate_backend(pid) from (${waiting}) w`)
    await refused
    await blocker.query('rollback')
    await blocker.end()
    expect((await readFigures(other)).events).toBe(5)
    await foldStats(other)
    expect((await readFigures(other)).events).toBe(5)
  })
})

describe('the slices of an event for many', () => {
  it('are each made by one node, however many are at it', async () => {
    const route = await scene.anEndpoint()
    const { event } = await scene.publish({ receivers: Array.from({ length: 1500 }, () => route) })
    let made = 0
    const drain = async (node: Store): Promise<void> => {
      for (let more = true; more; ) {
        const ids = Array.from({ length: node.pace.fanOutSlice }, () => scene.ids.next('dlv'))
        const slice = await node.fanOutSlice(ids)
        made += slice.made
        more = slice.more
      }
    }
    await Promise.all([drain(scene.store), drain(other), drain(await harness.openNode())])
    expect(made).toBe(1500)
    const [rows] = await harness.sql(
      `select count(*)::integer as all, count(distinct id)::integer as ids from live_deliveries`,
    )
    expect(rows).toEqual({ all: 1500, ids: 1500 })
    expect(await scene.store.getEvent(defaultTenantId, event.id)).toMatchObject({ state: 'fanned_out' })
    expect(await harness.sql('select * from fan_outs')).toEqual([])
  })

  it('are small while their node publishes', async () => {
    const route = await scene.anEndpoint()
    expect([scene.store.pace.fanOutSlice, other.pace.fanOutSlice]).toEqual([100, 100])
    const published = scene.publish({ routes: [route] })
    // For a moment only: it is looked at meanwhile, not after.
    await expect.poll(() => scene.store.pace.fanOutSlice, { interval: 1 }).toBe(10)
    expect(other.pace.fanOutSlice).toBe(100)
    await published
  })

  it('that a node was at when it died are made by another one', async () => {
    const route = await scene.anEndpoint()
    const { event } = await scene.publish({ receivers: Array.from({ length: 300 }, () => route) })
    const lock = await openTransaction()
    await lock.query('update fan_outs set made = made + 100')
    const waits = scene.fanOutSlice(100)
    await somebodyWaits()
    // As a server ends the transaction of a node that is gone.
    await lock.end()
    expect(await waits).toEqual({ made: 100, more: true })
    while ((await scene.fanOutSlice()).more);
    expect(await scene.deliveriesOf(event.id)).toHaveLength(300)
  })
})

describe('claims on several nodes', () => {
  it('give no delivery twice within one claim, however many rounds it takes', async () => {
    const big = await scene.anEndpoint()
    const small = await scene.anEndpoint()
    await scene.publishMany(300, { routes: [big] })
    await scene.publishMany(3, { routes: [small] })
    const { deliveries } = await scene.claim({ limit: 200 })
    expect(new Set(deliveries.map((delivery) => delivery.id)).size).toBe(200)
  })

  it('give every delivery to one of them, once', async () => {
    const routes = await Promise.all(Array.from({ length: 7 }, () => scene.anEndpoint()))
    const events = await scene.publishMany(60, { routes })
    const claimed: string[] = []
    const drain = async (node: Store): Promise<void> => {
      while (claimed.length < 7 * 60) {
        const { deliveries } = await node.claim({ ...request, limit: 23 })
        claimed.push(...deliveries.map((delivery) => delivery.id))
      }
    }
    await Promise.all([drain(scene.store), drain(other), drain(await harness.openNode())])
    const all = events.flatMap((event) => event.deliveries.map((delivery) => delivery.id))
    expect(claimed.toSorted()).toEqual(all.toSorted())
  })

  it('let one probe go for all of them', async () => {
    const route = await scene.anEndpoint()
    await scene.publishMany(15, { routes: [route] })
    const { deliveries } = await scene.claim({ limit: 5 })
    const startedAt = scene.now()
    const failures = deliveries.map((claimed) =>
      anOutcome(claimed, {
        next: { state: 'retry_scheduled', delayMs: 600_000 },
        observation: { contact: 'transport_failure', succeeded: false, startedAt, throttleMs: null },
      }),
    )
    await other.recordOutcomes(failures, breaker)
    await scene.advance(30_000)
    const claims = await Promise.all([scene.claim(), other.claim({ ...request, limit: 100 })])
    expect(claims.flatMap((claim) => claim.deliveries)).toHaveLength(1)
  })

  it('count failures that two of them see at once one after the other', async () => {
    const route = await scene.anEndpoint()
    await scene.publishMany(4, { routes: [route] })
    const { deliveries } = await scene.claim()
    const startedAt = scene.now()
    await Promise.all(
      deliveries.map((claimed, index) =>
        (index % 2 === 0 ? scene.store : other).recordOutcomes(
          [
            anOutcome(claimed, {
              next: { state: 'retry_scheduled', delayMs: 1000 },
              observation: { contact: 'transport_failure', succeeded: false, startedAt, throttleMs: null },
            }),
          ],
          breaker,
        ),
      ),
    )
    expect((await other.loadHealth())[0]?.[1].consecutiveFailures).toBe(4)
  })
})

describe('idempotency on several nodes', () => {
  it('gives one event per key to batches of opposite order at the same time', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `k${index}`)
    const make = (order: readonly string[]) =>
      Promise.all(order.map((key) => scene.anEvent({ idempotency: aKey(key) })))
    const batches = await Promise.all([
      make(keys),
      make(keys.toReversed()),
      make(keys),
      make(keys.toReversed()),
    ])
    const results = await Promise.all(
      batches.map((batch, index) => (index % 2 === 0 ? scene.store : other).publish(batch, { leaseMs })),
    )
    const kinds = results.flat().map((result) => result.kind)
    expect(kinds.filter((kind) => kind === 'published')).toHaveLength(40)
    expect(kinds.filter((kind) => kind === 'replayed')).toHaveLength(120)
  })

  it('leaves out a key that an open transaction holds, and writes the rest of its batch', async () => {
    const holder = await openTransaction()
    await holder.query(
      `insert into idempotency_keys values ('00000000-0000-0000-0000-000000000000', '', 'held', '', gen_random_uuid(), 9e15)`,
    )
    const batch = [
      await scene.anEvent(),
      await scene.anEvent({ idempotency: aKey('held') }),
      await scene.anEvent({ idempotency: aKey('free') }),
    ]
    const kinds = (await scene.store.publish(batch, { leaseMs })).map((result) => result.kind)
    expect(kinds).toEqual(['published', 'key_held', 'published'])

    await holder.query('rollback')
    await holder.end()
    const again = await scene.store.publish([batch[1] as (typeof batch)[0]], { leaseMs })
    expect(again[0]?.kind).toBe('published')
  })

  it('answers with the event of the transaction that held the key, once it has committed', async () => {
    const first = await scene.anEvent()
    const holder = await openTransaction()
    await holder.query(
      `insert into idempotency_keys values ('00000000-0000-0000-0000-000000000000', '', 'held', $1, $2, 9e15)`,
      [Buffer.alloc(32, 1), Buffer.from('0198d0c4a5b97c3e8f00000000000001', 'hex').toString('hex')],
    )
    const event = await scene.anEvent({ idempotency: aKey('held') })
    expect((await scene.store.publish([event], { leaseMs }))[0]?.kind).toBe('key_held')
    await holder.query('commit')
    await holder.end()
    const [result] = await scene.store.publish([event], { leaseMs })
    expect(result).toMatchObject({ kind: 'replayed' })
    expect(first.id).not.toBe(event.id)
  })
})

describe('changes that meet', () => {
  it('park no delivery behind the back of whoever enables its endpoint', async () => {
    const route = await scene.anEndpoint()
    await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
    const event = await scene.anEvent({ routes: [route], parked: 'endpoint_disabled' })
    const enabler = await openTransaction()
    await enabler.query('update endpoints set disabled_reason = null')
    const publishing = scene.store.publish([event], { leaseMs })
    await somebodyWaits()
    await enabler.query('commit')
    await enabler.end()
    await publishing
    expect(await scene.delivery(event.deliveries[0]?.id ?? '')).toMatchObject({
      reason: null,
      nextAttemptAt: scene.now(),
    })
    expect((await scene.claim()).deliveries).toHaveLength(1)
  })

  it('find a delivery whose publisher saw the ready row that a claim was about to remove', async () => {
    const route = await scene.anEndpoint()
    await scene.publish({ routes: [route] })
    const late = await scene.publish({ routes: [route] })
    await scene.claim()
    // What the publisher wrote becomes visible only after the claim looked.
    await harness.sql(
      `update live_deliveries set state = 'pending', due_at = $1, claim_version = 0 where id = $2`,
      [scene.now(), Buffer.from(idToBytes(late.deliveryId)).toString('hex')],
    )
    await scene.advance(100)
    expect((await scene.claim()).deliveries.map((delivery) => delivery.id)).toEqual([late.deliveryId])
  })

  it('raise the version for every one of two changes at once', async () => {
    const [a, b] = [await scene.anEndpoint(), await scene.anEndpoint()]
    const before = (await scene.store.loadRouting(defaultTenantId)).version
    await Promise.all([
      scene.store.updateEndpoint(defaultTenantId, a.endpointId, { description: 'a' }),
      other.updateEndpoint(defaultTenantId, b.endpointId, { description: 'b' }),
    ])
    expect((await other.loadRouting(defaultTenantId)).version).toBe(before + 2)
  })
})
