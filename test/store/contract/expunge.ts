import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import { dayMs, removeAll } from './retention.ts'
import {
  anOutcome,
  deadLetter,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

export function describeExpunge(open: OpenHarness): void {
  let scene: Scene
  let route: Route
  beforeEach(async () => {
    scene = await openScene(open)
    route = await scene.anEndpoint()
  })
  afterEach(() => scene.close())

  const expunge = (eventId: string, tenantId = defaultTenantId) =>
    scene.store.expungePayload(tenantId, eventId)
  const payload = (eventId: string) => scene.store.getPayload(defaultTenantId, eventId)
  const event = (eventId: string) => scene.store.getEvent(defaultTenantId, eventId)
  const attempts = (deliveryId: string) => scene.store.listAttempts([deliveryId], { withCapture: true })

  describe('expunging a payload', () => {
    it.each([
      ['succeeded', {}],
      ['dead-lettered', { next: deadLetter }],
    ])('takes it away once the delivery has %s, with what answers repeat of it', async (_, step) => {
      const { event: published, deliveryId } = await scene.publish({ routes: [route] })
      const body = Buffer.from('you said: {"n":1}')
      const failed = { httpStatus: 500, error: 'http 500: you said', body, startedAt: scene.now() }
      await scene.record(anOutcome(await scene.claimOne(), { ...failed, next: retryIn(0) }))
      await scene.record(anOutcome(await scene.claimOne(), { ...failed, ...step }))
      expect((await attempts(deliveryId)).every(({ response }) => response !== null)).toBe(true)

      const result = await expunge(published.id)
      await scene.store.expungeAnswers([deliveryId])
      expect(result).toEqual({ kind: 'expunged', expungedAt: expect.any(Number) })
      expect(await payload(published.id)).toBeNull()
      expect(await event(published.id)).toMatchObject({
        payloadBytes: 7,
        expungedAt: (result as { expungedAt: number }).expungedAt,
      })
      const found = await attempts(deliveryId)
      expect(found).toHaveLength(2)
      for (const attempt of found)
        expect(attempt).toMatchObject({ httpStatus: 500, error: null, response: null })
      expect(await scene.delivery(deliveryId)).toMatchObject({ lastError: null, lastHttpStatus: 500 })
      expect(await scene.store.resend(defaultTenantId, deliveryId)).toEqual({ ...result, kind: 'expired' })

      await scene.advance(1000)
      expect(await expunge(published.id)).toEqual(result)
    })

    it('leaves our own words about a connection, and the reason of who cancelled', async () => {
      const { event: failed, deliveryId } = await scene.publish({ routes: [route] })
      const step = {
        httpStatus: null,
        errorClass: 'connection',
        error: 'connection refused',
        next: deadLetter,
      }
      await scene.record(anOutcome(await scene.claimOne(), step))
      const { event: cancelled, deliveryId: other } = await scene.publish({ routes: [route] })
      await scene.store.cancelDelivery(defaultTenantId, other, 'enough')
      for (const { id } of [failed, cancelled]) expect(await expunge(id)).toMatchObject({ kind: 'expunged' })
      await scene.store.expungeAnswers([deliveryId, other])
      expect(await scene.delivery(deliveryId)).toMatchObject({ lastError: 'connection refused' })
      expect(await scene.delivery(other)).toMatchObject({ lastError: 'enough' })
    })

    it('is refused while a delivery waits, is in flight or was handed off, and changes nothing', async () => {
      const refused = async (eventId: string) => {
        expect(await expunge(eventId)).toEqual({ kind: 'live' })
        expect(await payload(eventId)).not.toBeNull()
        expect(await event(eventId)).toMatchObject({ expungedAt: null })
      }
      const { event: waiting } = await scene.publish({ routes: [route] })
      await refused(waiting.id)
      const claimed = await scene.claimOne()
      await refused(waiting.id)
      await scene.record(anOutcome(claimed, { next: retryIn(1000) }))
      await refused(waiting.id)
      const { event: handedOff, deliveryId } = await scene.publish({ routes: [route], handOff: true })
      await refused(handedOff.id)
      await scene.record(anOutcome({ id: deliveryId, claimVersion: 1, attemptCount: 0 }))
      expect(await expunge(handedOff.id)).toMatchObject({ kind: 'expunged' })
    })

    it('is refused while the deliveries of an event for many are being made', async () => {
      const { event: published } = await scene.publish({ receivers: [route, route] })
      expect(await expunge(published.id)).toEqual({ kind: 'accepted' })
      expect(await payload(published.id)).not.toBeNull()
    })

    it('does not find the event of another tenant, or none', async () => {
      const { event: published } = await scene.publish({ routes: [] })
      expect(await expunge(published.id, scene.ids.next('ten'))).toEqual({ kind: 'not_found' })
      expect(await expunge(scene.ids.next('evt'))).toEqual({ kind: 'not_found' })
      expect(await expunge('evt_nonsense')).toEqual({ kind: 'not_found' })
      expect(await payload(published.id)).not.toBeNull()
    })

    it('is told from retention, whichever comes first', async () => {
      const { event: old } = await scene.publish({ routes: [] })
      const { event: expunged } = await scene.publish({ routes: [] })
      await expunge(expunged.id)
      await scene.advance(31 * dayMs)
      expect(await removeAll(scene)).toMatchObject({ payloads: 1 })
      expect(await event(old.id)).toMatchObject({ expungedAt: null })
      expect(await event(expunged.id)).toMatchObject({ expungedAt: expect.any(Number) })
      expect(await expunge(old.id)).toMatchObject({ kind: 'expunged' })
      expect(await event(old.id)).toMatchObject({ expungedAt: expect.any(Number) })
    })
  })
}
