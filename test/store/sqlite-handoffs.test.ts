/** What is only in `handoffs`: leased with the commit that published it, without a row of its own. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import type { NewEvent } from '../../src/store/port.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { dayMs, removeAll } from './contract/retention.ts'
import { anOutcome, leaseMs, openScene, retryIn, type Scene } from './contract/scene.ts'
import { openFileHarness, type SqliteHarness } from './sqlite-harness.ts'

let harness: SqliteHarness
let scene: Scene
beforeEach(async () => {
  harness = await openFileHarness()
  scene = await openScene(async () => harness)
})
afterEach(() => harness.close())

const page = { limit: 10, cursor: null }
const first = (event: NewEvent) => event.deliveries[0]?.id ?? ''
const leased = (event: NewEvent) => ({ id: first(event), claimVersion: 1, attemptCount: 0 })
const list = async (filter: object, limit = 10) =>
  (await scene.store.listDeliveries(defaultTenantId, filter, { limit, cursor: null })).items.map(
    ({ id }) => id,
  )

test('is in every listing, in its order, and in the counts', async () => {
  const route = await scene.anEndpoint()
  const other = await scene.anEndpoint()
  const before = await scene.publish({ routes: [route], handOff: true })
  await scene.record(anOutcome(leased(before.event)))
  await scene.advance(1000)
  const since = scene.now()
  const held = await scene.publish({ routes: [route], handOff: true, topic: 'orders.paid', orderingKey: 'k' })
  const after = await scene.publish({ routes: [other] })

  const [id, earlier, later] = [held.deliveryId, before.deliveryId, after.deliveryId]
  expect(await list({})).toEqual([later, id, earlier])
  expect(await list({ state: 'in_flight' })).toEqual([id])
  expect(await list({ state: 'pending' })).toEqual([later])
  expect(await list({ endpointId: route.endpointId })).toEqual([id, earlier])
  expect(await list({ subscriptionId: route.subscriptionId })).toEqual([id, earlier])
  expect(await list({ eventId: held.event.id })).toEqual([id])
  expect(await list({ topic: 'orders.paid' })).toEqual([id])
  expect(await list({ since })).toEqual([later, id])
  expect(await list({ until: since })).toEqual([earlier])
  const { nextCursor, items } = await scene.store.listDeliveries(defaultTenantId, {}, { ...page, limit: 2 })
  expect(items.map((item) => item.id)).toEqual([later, id])
  const rest = await scene.store.listDeliveries(defaultTenantId, {}, { limit: 2, cursor: nextCursor })
  expect([rest.items.map((item) => item.id), rest.nextCursor]).toEqual([[earlier], ''])

  const seen = {
    id,
    state: 'in_flight',
    claimVersion: 1,
    attemptCount: 0,
    topic: 'orders.paid',
    orderingKey: 'k',
    createdAt: since,
  }
  expect(await scene.delivery(id)).toMatchObject({ ...seen, ...pick(held.event), targetId: route.endpointId })
  expect(await scene.deliveriesOf(held.event.id)).toMatchObject([seen])
  expect(await scene.store.getDelivery(scene.ids.next('ten'), id)).toBeNull()
  expect(await scene.store.listAttempts([id], { withCapture: true })).toEqual([])
  expect((await scene.store.counts()).deliveries).toMatchObject({ succeeded: 1, in_flight: 1, pending: 1 })
  expect(await scene.store.replay(defaultTenantId, id)).toMatchObject({
    kind: 'not_replayable',
    state: 'in_flight',
  })
  expect(await scene.store.replay(scene.ids.next('ten'), id)).toEqual({ kind: 'not_found' })
})

const pick = ({ id, deliveries }: NewEvent) => ({
  eventId: id,
  endpointId: deliveries[0]?.endpointId,
  subscriptionId: deliveries[0]?.subscriptionId,
})

test('gets a row of its own when it fails, is given back, or its lease runs out, with all that it was', async () => {
  const route = await scene.anEndpoint()
  const [failed, released, expired] = await scene.publishMany(3, {
    routes: [route],
    handOff: true,
    orderingKey: 'k',
  })
  if (failed === undefined || released === undefined || expired === undefined) throw new Error('three events')
  await scene.record(anOutcome(leased(failed), { next: retryIn(1000) }))
  await scene.store.release([{ deliveryId: first(released), claimVersion: 1, delayMs: 1000 }])
  await scene.advance(leaseMs)
  await scene.store.reconcileReady({ limit: 10 })
  const common = { topic: 'orders.created', orderingKey: 'k', endpointId: route.endpointId }
  expect(await scene.delivery(first(failed))).toMatchObject({
    ...common,
    state: 'retry_scheduled',
    claimVersion: 1,
  })
  expect(await scene.delivery(first(released))).toMatchObject({
    ...common,
    state: 'pending',
    claimVersion: 2,
  })
  expect(await scene.delivery(first(expired))).toMatchObject({ ...common, state: 'pending', claimVersion: 1 })
  expect(await scene.record(anOutcome(leased(expired)))).toMatchObject({ recorded: [false] })
  const { deliveries } = await scene.claim()
  expect(new Map(deliveries.map(({ id, lostClaims }) => [id, lostClaims]))).toEqual(
    new Map([
      [first(failed), 0],
      [first(released), 0],
      [first(expired), 1],
    ]),
  )
})

test('a call that is refused grants no lease, and takes none from those beside it', async () => {
  const route = await scene.anEndpoint()
  const taken = await scene.anEvent({ routes: [route], handOff: true })
  await scene.store.publish([taken], { leaseMs })
  const undone = await scene.anEvent({ routes: [route], handOff: true })
  const good = await scene.anEvent({ routes: [route], handOff: true })
  const results = await Promise.allSettled([
    scene.store.publish([undone, taken], { leaseMs }),
    scene.store.publish([good], { leaseMs }),
  ])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  expect(await list({ state: 'in_flight' })).toEqual([first(good), first(taken)])
  const outcomes = [undone, good, taken].map((event) => anOutcome(leased(event)))
  expect(await scene.record(...outcomes)).toMatchObject({ recorded: [false, true, true] })
})

test('a commit that fails leaves every lease as it was: none is granted, and none has ended', async () => {
  const route = await scene.anEndpoint()
  const held = await scene.publish({ routes: [route], handOff: true })
  const undone = await scene.anEvent({ routes: [route], handOff: true, payload: new Uint8Array(100_000) })
  const outcome = anOutcome(leased(held.event), { body: new Uint8Array(100_000) })
  await harness.store.setMaxPageCount(1)
  await expect(scene.store.publish([undone], { leaseMs })).rejects.toMatchObject({
    code: 'store_unavailable',
  })
  await expect(scene.record(outcome)).rejects.toMatchObject({ code: 'store_unavailable' })
  await harness.store.setMaxPageCount(1_000_000)
  expect(await list({ state: 'in_flight' })).toEqual([held.deliveryId])
  expect(await scene.record(outcome, anOutcome(leased(undone)))).toMatchObject({ recorded: [true, false] })
  expect(await scene.store.publish([undone], { leaseMs })).toMatchObject([{ handedOff: [true] }])
  expect(await scene.record(anOutcome(leased(undone)))).toMatchObject({ recorded: [true] })
})

test('retention leaves what a row of leases still names, so that no start brings it back', async () => {
  const route = await scene.anEndpoint()
  const events = [
    await scene.anEvent({ routes: [route], handOff: true }),
    await scene.anEvent({ routes: [route], handOff: true }),
  ]
  const [done, open] = events
  if (done === undefined || open === undefined) throw new Error('two events')
  await scene.store.publish(events, { leaseMs: 200 * dayMs })
  await scene.record(anOutcome(leased(done)))
  await scene.advance(100 * dayMs)
  await removeAll(scene)
  await scene.store.close()
  const store = await openSqliteStore({ path: harness.path, clock: harness.clock })
  try {
    expect((await store.getDelivery(defaultTenantId, first(done)))?.state).toBe('succeeded')
    expect((await store.getDelivery(defaultTenantId, first(open)))?.state).toBe('pending')
  } finally {
    await store.close()
  }
})
