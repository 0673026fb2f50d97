import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DirectRequest, maxInFlightToOrigin } from '../../../src/core/direct-request.ts'
import { defaultTenantId } from '../../../src/core/model.ts'
import { targetIdOf } from '../../../src/core/origin-target.ts'
import { retryProfiles } from '../../../src/core/retry-policy.ts'
import type { NewEvent } from '../../../src/store/port.ts'
import { dayMs, removeAll } from './retention.ts'
import {
  anOutcome,
  aTransportFailure,
  deadLetter,
  type EventOptions,
  leaseMs,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

const page = { limit: 100, cursor: null }

interface SendOptions extends EventOptions {
  readonly url?: string
  /** Default: to the URL. */
  readonly to?: Route
}

export async function aSend(scene: Scene, { url, to, ...options }: SendOptions = {}): Promise<NewEvent> {
  const tenantId = options.tenantId ?? to?.tenantId ?? defaultTenantId
  const event = await scene.anEvent({ ...options, tenantId })
  const href = new URL(url ?? 'https://receiver.example/send')
  const request: DirectRequest = {
    url: href.href,
    method: 'PUT',
    headers: { 'content-type': 'text/plain', 'x-a': '1' },
    timeoutMs: 2000,
    retryPolicy: retryProfiles.dograh,
  }
  const delivery = {
    id: scene.ids.next('dlv'),
    subscriptionId: null,
    ordered: false,
    endpointId: to?.endpointId ?? null,
    targetId: to?.endpointId ?? targetIdOf(tenantId, href),
    rateLimitRps: to?.rateLimitRps ?? null,
    handOff: options.handOff ?? false,
    parked: options.parked ?? null,
  }
  return { ...event, topic: null, request, deliveries: [delivery] }
}

export function describeDirect(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  const send = async (options?: SendOptions) => {
    const event = await aSend(scene, options)
    const [result] = await scene.store.publish([event], { leaseMs })
    return { event, result, deliveryId: event.deliveries[0]?.id ?? '' }
  }

  describe('a direct send', () => {
    it('is an event without a topic that keeps its request, and one delivery that no subscription made', async () => {
      const { event, deliveryId } = await send()
      const kept = await scene.store.getEvent(defaultTenantId, event.id)
      expect(kept).toMatchObject({ id: event.id, topic: null, state: 'fanned_out', request: event.request })
      const shown = {
        id: deliveryId,
        eventId: event.id,
        topic: null,
        subscriptionId: null,
        endpointId: null,
        targetId: event.deliveries[0]?.targetId,
        state: 'pending',
      }
      expect(await scene.delivery(deliveryId)).toMatchObject(shown)
      expect(await scene.deliveriesOf(event.id)).toMatchObject([shown])
      expect((await scene.store.listDeliveries(defaultTenantId, {}, page)).items).toMatchObject([shown])
      expect((await scene.store.listEvents(defaultTenantId, {}, page)).items).toMatchObject([
        { id: event.id },
      ])
      expect(await scene.store.counts()).toMatchObject({ deliveries: { pending: 1 } })
    })

    it('gives its request with each claim, and goes every way that a delivery goes', async () => {
      const { event, deliveryId } = await send()
      const first = await scene.claimOne()
      expect(first).toMatchObject({ id: deliveryId, topic: null, endpointId: null, request: event.request })
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'in_flight' })
      await scene.record(anOutcome(first, { next: retryIn(1000) }))
      await scene.advance(1000)
      const second = await scene.claimOne()
      expect(second).toMatchObject({ attemptCount: 1, request: event.request })
      await scene.record(anOutcome(second, { next: deadLetter }))
      const dead = { deliveryId, endpointId: null, subscriptionId: null, topic: null }
      expect((await scene.store.listDeadLetters(defaultTenantId, {}, page)).items).toMatchObject([dead])
      expect(await scene.store.replay(defaultTenantId, deliveryId)).toMatchObject({ kind: 'replayed' })
      await scene.record(anOutcome(await scene.claimOne()))
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'succeeded', endpointId: null })
      expect(await scene.store.resend(defaultTenantId, deliveryId)).toMatchObject({ kind: 'replayed' })
      expect(await scene.store.cancelDelivery(defaultTenantId, deliveryId, 'no more')).toEqual({
        kind: 'cancelled',
      })
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'cancelled', lastError: 'no more' })
      expect((await scene.claim()).deliveries).toEqual([])
    })

    it('to an endpoint is handed off, is the endpoint’s, and comes back when its lease has ended', async () => {
      const route = await scene.anEndpoint()
      const { event, result, deliveryId } = await send({ to: route, handOff: true })
      expect(result).toEqual({ kind: 'published', handedOff: [true] })
      const shown = {
        subscriptionId: null,
        endpointId: route.endpointId,
        targetId: route.endpointId,
        topic: null,
      }
      expect(await scene.delivery(deliveryId)).toMatchObject({ ...shown, state: 'in_flight' })
      await scene.advance(leaseMs + 5000)
      await scene.store.reconcileReady({ limit: 100 })
      const again = await scene.claimOne()
      expect(again).toMatchObject({ ...shown, id: deliveryId, lostClaims: 1, request: event.request })
      await scene.record(anOutcome(again))
      const filter = { endpointId: route.endpointId }
      const listed = await scene.store.listDeliveries(defaultTenantId, filter, page)
      expect(listed.items).toMatchObject([{ ...shown, id: deliveryId, state: 'succeeded' }])
    })

    it('to an endpoint waits while that is disabled, and is cancelled when it is deleted', async () => {
      const route = await scene.anEndpoint()
      const { store } = scene
      await store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      const { deliveryId } = await send({ to: route, parked: 'endpoint_disabled' })
      expect(await scene.delivery(deliveryId)).toMatchObject({
        state: 'pending',
        reason: 'endpoint_disabled',
      })
      await store.deleteEndpoint(defaultTenantId, route.endpointId)
      while ((await store.applyConfigChanges({ limit: 100 })).more);
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'cancelled' })
    })

    it('with a key that was used is the same send', async () => {
      const idempotency = { scope: '', key: 'run-7:node-2', hash: new Uint8Array(32).fill(1), ttlMs: 60_000 }
      const first = await send({ idempotency })
      const { result } = await send({ idempotency })
      const deliveryIds = [first.deliveryId]
      expect(result).toEqual({
        kind: 'replayed',
        eventId: first.event.id,
        deliveryIds,
        state: 'fanned_out',
        filteredSubscriptions: 0,
      })
      const other = { ...idempotency, hash: new Uint8Array(32).fill(2) }
      expect((await send({ idempotency: other })).result).toEqual({
        kind: 'conflict',
        eventId: first.event.id,
      })
    })

    it('for later waits for its time', async () => {
      const { deliveryId } = await send({ deliverInMs: 60_000 })
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'pending', reason: 'scheduled' })
      expect((await scene.claim()).deliveries).toEqual([])
      await scene.advance(60_000)
      expect(await scene.claimOne()).toMatchObject({ id: deliveryId })
    })

    it('pauses its tenant’s origin after five transport failures in a row, and nobody else’s', async () => {
      const urls = { a: 'https://a.example/x', b: 'https://b.example/' }
      for (let failures = 0; failures < 5; failures++) {
        await send({ url: urls.a })
        await scene.record(aTransportFailure(await scene.claimOne(), scene.now(), 3_600_000))
      }
      const paused = await send({ url: 'https://a.example/another?path' })
      expect(await scene.delivery(paused.deliveryId)).toMatchObject({ reason: 'endpoint_paused' })
      const [other, others] = [
        await send({ url: urls.b }),
        await aSend(scene, { url: urls.a, tenantId: scene.ids.next('ten') }),
      ]
      await scene.store.publish([others], { leaseMs })
      const claimed = (await scene.claim()).deliveries.map(({ id }) => id)
      expect(claimed.toSorted()).toEqual([other.deliveryId, others.deliveries[0]?.id].toSorted())
    })

    it('shares the slots of its origin with the others, as deliveries to one endpoint do', async () => {
      const events: NewEvent[] = []
      for (let n = 0; n < maxInFlightToOrigin + 5; n++) events.push(await aSend(scene))
      await scene.store.publish(events, { leaseMs })
      const { deliveries } = await scene.claim()
      expect(deliveries).toHaveLength(maxInFlightToOrigin)
    })

    it('leaves nothing of its origin’s health behind once its last trace is past its retention', async () => {
      const { store } = scene
      const { deliveryId } = await send()
      await scene.record(aTransportFailure(await scene.claimOne(), scene.now(), 1000))
      await scene.advance(1000)
      await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
      expect((await store.loadHealth()).map(([targetId]) => targetId)).toEqual([
        (await scene.delivery(deliveryId)).targetId,
      ])
      await scene.advance(100 * dayMs)
      await removeAll(scene)
      expect(await store.getDelivery(defaultTenantId, deliveryId)).toBeNull()
      expect(await store.loadHealth()).toEqual([])
    })

    it('is no event that a back-fill finds', async () => {
      const route = await scene.anEndpoint()
      await send()
      await scene.publish()
      const job = {
        id: scene.ids.next('job'),
        tenantId: defaultTenantId,
        kind: 'backfill' as const,
        rate: null,
      }
      await scene.advance(10_000)
      await scene.store.insertJob({ ...job, filter: { endpointId: route.endpointId } })
      const owner = { owner: scene.ids.next('job'), leaseMs: 60_000 }
      expect(await scene.store.takeJob(owner)).toMatchObject({ id: job.id })
      for (let state: string | undefined = 'running'; state === 'running'; ) {
        const deliveryIds = Array.from({ length: 10 }, () => scene.ids.next('dlv'))
        const slice = { ...owner, jobId: job.id, limit: 10, deliveryIds, total: null, refusal: null }
        state = (await scene.store.runJobSlice(slice))?.job.state
      }
      const { items } = await scene.store.listDeliveries(
        defaultTenantId,
        { endpointId: route.endpointId },
        page,
      )
      expect(items).toMatchObject([{ topic: 'orders.created' }])
    })
  })
}
