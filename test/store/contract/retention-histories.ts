/** Random histories with retention running through them, and what must hold after each of its slices. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Delivery, defaultTenantId } from '../../../src/core/model.ts'
import { dayMs, expectCountsAsListed, removeAll } from './retention.ts'
import {
  anOutcome,
  deadLetter,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

const retention = {
  payloadsMs: 30 * dayMs,
  attemptsMs: 20 * dayMs,
  eventsMs: 60 * dayMs,
  deadLettersMs: 45 * dayMs,
  jobsMs: 0,
}

export type Step =
  | { readonly kind: 'publish'; readonly fanOut: number }
  | { readonly kind: 'attempt'; readonly outcomes: readonly ('succeeded' | 'dead' | 'retry')[] }
  | { readonly kind: 'wait'; readonly days: number }
  | { readonly kind: 'replay'; readonly nth: number }
  | { readonly kind: 'switch'; readonly nth: number }
  | { readonly kind: 'remove'; readonly limit: number; readonly slices: number }

const anIndex = fc.nat({ max: 50 })

export const histories: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('publish' as const), fanOut: fc.integer({ min: 0, max: 3 }) }),
    fc.record({
      kind: fc.constant('attempt' as const),
      outcomes: fc.array(fc.constantFrom('succeeded', 'dead', 'retry'), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 25 }) }),
    fc.record({ kind: fc.constant('replay' as const), nth: anIndex }),
    fc.record({ kind: fc.constant('switch' as const), nth: fc.nat({ max: 2 }) }),
    fc.record({
      kind: fc.constant('remove' as const),
      limit: fc.integer({ min: 1, max: 5 }),
      slices: fc.integer({ min: 1, max: 30 }),
    }),
  ),
  { minLength: 20, maxLength: 60 },
)

export function describeHistories(open: OpenHarness): void {
  it('through random histories nothing that is live or can be replayed loses its payload', async () => {
    await fc.assert(
      fc.asyncProperty(histories, (steps) => checkHistory(open, steps)),
      { numRuns: 2 },
    )
  })
}

export async function checkHistory(open: OpenHarness, steps: readonly Step[]): Promise<void> {
  const scene = await openScene(open)
  try {
    const routes = [await scene.anEndpoint(), await scene.anEndpoint(), await scene.anEndpoint()]
    const history = new History(scene, routes)
    for (const step of steps) await history.take(step)
    await history.finish()
  } finally {
    await scene.close()
  }
}

class History {
  readonly #scene: Scene
  readonly #routes: readonly Route[]
  readonly #published = new Map<string, { readonly at: number; readonly deliveryIds: readonly string[] }>()
  readonly #disabled = new Set<Route>()

  constructor(scene: Scene, routes: readonly Route[]) {
    this.#scene = scene
    this.#routes = routes
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'publish': {
        const { event } = await this.#scene.publish({ routes: this.#routes.slice(0, step.fanOut) })
        const deliveryIds = event.deliveries.map((delivery) => delivery.id)
        this.#published.set(event.id, { at: this.#scene.now(), deliveryIds })
        return
      }
      case 'attempt':
        return this.#attempt(step.outcomes)
      case 'wait':
        return this.#scene.advance(step.days * dayMs)
      case 'replay':
        return this.#replay(step.nth)
      case 'switch':
        return this.#switch(this.#routes[step.nth] as Route)
      case 'remove':
        for (let slice = 0; slice < step.slices; slice++) {
          const { more } = await this.#scene.store.removeExpired({ retention, limit: step.limit })
          if (!more) break
        }
        return this.#check()
    }
  }

  /** Everything comes to an end, and a day after its time nothing is left. */
  async finish(): Promise<void> {
    for (const route of this.#disabled) await this.#switch(route)
    for (let tries = 0; tries < 100; tries++) {
      const { deliveries } = await this.#scene.claim()
      await this.#scene.record(...deliveries.map((claimed) => anOutcome(claimed)))
      await this.#scene.advance(2 * dayMs)
      const { pending, in_flight, retry_scheduled } = (await this.#scene.store.counts()).deliveries
      if (pending + in_flight + retry_scheduled === 0) break
    }
    await this.#check()
    await this.#scene.advance(retention.eventsMs)
    // The walks start over: what ended after they had passed it goes now.
    await removeAll(this.#scene, { retention })
    await this.#scene.advance(dayMs)
    await removeAll(this.#scene, { retention })
    await this.#scene.advance(dayMs)
    await removeAll(this.#scene, { retention })
    const page = { limit: 200, cursor: null }
    expect((await this.#scene.store.listDeliveries(defaultTenantId, {}, page)).items).toEqual([])
    expect((await this.#scene.store.listEvents(defaultTenantId, {}, page)).items).toEqual([])
    await expectCountsAsListed(this.#scene)
  }

  async #attempt(outcomes: readonly ('succeeded' | 'dead' | 'retry')[]): Promise<void> {
    const { deliveries } = await this.#scene.claim({ limit: outcomes.length })
    const startedAt = this.#scene.now()
    const recorded = deliveries.map((claimed, at) => {
      const outcome = outcomes[at]
      const next =
        outcome === 'dead' ? { next: deadLetter } : outcome === 'retry' ? { next: retryIn(dayMs) } : {}
      // Without what it says of the endpoint: one that fails for days would be disabled.
      return anOutcome(claimed, { ...next, startedAt, observation: null })
    })
    await this.#scene.record(...recorded)
  }

  async #replay(nth: number): Promise<void> {
    const page = { limit: 200, cursor: null }
    const { items } = await this.#scene.store.listDeadLetters(defaultTenantId, {}, page)
    const dead = items[nth % Math.max(1, items.length)]
    if (dead === undefined) return
    const isOwed = this.#scene.now() - dead.deadAt < retention.deadLettersMs
    const result = await this.#scene.store.replay(defaultTenantId, dead.deliveryId)
    if (isOwed) expect(result.kind).toBe('replayed')
    else expect(['replayed', 'expired']).toContain(result.kind)
  }

  async #switch(route: Route): Promise<void> {
    const isDisabled = this.#disabled.delete(route)
    if (!isDisabled) this.#disabled.add(route)
    await this.#scene.store.updateEndpoint(route.tenantId, route.endpointId, {
      disabledReason: isDisabled ? null : 'operator',
    })
    while ((await this.#scene.store.applyConfigChanges({ limit: 100 })).more);
  }

  async #check(): Promise<void> {
    const { store } = this.#scene
    const now = this.#scene.now()
    for (const [eventId, { at, deliveryIds }] of this.#published) {
      const event = await store.getEvent(defaultTenantId, eventId)
      const payload = await store.getPayload(defaultTenantId, eventId)
      const found = await Promise.all(deliveryIds.map((id) => store.getDelivery(defaultTenantId, id)))
      const deliveries = found.filter((delivery): delivery is Delivery => delivery !== null)
      const isNeeded = deliveries.some((delivery) => isLive(delivery) || this.#isOwedReplay(delivery))
      if (now - at < retention.payloadsMs || isNeeded) expect(payload, eventId).not.toBeNull()
      if (now - at < retention.eventsMs || deliveries.length > 0) expect(event, eventId).not.toBeNull()
      // A delivery is only removed a while after its end, which is never before its creation.
      if (now - at < retention.eventsMs) expect(deliveries, eventId).toHaveLength(deliveryIds.length)
      for (const delivery of deliveries) {
        const isGivenUpForThat = delivery.lastError === 'the payload is gone from the store'
        expect(isGivenUpForThat, delivery.id).toBe(false)
      }
    }
    await expectCountsAsListed(this.#scene)
  }

  #isOwedReplay(delivery: Delivery): boolean {
    const ageMs = this.#scene.now() - delivery.updatedAt
    return delivery.state === 'dead_lettered' && ageMs < retention.deadLettersMs
  }
}

function isLive({ state }: Delivery): boolean {
  return state === 'pending' || state === 'in_flight' || state === 'retry_scheduled'
}
