/** What a store that nobody else claims from keeps waiting in its writer's memory, without a row of its own. */
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import { defaultTenantSettings } from '../../src/core/tenant.ts'
import type { NewEvent } from '../../src/store/port.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { anOutcome, leaseMs, openScene, retryIn, type Scene } from './contract/scene.ts'
import { removeTenants } from './contract/tenant-removal.ts'
import { openFileHarness, type SqliteHarness, withMemory } from './sqlite-harness.ts'

let harness: SqliteHarness
let scene: Scene
beforeEach(async () => {
  harness = withMemory(await openFileHarness({ inProcess: true }))
  scene = await openScene(async () => harness)
})
afterEach(() => harness.close())

const first = (event: NewEvent) => event.deliveries[0]?.id ?? ''
const counts = async () => (await scene.store.counts()).deliveries
const list = async (filter: object) =>
  (await scene.store.listDeliveries(defaultTenantId, filter, { limit: 10, cursor: null })).items.map(
    ({ id }) => id,
  )

const liveRows = (): number => {
  const database = new DatabaseSync(harness.path, { readOnly: true })
  try {
    return database.prepare('select count(*) as n from live_deliveries').get()?.n as number
  } finally {
    database.close()
  }
}

/** The file with another owner, as after the death of the one before. */
async function reopened(work: (scene: Scene) => Promise<void>): Promise<void> {
  await scene.store.close()
  const store = await openSqliteStore({ path: harness.path, clock: harness.clock, inProcess: true })
  try {
    await work(await openScene(async () => ({ ...harness, store, close: async () => {} })))
  } finally {
    await store.close()
  }
}

test('is pending and due in every listing, in the counts and by its id', async () => {
  const route = await scene.anEndpoint()
  const since = scene.now()
  const waiting = await scene.publish({ routes: [route], topic: 'orders.paid' })
  await scene.advance(500)

  expect(await list({ state: 'pending' })).toEqual([waiting.deliveryId])
  expect(await list({ state: 'in_flight' })).toEqual([])
  expect(await list({ endpointId: route.endpointId, topic: 'orders.paid' })).toEqual([waiting.deliveryId])
  expect(await counts()).toMatchObject({ pending: 1, in_flight: 0 })
  expect((await scene.store.counts()).oldestDueMs).toBe(500)
  expect(await scene.delivery(waiting.deliveryId)).toMatchObject({
    state: 'pending',
    claimVersion: 0,
    attemptCount: 0,
    nextAttemptAt: since,
  })
  expect(await scene.store.replay(defaultTenantId, waiting.deliveryId)).toMatchObject({
    kind: 'not_replayable',
    state: 'pending',
  })

  const { deliveries } = await scene.claim()
  expect(deliveries).toMatchObject([
    {
      id: waiting.deliveryId,
      eventId: waiting.event.id,
      claimVersion: 1,
      lostClaims: 0,
      topic: 'orders.paid',
    },
  ])
  expect(deliveries[0]?.payload).toEqual(waiting.event.payload)
  expect(await list({ state: 'in_flight' })).toEqual([waiting.deliveryId])
  expect(await counts()).toMatchObject({ pending: 0, in_flight: 1 })
  expect((await scene.store.counts()).oldestDueMs).toBeNull()
  await scene.record(anOutcome({ id: waiting.deliveryId, claimVersion: 1, attemptCount: 0 }))
  expect(await counts()).toMatchObject({ pending: 0, in_flight: 0, succeeded: 1 })
})

test('has no row of its own until it has an outcome', async () => {
  const route = await scene.anEndpoint()
  const [event] = await scene.publishMany(1, { routes: [route] })
  const live = liveRows
  expect(live()).toBe(0)
  await scene.claim()
  expect(live()).toBe(0)
  expect(event).toBeDefined()
})

test('killed before its first claim it is due with no lost claim, and after it with one', async () => {
  const [early, late] = [await scene.anEndpoint(), await scene.anEndpoint()]
  const claimed = await scene.publish({ routes: [early] })
  await scene.claim()
  const waiting = await scene.publish({ routes: [late] })
  await reopened(async (next) => {
    expect((await next.store.counts()).deliveries).toMatchObject({ pending: 2, in_flight: 0 })
    const { deliveries } = await next.claim()
    expect(new Map(deliveries.map(({ id, lostClaims }) => [id, lostClaims]))).toEqual(
      new Map([
        [claimed.deliveryId, 1],
        [waiting.deliveryId, 0],
      ]),
    )
  })
})

test('is claimed in order with what waits in the table: a retry that is due for longer goes first', async () => {
  const route = await scene.anEndpoint()
  const before = await scene.publish({ routes: [route], handOff: true })
  await scene.record(
    anOutcome({ id: before.deliveryId, claimVersion: 1, attemptCount: 0 }, { next: retryIn(1000) }),
  )
  const oldest = await scene.publish({ routes: [route] })
  await scene.advance(2000)
  const newest = await scene.publish({ routes: [route] })
  const claimed = []
  for (let claims = 0; claims < 3; claims++) {
    const { deliveries } = await scene.claim({ limit: 1 })
    claimed.push(...deliveries.map(({ id }) => id))
  }
  expect(claimed).toEqual([oldest.deliveryId, before.deliveryId, newest.deliveryId])
})

test('beyond its bound for a target waits in the table, and nothing is left behind', async () => {
  const route = await scene.anEndpoint({ maxInFlight: 5000 })
  const events = await scene.publishMany(1500, { routes: [route] })
  expect(liveRows()).toBe(1500 - 1024)
  const claimed: string[] = []
  for (;;) {
    const { deliveries } = await scene.claim({ limit: 400 })
    if (deliveries.length === 0) break
    claimed.push(...deliveries.map(({ id }) => id))
  }
  expect(claimed).toEqual(events.map(first))
})

test('a claim whose commit fails leaves all of it waiting', async () => {
  const route = await scene.anEndpoint()
  const events = await scene.publishMany(3, { routes: [route] })
  // So many that they do not pass the claim, but share its commit.
  const undone = await Promise.all(
    Array.from({ length: 40 }, () => scene.anEvent({ routes: [route], payload: new Uint8Array(10_000) })),
  )
  await harness.store.setMaxPageCount(1)
  const results = await Promise.allSettled([scene.claim(), scene.store.publish(undone, { leaseMs })])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await harness.store.setMaxPageCount(1_000_000)
  expect(await counts()).toMatchObject({ pending: 3, in_flight: 0 })
  const { deliveries } = await scene.claim()
  expect(deliveries.map(({ id, claimVersion }) => [id, claimVersion]).sort()).toEqual(
    events.map((event) => [first(event), 1]).sort(),
  )
})

test('holds up no removal of another tenant, though nobody claims: it goes on waiting in the table', async () => {
  const [gone, left] = [scene.ids.next('ten'), await scene.anEndpoint()]
  await scene.store.insertTenant({
    id: gone,
    uid: null,
    name: '',
    metadata: null,
    settings: defaultTenantSettings,
  })
  const before = await scene.publish({ routes: [left] })
  expect(liveRows()).toBe(0)
  await scene.store.deleteTenant(gone)
  expect(await removeTenants(scene)).toBeLessThan(5)
  expect(await list({ state: 'pending' })).toEqual([before.deliveryId])
  expect(liveRows()).toBe(1)
  expect((await scene.claim()).deliveries.map(({ id }) => id)).toEqual([before.deliveryId])
})
