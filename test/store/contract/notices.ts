import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DisabledReason, defaultTenantId } from '../../../src/core/model.ts'
import { anOutcome, deadLetter, type OpenHarness, openScene, type Route, type Scene } from './scene.ts'

export function describeNotices(open: OpenHarness): void {
  let scene: Scene
  let route: Route
  beforeEach(async () => {
    scene = await openScene(open)
    route = await scene.anEndpoint({ uid: 'billing', url: 'https://receiver.example/hook' })
  })
  afterEach(() => scene.close())
  const set = (disabledReason: DisabledReason | null) =>
    scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason })
  const pending = () => scene.store.listNotices(10)

  describe('notices', () => {
    it('keeps each change until it is removed, the oldest first, and removes each once', async () => {
      expect(await pending()).toEqual([])
      await set('operator')
      const disabledAt = scene.now()
      await scene.advance(5000)
      await set(null)
      const [first] = await pending()
      expect(first).toEqual({
        endpointId: route.endpointId,
        tenantId: defaultTenantId,
        uid: 'billing',
        url: 'https://receiver.example/hook',
        notice: {
          topic: 'endpoint.disabled',
          version: expect.any(Number),
          reason: 'operator',
          disabledAt,
          enabledAt: null,
          failingSince: null,
          errorClass: null,
        },
      })
      const version = first?.notice.version as number
      expect(await scene.store.removeNotice(route.endpointId, version)).toBe(true)
      const [second] = await pending()
      expect(second?.notice).toEqual({
        topic: 'endpoint.recovered',
        version: expect.any(Number),
        reason: 'operator',
        disabledAt,
        enabledAt: disabledAt + 5000,
        failingSince: null,
        errorClass: null,
      })
      expect(second?.notice.version).toBeGreaterThan(version)
      // Another process had found the first as well.
      expect(await scene.store.removeNotice(route.endpointId, version)).toBe(false)
      expect(await pending()).toEqual([second])
      await scene.store.removeNotice(route.endpointId, second?.notice.version as number)
      expect(await pending()).toEqual([])
    })

    it('says what an attempt disabled it with, once however many attempts of the batch do', async () => {
      await scene.publishMany(2, { routes: [route] })
      const { deliveries } = await scene.claim()
      const startedAt = scene.now()
      const observation = { contact: 'reached', succeeded: false, startedAt, throttleMs: null } as const
      await scene.record(
        ...deliveries.map((claimed) =>
          anOutcome(claimed, { next: deadLetter, observation, disableEndpoint: 'gone' }),
        ),
      )
      const found = await pending()
      expect(found.map(({ notice }) => notice)).toEqual([
        expect.objectContaining({
          topic: 'endpoint.disabled',
          reason: 'gone',
          failingSince: startedAt,
          errorClass: deadLetter.state === 'dead_lettered' ? deadLetter.finalError : null,
        }),
      ])
      await scene.store.removeNotice(route.endpointId, found[0]?.notice.version as number)
      expect(await pending()).toEqual([])
    })

    it('has nothing to say of pauses by hand, of a disabled one that is disabled for another reason, or of what is enabled', async () => {
      for (const reason of ['paused', null, null] as const) await set(reason)
      expect(await pending()).toEqual([])
      for (const reason of ['paused', 'operator', 'gone'] as const) await set(reason)
      const [only] = await pending()
      expect(only?.notice).toMatchObject({ topic: 'endpoint.disabled', reason: 'operator' })
      await scene.store.removeNotice(route.endpointId, only?.notice.version as number)
      expect(await pending()).toEqual([])
    })

    it('is there of an endpoint that is deleted meanwhile, and bounds a page', async () => {
      const other = await scene.anEndpoint()
      await set('operator')
      await scene.store.updateEndpoint(defaultTenantId, other.endpointId, { disabledReason: 'operator' })
      await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)
      expect((await scene.store.listNotices(1)).map(({ endpointId }) => endpointId)).toEqual([
        route.endpointId,
      ])
      expect(await pending()).toHaveLength(2)
    })
  })
}
