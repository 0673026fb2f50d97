import { afterEach, beforeEach, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import { percentileOf } from '../../../src/core/stats/buckets.ts'
import { spans, statsKeptMs } from '../../../src/core/stats/fold.ts'
import { figuresOf, unpackTally } from '../../../src/core/stats/tally.ts'
import type { StatsRequest } from '../../../src/store/port.ts'
import { foldStats, readFigures } from '../read-figures.ts'
import { anOutcome, deadLetter, leaseMs, type OpenHarness, openScene, retryIn, type Scene } from './scene.ts'

const minuteMs = 60_000

export function describeStats(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  const minute = () => Math.floor(scene.now() / minuteMs)

  const read = (request: Partial<StatsRequest> = {}) => {
    const whole = { tenantId: null, endpointIds: null, span: spans.minute, from: 0, to: minute() + 60 }
    return scene.store.readStats({ ...whole, ...request })
  }
  const figures = (request?: Partial<StatsRequest>) => readFigures(scene.store, request)
  const foldAll = (limit?: number) => foldStats(scene.store, limit)

  /** One of three is delivered, one is to be tried again and one is given up, of each of the two endpoints. */
  async function deliverSome() {
    const [a, b] = [await scene.anEndpoint(), await scene.anEndpoint()]
    for (const route of [a, b]) await scene.publishMany(3, { routes: [route] })
    const { deliveries } = await scene.claim()
    const startedAt = scene.now() + 40
    for (const route of [a, b]) {
      const own = deliveries.filter(({ endpointId }) => endpointId === route.endpointId)
      const [first, second, third] = own
      if (first === undefined || second === undefined || third === undefined)
        throw new Error('three were due')
      await scene.record(
        anOutcome(first, { startedAt }),
        anOutcome(second, { startedAt, next: retryIn(1000) }),
        anOutcome(third, { startedAt, next: deadLetter }),
      )
    }
    return { a, b }
  }

  it('have what was published and every outcome at once, folded or not: of the server, the tenant and the endpoint', async () => {
    const { a, b } = await deliverSome()
    const check = async (span: StatsRequest['span']) => {
      const all = await figures({ span })
      expect(all.events).toBe(6)
      expect(all.deliveries).toEqual({
        succeeded: 2,
        retry_scheduled: 2,
        dead_lettered: 2,
        cancelled: 0,
        skipped: 0,
      })
      expect(all.attempts).toMatchObject({ success: 2, http_5xx: 4, timeout: 0 })
      expect(all.deadLetters).toMatchObject({ http_5xx: 2, internal: 0 })
      expect(await figures({ span, tenantId: defaultTenantId })).toEqual(all)
      const one = await figures({ span, tenantId: defaultTenantId, endpointIds: [a.endpointId] })
      expect(one.events).toBe(0)
      expect(one.deliveries).toMatchObject({ succeeded: 1, retry_scheduled: 1, dead_lettered: 1 })
      const both = await read({ span, tenantId: defaultTenantId, endpointIds: [a.endpointId, b.endpointId] })
      expect(both.map(({ endpointId }) => endpointId).sort()).toEqual([a.endpointId, b.endpointId].sort())
      expect(await read({ span, tenantId: scene.ids.next('ten') })).toEqual([])
    }
    for (const span of [spans.minute, spans.hour]) await check(span)
    // Slices end in the middle of a minute.
    await foldAll(1)
    for (const span of [spans.minute, spans.hour]) await check(span)
    // Folding what is folded changes nothing.
    await foldAll()
    for (const span of [spans.minute, spans.hour]) await check(span)
  })

  it('keep the durations within the bucket that they were in', async () => {
    await deliverSome()
    await foldAll()
    const { latency, publishToDelivered } = await figures()
    // 12.5 ms, between 10 and 15; from publish to delivered it were 40 more.
    for (const fraction of [0.5, 0.99]) {
      expect(percentileOf(latency, fraction)).toBeGreaterThan(10)
      expect(percentileOf(latency, fraction)).toBeLessThanOrEqual(15)
      expect(percentileOf(publishToDelivered, fraction)).toBeGreaterThan(50)
      expect(percentileOf(publishToDelivered, fraction)).toBeLessThanOrEqual(70)
    }
    expect(Array.from(publishToDelivered.values())).toEqual([2])
  })

  it('have a row for each minute, whose sums are those of the hours', async () => {
    const route = await scene.anEndpoint()
    const perMinute = [1, 3, 2]
    for (const count of perMinute) {
      await scene.publishMany(count, { routes: [route] })
      const { deliveries } = await scene.claim()
      await scene.record(...deliveries.map((each) => anOutcome(each)))
      await scene.advance(minuteMs)
      // A fold in between, and one less for what is left.
      if (count !== 2) await foldAll()
    }
    const rows = [...(await read())].sort((one, other) => one.start - other.start)
    const counts = rows.map(({ tally }) => figuresOf(unpackTally(tally)).deliveries.succeeded)
    expect(counts).toEqual(perMinute)
    expect(rows.map(({ start }) => start - (rows[0]?.start ?? 0))).toEqual([0, 1, 2])
    expect((await figures({ span: spans.hour })).deliveries.succeeded).toBe(6)
    const from = (rows[1]?.start ?? 0) as number
    expect((await figures({ from, to: from + 1 })).deliveries.succeeded).toBe(3)
  })

  it('count no outcome that is stale, and nothing that a refused call undid', async () => {
    const route = await scene.anEndpoint()
    const event = await scene.anEvent({ routes: [route] })
    await scene.store.publish([event], { leaseMs })
    const again = await scene.anEvent({ routes: [route] })
    await Promise.allSettled([scene.store.publish([again, event], { leaseMs })])
    const claimed = await scene.claimOne()
    await scene.record(anOutcome(claimed))
    await scene.record(anOutcome(claimed))
    const { events, deliveries } = await figures()
    expect(events).toBe(1)
    expect(deliveries.succeeded).toBe(1)
  })

  it('count a key that is sent twice once', async () => {
    const route = await scene.anEndpoint()
    const idempotency = { scope: 'tests', key: 'one', hash: new Uint8Array(32), ttlMs: 60_000 }
    for (let sent = 0; sent < 2; sent++) await scene.publish({ routes: [route], idempotency })
    expect((await figures()).events).toBe(1)
  })

  it('have what was cancelled, and of deleted endpoints what they did', async () => {
    const route = await scene.anEndpoint()
    const { deliveryId } = await scene.publish({ routes: [route] })
    await scene.store.cancelDelivery(defaultTenantId, deliveryId, 'by hand')
    await scene.publishMany(2, { routes: [route] })
    await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)
    while ((await scene.store.applyConfigChanges({ limit: 100 })).more);
    await foldAll()
    const request = { tenantId: defaultTenantId, endpointIds: [route.endpointId] }
    expect((await figures(request)).deliveries.cancelled).toBe(3)
  })

  it('measure an event for later from its own time, and one that is sent again not at all', async () => {
    const route = await scene.anEndpoint()
    await scene.publish({ routes: [route], deliverInMs: 3_600_000 })
    await scene.advance(3_600_000)
    const claimed = await scene.claimOne()
    await scene.record(anOutcome(claimed, { startedAt: scene.now() + 40 }))
    expect(percentileOf((await figures()).publishToDelivered, 1)).toBeLessThanOrEqual(70)
    await scene.store.resend(defaultTenantId, claimed.id)
    await scene.record(anOutcome(await scene.claimOne(), { startedAt: scene.now() }))
    const { deliveries, publishToDelivered } = await figures()
    expect(deliveries.succeeded).toBe(2)
    expect(Array.from(publishToDelivered.values())).toEqual([1])
  })

  it('say when retries are due, of all tenants and of one, and nothing of those that are parked', async () => {
    const [route, parked] = [await scene.anEndpoint(), await scene.anEndpoint()]
    await scene.publishMany(4, { routes: [route] })
    await scene.publish({ routes: [parked] })
    const { deliveries } = await scene.claim()
    const delays = [30_000, 30_000, 300_000, 90_000_000]
    const own = deliveries.filter(({ endpointId }) => endpointId === route.endpointId)
    await scene.record(...own.map((each, nth) => anOutcome(each, { next: retryIn(delays[nth] ?? 0) })))
    const others = deliveries.filter(({ endpointId }) => endpointId === parked.endpointId)
    await scene.record(
      ...others.map((each) => anOutcome(each, { next: retryIn(1000), disableEndpoint: 'gone' })),
    )
    while ((await scene.store.applyConfigChanges({ limit: 100 })).more);
    for (const tenantId of [null, defaultTenantId]) {
      const { retries, isEstimate, deliveries } = await scene.store.readBacklog(tenantId)
      expect(deliveries.retry_scheduled).toBe(5)
      expect(retries).toEqual([0, 2, 1, 0, 0, 0, 1])
      expect(isEstimate).toBe(false)
    }
    const { retries } = await scene.store.readBacklog(scene.ids.next('ten'))
    expect(retries).toEqual([0, 0, 0, 0, 0, 0, 0])
  })

  it('go when they are old: minutes first, and hours later', async () => {
    await deliverSome()
    await foldAll()
    await scene.advance(statsKeptMs.minute + minuteMs)
    await foldAll(2)
    expect(await read()).toEqual([])
    expect((await figures({ span: spans.hour })).deliveries.succeeded).toBe(2)
    await scene.advance(statsKeptMs.hour - statsKeptMs.minute + 60 * minuteMs)
    await foldAll(2)
    expect(await read({ span: spans.hour })).toEqual([])
  })
}
