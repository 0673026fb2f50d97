import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import {
  anOutcome,
  deadLetter,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

export function describeRecord(open: OpenHarness): void {
  let scene: Scene
  let route: Route
  beforeEach(async () => {
    scene = await openScene(open)
    route = await scene.anEndpoint()
  })
  afterEach(() => scene.close())

  describe('recordOutcomes', () => {
    it('finishes a success and keeps the attempt with its capture', async () => {
      const { deliveryId } = await scene.publish({ routes: [route], handOff: true })
      const claimed = { id: deliveryId, claimVersion: 1, attemptCount: 0 }
      const body = Buffer.from('..thanks..').subarray(2, 8)
      await scene.record(anOutcome(claimed, { body, startedAt: 5 }))
      expect(await scene.delivery(deliveryId)).toMatchObject({
        state: 'succeeded',
        attemptCount: 1,
        lastHttpStatus: 204,
        errorClass: null,
        nextAttemptAt: null,
        updatedAt: scene.now(),
      })
      const [attempt] = await scene.store.listAttempts([deliveryId], { withCapture: true })
      expect(attempt).toMatchObject({
        attemptNo: 1,
        claimVersion: 1,
        status: 'success',
        httpStatus: 204,
        startedAt: 5,
        latencyMs: 12.5,
      })
      expect(attempt?.response?.headers).toEqual([['date', 'today']])
      expect(Buffer.from(attempt?.response?.body ?? []).toString()).toBe('thanks')
    })

    it('leaves the capture out of a listing that did not ask for it', async () => {
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.record(anOutcome(claimed))
      expect((await scene.store.listAttempts([claimed.id], { withCapture: false }))[0]?.response).toBeNull()
    })

    it('schedules a retry after its delay', async () => {
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.record(anOutcome(claimed, { next: retryIn(5000), error: 'answered 500' }))
      expect(await scene.delivery(claimed.id)).toMatchObject({
        state: 'retry_scheduled',
        attemptCount: 1,
        nextAttemptAt: scene.now() + 5000,
        lastHttpStatus: 500,
        errorClass: 'http_500',
        lastError: 'answered 500',
      })
      await scene.advance(5000)
      expect(await scene.claimOne()).toMatchObject({ attemptCount: 1, claimVersion: 2 })
    })

    it('cuts errors off at 2000 characters', async () => {
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.record(anOutcome(claimed, { next: deadLetter, error: 'x'.repeat(5000) }))
      expect((await scene.delivery(claimed.id)).lastError).toHaveLength(2000)
    })

    it('lists a dead letter with its final error', async () => {
      const { event } = await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.record(anOutcome(claimed, { next: deadLetter, error: 'no' }))
      const { items } = await scene.store.listDeadLetters(defaultTenantId, {}, { limit: 10, cursor: null })
      expect(items).toEqual([
        {
          deliveryId: claimed.id,
          eventId: event.id,
          endpointId: route.endpointId,
          subscriptionId: route.subscriptionId,
          topic: 'orders.created',
          finalError: 'http_500',
          lastError: 'no',
          lastHttpStatus: 500,
          attemptCount: 1,
          deadAt: scene.now(),
        },
      ])
    })

    it('gives up without an attempt and keeps what the last attempt said (S1.24)', async () => {
      await scene.publish({ routes: [route] })
      await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(0), error: 'answered 500' }))
      const claimed = await scene.claimOne()
      await scene.record({
        ...anOutcome(claimed, { observation: null }),
        attempt: null,
        next: { state: 'dead_lettered', finalError: 'attempts_exhausted' },
      })
      expect(await scene.delivery(claimed.id)).toMatchObject({
        state: 'dead_lettered',
        attemptCount: 1,
        errorClass: 'attempts_exhausted',
        lastError: 'answered 500',
      })
      expect(await scene.store.listAttempts([claimed.id], { withCapture: false })).toHaveLength(1)
    })

    it('disables the endpoint with the outcome that says so, and parks what waits', async () => {
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      const waiting = await scene.publish({ routes: [route] })
      const result = await scene.record(anOutcome(claimed, { next: deadLetter, disableEndpoint: 'gone' }))
      expect(result.disabled).toEqual([
        { tenantId: defaultTenantId, endpointId: route.endpointId, reason: 'gone' },
      ])
      expect((await scene.store.getEndpoint(defaultTenantId, route.endpointId))?.disabledReason).toBe('gone')
      expect(await scene.delivery(waiting.deliveryId)).toMatchObject({
        reason: 'endpoint_disabled',
        nextAttemptAt: null,
      })
      expect((await scene.claim()).deliveries).toEqual([])
    })

    it('parks the retry of an endpoint that was disabled meanwhile', async () => {
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      await scene.record(anOutcome(claimed, { next: retryIn(1000) }))
      expect(await scene.delivery(claimed.id)).toMatchObject({
        state: 'retry_scheduled',
        reason: 'endpoint_disabled',
      })
    })

    it('cancels the retry of an endpoint that was deleted meanwhile', async () => {
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)
      await scene.record(anOutcome(claimed, { next: retryIn(1000) }))
      expect((await scene.delivery(claimed.id)).state).toBe('cancelled')
      expect(await scene.store.listAttempts([claimed.id], { withCapture: false })).toHaveLength(1)
    })
  })

  describe('replay', () => {
    const kill = async () => {
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.record(anOutcome(claimed, { next: deadLetter }))
      return claimed
    }

    it('makes a dead letter pending again: attempts from 1, same id, history kept, claim version growing', async () => {
      const dead = await kill()
      expect(await scene.store.replay(defaultTenantId, dead.id)).toEqual({
        kind: 'replayed',
        targetId: route.endpointId,
      })
      expect(await scene.delivery(dead.id)).toMatchObject({
        state: 'pending',
        attemptCount: 0,
        nextAttemptAt: scene.now(),
      })
      const claimed = await scene.claimOne()
      expect(claimed).toMatchObject({ id: dead.id, attemptCount: 0 })
      expect(claimed.claimVersion).toBeGreaterThan(dead.claimVersion)
      await scene.record(anOutcome(claimed))
      const attempts = await scene.store.listAttempts([dead.id], { withCapture: false })
      expect(attempts.map((attempt) => [attempt.attemptNo, attempt.status])).toEqual([
        [1, 'permanent_failure'],
        [1, 'success'],
      ])
      expect(
        (await scene.store.listDeadLetters(defaultTenantId, {}, { limit: 10, cursor: null })).items,
      ).toEqual([])
    })

    it('refuses what is not a dead letter and names its state', async () => {
      const { deliveryId } = await scene.publish({ routes: [route] })
      expect(await scene.store.replay(defaultTenantId, deliveryId)).toEqual({
        kind: 'not_replayable',
        state: 'pending',
        endpointDeleted: false,
      })
    })

    it('refuses a dead letter whose endpoint is deleted', async () => {
      const dead = await kill()
      await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)
      expect(await scene.store.replay(defaultTenantId, dead.id)).toEqual({
        kind: 'not_replayable',
        state: 'dead_lettered',
        endpointDeleted: true,
      })
    })

    it('parks the replay of a disabled endpoint', async () => {
      const dead = await kill()
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      await scene.store.replay(defaultTenantId, dead.id)
      expect(await scene.delivery(dead.id)).toMatchObject({ state: 'pending', reason: 'endpoint_disabled' })
    })

    it('finds no delivery of another tenant, nor under a malformed id', async () => {
      const dead = await kill()
      expect(await scene.store.replay(scene.ids.next('ten'), dead.id)).toEqual({ kind: 'not_found' })
      expect(await scene.store.replay(defaultTenantId, 'dlv_nonsense')).toEqual({ kind: 'not_found' })
    })
  })
}
