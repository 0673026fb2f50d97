import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NewDeliveryNotice } from '../../../src/core/operational-events.ts'
import type { ClaimedDelivery } from '../../../src/store/port.ts'
import {
  anOutcome,
  deadLetter,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

export function aNotice(
  claimed: ClaimedDelivery,
  topic: NewDeliveryNotice['topic'] = 'delivery.dead_lettered',
): NewDeliveryNotice {
  return {
    topic,
    tenantId: claimed.tenantId,
    eventId: claimed.eventId,
    deliveryId: claimed.id,
    claimVersion: claimed.claimVersion,
    eventTopic: claimed.topic,
    endpointId: claimed.endpointId,
    subscriptionId: claimed.subscriptionId,
    url: 'https://receiver.example',
    attemptCount: 1,
    lastHttpStatus: 500,
    errorClass: 'http_500',
  }
}

export function describeDeliveryNotices(open: OpenHarness): void {
  let scene: Scene
  let route: Route
  beforeEach(async () => {
    scene = await openScene(open)
    route = await scene.anEndpoint()
  })
  afterEach(() => scene.close())
  const pending = () => scene.store.listDeliveryNotices(10)

  const died = (claimed: ClaimedDelivery) => ({
    ...anOutcome(claimed, { next: deadLetter }),
    notice: aNotice(claimed),
  })

  describe('notices of deliveries', () => {
    it('keeps what an outcome says with when it was recorded, and removes each once', async () => {
      await scene.publishMany(2, { routes: [route] })
      const { deliveries } = await scene.claim()
      const [first, second] = deliveries as readonly [ClaimedDelivery, ClaimedDelivery]
      const failing = {
        ...anOutcome(second, { next: retryIn(7000) }),
        notice: aNotice(second, 'delivery.failing'),
      }
      await scene.record(died(first), failing)
      const since = scene.now()
      const told = [
        { ...aNotice(first), since, nextAttemptAt: null },
        { ...aNotice(second, 'delivery.failing'), since, nextAttemptAt: since + 7000 },
      ].sort((a, b) => (a.deliveryId < b.deliveryId ? -1 : 1))
      expect(await pending()).toEqual(told)
      expect(await scene.store.listDeliveryNotices(1)).toEqual(told.slice(0, 1))
      await scene.store.removeDeliveryNotices(told.slice(0, 1))
      // Another process had found both.
      await scene.store.removeDeliveryNotices(told.slice(0, 1))
      expect(await pending()).toEqual(told.slice(1))
      await scene.store.removeDeliveryNotices(told)
      expect(await pending()).toEqual([])
    })

    it('has nothing of an outcome that says nothing, or that is stale', async () => {
      await scene.publishMany(1, { routes: [route] })
      const claimed = await scene.claimOne()
      const stale = { ...died(claimed), claimVersion: claimed.claimVersion + 1 }
      expect((await scene.record(stale)).recorded).toEqual([false])
      expect(await pending()).toEqual([])
      await scene.record(anOutcome(claimed, { next: deadLetter }))
      expect(await pending()).toEqual([])
    })

    it('tells a dead letter that is replayed and dies again once more', async () => {
      const { deliveryId } = await scene.publish({ routes: [route] })
      await scene.record(died(await scene.claimOne()))
      await scene.store.replay(route.tenantId, deliveryId)
      await scene.record(died(await scene.claimOne()))
      expect((await pending()).map((notice) => notice.deliveryId)).toEqual([deliveryId, deliveryId])
    })

    it('is of a delivery that waits for its disabled endpoint without a next attempt', async () => {
      await scene.publishMany(1, { routes: [route] })
      const claimed = await scene.claimOne()
      await scene.store.updateEndpoint(route.tenantId, route.endpointId, { disabledReason: 'operator' })
      await scene.record({
        ...anOutcome(claimed, { next: retryIn(7000) }),
        notice: aNotice(claimed, 'delivery.failing'),
      })
      expect(await pending()).toMatchObject([{ topic: 'delivery.failing', nextAttemptAt: null }])
    })

    it('is not there of what is cancelled instead of tried again, because its endpoint is deleted', async () => {
      const { deliveryId } = await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.store.deleteEndpoint(route.tenantId, route.endpointId)
      await scene.record({
        ...anOutcome(claimed, { next: retryIn(7000) }),
        notice: aNotice(claimed, 'delivery.failing'),
      })
      expect((await scene.delivery(deliveryId)).state).toBe('cancelled')
      expect(await pending()).toEqual([])
    })
  })
}
