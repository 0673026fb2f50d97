/**
 * Leases on PostgreSQL, which stand in `handoffs`: what becomes of them when the process that holds them is killed at each
 * moment of a delivery, or only stood still. A process that is gone is a store that nobody asks any more; what the others
 * find is the database alone.
 */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { idToBytes } from '../../src/core/ids.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import type { NewEvent, Store } from '../../src/store/port.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import {
  anOutcome,
  breaker,
  deadLetter,
  leaseMs,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
let harness: PostgresHarness
let scene: Scene
/** The process that publishes, claims and is killed or stands still. */
let first: Store
let second: Store
let route: Route
beforeAll(async () => {
  server = await newest.start()
}, 60_000)
afterAll(() => server?.stop(), 60_000)
beforeEach(async () => {
  harness = await openPostgresHarness(server)
  scene = await openScene(async () => harness)
  first = scene.store
  second = await harness.openNode()
  route = await scene.anEndpoint()
})
afterEach(() => harness.close())

const uuid = (id: string) => Buffer.from(idToBytes(id)).toString('hex')
const idOf = (event: NewEvent) => event.deliveries[0]?.id ?? ''
const lease = (id: string, claimVersion = 1) => ({ id, claimVersion, attemptCount: 0 })
const success = (id: string, claimVersion = 1) => anOutcome(lease(id, claimVersion))

/** Handed off by one commit. */
async function handOff(count: number): Promise<readonly string[]> {
  const events: NewEvent[] = []
  for (let made = 0; made < count; made++)
    events.push(await scene.anEvent({ routes: [route], handOff: true }))
  await first.publish(events, { leaseMs })
  return events.map(idOf)
}

const batches = async () =>
  (await harness.sql<{ count: number }>('select count(*)::integer as count from handoffs'))[0]?.count
const rowsOf = async (table: string, ids: readonly string[]) =>
  (await harness.sql(`select from ${table} where id = any ($1::uuid[])`, [ids.map(uuid)])).length
const stateOf = async (id: string) => (await second.getDelivery(defaultTenantId, id))?.state
const claimAll = async (store: Store) =>
  (await store.claim({ limit: 100, maxBytes: 1e7, leaseMs, slots: new Map() })).deliveries
const countsOf = async () => (await second.counts()).deliveries

async function openTransaction(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query(`set search_path to ${harness.schema}`)
  await client.query('begin')
  return client
}

describe('what is handed off', () => {
  it('has no row of its own until its first attempt has ended, and is seen in flight all the same', async () => {
    const ids = await handOff(3)
    expect([await rowsOf('live_deliveries', ids), await rowsOf('deliveries', ids), await batches()]).toEqual([
      0, 0, 1,
    ])
    expect(await stateOf(ids[0] ?? '')).toBe('in_flight')
    const page = { limit: 10, cursor: null }
    const listed = async (filter: object) =>
      (await second.listDeliveries(defaultTenantId, filter, page)).items.map(({ id }) => id)
    expect(await listed({})).toEqual(ids.toReversed())
    expect(await listed({ state: 'in_flight', endpointId: route.endpointId })).toEqual(ids.toReversed())
    expect(await listed({ state: 'succeeded' })).toEqual([])
    expect((await countsOf()).in_flight).toBe(3)

    await first.recordOutcomes(
      [success(ids[0] ?? ''), anOutcome(lease(ids[1] ?? ''), { next: retryIn(1000) })],
      breaker,
    )
    expect(await listed({})).toEqual(ids.toReversed())
    expect(await Promise.all(ids.map(stateOf))).toEqual(['succeeded', 'retry_scheduled', 'in_flight'])
    expect(await countsOf()).toMatchObject({ succeeded: 1, retry_scheduled: 1, in_flight: 1 })
  })

  it('leaves its row of handoffs when the last of it has ended', async () => {
    const [a = '', b = ''] = await handOff(2)
    await first.recordOutcomes([success(a)], breaker)
    expect(await batches()).toBe(1)
    await first.recordOutcomes([success(b)], breaker)
    const [c = ''] = await handOff(1)
    await first.recordOutcomes([success(c)], breaker)
    // The row of the commit before goes with the next outcomes; what is left goes when its time is over.
    expect(await batches()).toBe(1)
    await scene.advance(leaseMs)
    await second.reconcileReady({ limit: 10 })
    expect(await batches()).toBe(0)
    expect(await countsOf()).toMatchObject({ succeeded: 3, in_flight: 0, pending: 0 })
  })
})

describe('a process that is killed', () => {
  it('between the commit and the first attempt loses nothing: each is due again, with one lost claim', async () => {
    const ids = await handOff(4)
    await scene.advance(leaseMs)
    expect((await second.reconcileReady({ limit: 10 })).armed).toBeGreaterThan(0)
    const claimed = await claimAll(second)
    expect(claimed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    expect(claimed).toMatchObject(ids.map(() => ({ claimVersion: 2, lostClaims: 1, attemptCount: 0 })))
    await second.recordOutcomes(
      claimed.map((each) => anOutcome(each)),
      breaker,
    )
    expect(await countsOf()).toMatchObject({ succeeded: 4, in_flight: 0, pending: 0 })
  })

  it('between the attempt and its record has it made once more, and no third time', async () => {
    const [id = ''] = await handOff(1)
    await scene.advance(leaseMs)
    await second.reconcileReady({ limit: 10 })
    const [again] = await claimAll(second)
    expect(again).toMatchObject({ id, claimVersion: 2 })
    await second.recordOutcomes([success(id, 2)], breaker)
    await scene.advance(leaseMs)
    await second.reconcileReady({ limit: 10 })
    expect(await claimAll(second)).toEqual([])
    expect(await countsOf()).toMatchObject({ succeeded: 1, in_flight: 0 })
  })

  it('between the record and the end of its row leaves what has an outcome alone', async () => {
    const [done = '', retried = '', dead = '', lost = ''] = await handOff(4)
    await first.recordOutcomes(
      [
        success(done),
        anOutcome(lease(retried), { next: retryIn(3_600_000) }),
        anOutcome(lease(dead), { next: deadLetter }),
      ],
      breaker,
    )
    expect(await batches()).toBe(1)
    await scene.advance(leaseMs)
    await second.reconcileReady({ limit: 10 })
    expect((await claimAll(second)).map(({ id }) => id)).toEqual([lost])
    expect(await Promise.all([done, retried, dead].map(stateOf))).toEqual([
      'succeeded',
      'retry_scheduled',
      'dead_lettered',
    ])
  })

  it('while it recovers leaves all or nothing of it, and the next one does the rest', async () => {
    const ids = await handOff(3)
    await scene.advance(leaseMs)
    const recovering = await openTransaction()
    await recovering.query('select from handoffs where until <= $1 for update', [scene.now()])
    await recovering.query('delete from handoffs')
    // Somebody else is at it: it is left to them.
    expect(await second.reconcileReady({ limit: 10 })).toEqual({ armed: 0 })
    await recovering.query('rollback')
    await second.reconcileReady({ limit: 10 })
    expect((await claimAll(second)).map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
  })

  it('twice in a row counts two lost claims, and still loses nothing', async () => {
    const [id = ''] = await handOff(1)
    await scene.advance(leaseMs)
    await second.reconcileReady({ limit: 10 })
    expect(await claimAll(second)).toMatchObject([{ id, claimVersion: 2, lostClaims: 1 }])
    await scene.advance(leaseMs)
    const third = await harness.openNode()
    await third.reconcileReady({ limit: 10 })
    expect(await claimAll(third)).toMatchObject([{ id, claimVersion: 3, lostClaims: 2 }])
    await third.recordOutcomes([success(id, 3)], breaker)
    expect(await countsOf()).toMatchObject({ succeeded: 1, in_flight: 0, pending: 0 })
  })
})

describe('several nodes', () => {
  it('that recover the same leases at once make each due once', async () => {
    const ids = await handOff(20)
    const events = await scene.publishMany(20, { routes: [route] })
    await claimAll(first)
    await scene.advance(leaseMs)
    const nodes = [first, second, await harness.openNode(), await harness.openNode()]
    await Promise.all(nodes.map((node) => node.reconcileReady({ limit: 10 })))
    expect(await batches()).toBe(0)
    const claimed = (await Promise.all(nodes.map(claimAll))).flat()
    expect(claimed.map(({ id }) => id).toSorted()).toEqual([...ids, ...events.map(idOf)].toSorted())
    expect(claimed.every(({ lostClaims }) => lostClaims === 1)).toBe(true)
    expect(await countsOf()).toMatchObject({ in_flight: 40, pending: 0 })
  })

  it.each([
    ['before it is claimed again', false],
    ['while another one attempts it', true],
  ])('drop the outcomes of one that was only frozen, %s', async (_, isClaimed) => {
    const [success1 = '', retry1 = ''] = await handOff(2)
    await scene.advance(leaseMs)
    await second.reconcileReady({ limit: 10 })
    const claimed = isClaimed ? await claimAll(second) : []
    const late = await first.recordOutcomes(
      [success(success1), anOutcome(lease(retry1), { next: retryIn(1000) })],
      breaker,
    )
    expect(late).toMatchObject({ recorded: [false, false], held: [] })
    expect(await first.release([{ deliveryId: success1, claimVersion: 1, delayMs: 0 }])).toEqual([])
    const taken = isClaimed ? claimed : await claimAll(second)
    expect(taken).toHaveLength(2)
    await second.recordOutcomes(
      taken.map((each) => anOutcome(each)),
      breaker,
    )
    expect(await Promise.all([success1, retry1].map(stateOf))).toEqual(['succeeded', 'succeeded'])
    expect([
      await rowsOf('live_deliveries', [success1, retry1]),
      await rowsOf('deliveries', [success1, retry1]),
    ]).toEqual([0, 2])
    expect(await countsOf()).toMatchObject({ succeeded: 2, in_flight: 0, pending: 0, retry_scheduled: 0 })
  })

  it('leave a lease to the outcome that is being recorded at this moment', async () => {
    const [id = ''] = await handOff(1)
    await scene.advance(leaseMs)
    const recording = await openTransaction()
    await recording.query('select from handoffs for key share')
    expect(await second.reconcileReady({ limit: 10 })).toEqual({ armed: 0 })
    await recording.query('commit')
    // Nobody has taken it over, so it still counts.
    expect((await first.recordOutcomes([success(id)], breaker)).recorded).toEqual([true])
    await second.reconcileReady({ limit: 10 })
    expect(await claimAll(second)).toEqual([])
  })
})

describe('an outcome whose answer was lost', () => {
  it('is written once, however often it is sent', async () => {
    const [done = '', retried = ''] = await handOff(2)
    const outcomes = [success(done), anOutcome(lease(retried), { next: retryIn(1000) })]
    // Another process stands for this one, which does not know that its commit came through.
    expect((await second.recordOutcomes(outcomes, breaker)).recorded).toEqual([true, true])
    expect((await first.recordOutcomes(outcomes, breaker)).recorded).toEqual([false, false])
    expect(await countsOf()).toMatchObject({ succeeded: 1, retry_scheduled: 1, in_flight: 0 })
    expect(await second.listAttempts([done, retried], { withCapture: false })).toHaveLength(2)
  })

  it('resurrects nothing that another node has finished meanwhile', async () => {
    const [id = ''] = await handOff(1)
    const retry = anOutcome(lease(id), { next: retryIn(1000), observation: null })
    await second.recordOutcomes([retry], breaker)
    await scene.advance(1000)
    expect(await claimAll(second)).toMatchObject([{ id, claimVersion: 2 }])
    await second.recordOutcomes([success(id, 2)], breaker)
    expect((await first.recordOutcomes([retry], breaker)).recorded).toEqual([false])
    expect(await stateOf(id)).toBe('succeeded')
    expect(await rowsOf('live_deliveries', [id])).toBe(0)
  })
})
