/** Random histories of ordered deliveries: the order of each key is kept throughout, and in the end nothing is stuck. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import type { ClaimedDelivery } from '../../../src/store/port.ts'
import { keysOf } from './ordering.ts'
import {
  anOutcome,
  deadLetter,
  leaseMs,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

type Step =
  | { readonly kind: 'publish'; readonly keys: readonly string[]; readonly isForMany: boolean }
  | { readonly kind: 'attempt'; readonly ends: readonly ('succeeded' | 'dead' | 'retry' | 'back' | 'lost')[] }
  | { readonly kind: 'cancel' | 'skip' | 'replay'; readonly nth: number }
  | { readonly kind: 'wait' | 'switch' }

const anIndex = fc.nat({ max: 30 })
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('publish' as const),
      keys: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }),
      isForMany: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('attempt' as const),
      ends: fc.array(fc.constantFrom('succeeded', 'dead', 'retry', 'back', 'lost'), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
    fc.record({ kind: fc.constantFrom('cancel', 'skip', 'replay'), nth: anIndex }),
    fc.record({ kind: fc.constantFrom('wait', 'switch') }),
  ),
  { minLength: 15, maxLength: 40 },
)

const ended: ReadonlySet<string> = new Set(['succeeded', 'cancelled', 'skipped'])

/** One history, with what has to hold after each claim. */
class History {
  readonly #scene: Scene
  readonly #route: Route
  /** By key, its deliveries in the order of their publishes. */
  readonly #lines = new Map<string, string[]>()
  readonly #keyOf = new Map<string, string>()
  #isDisabled = false

  constructor(scene: Scene, route: Route) {
    this.#scene = scene
    this.#route = route
  }

  async do(step: Step): Promise<void> {
    const { store } = this.#scene
    switch (step.kind) {
      case 'publish':
        for (const key of step.keys) await this.#publish(key, step.isForMany)
        return
      case 'attempt':
        return this.#attempt(step.ends)
      case 'cancel':
        await store.cancelDelivery(defaultTenantId, this.#nth(step.nth), 'by hand')
        return
      case 'skip':
        await store.skipDelivery(defaultTenantId, this.#nth(step.nth), 'by hand')
        return
      case 'replay':
        await store.replay(defaultTenantId, this.#nth(step.nth))
        return
      case 'wait':
        await this.#scene.advance(leaseMs + 1)
        await store.reconcileReady({ limit: 100 })
        return
      case 'switch':
        return this.#switch()
    }
  }

  async #publish(orderingKey: string, isForMany: boolean): Promise<void> {
    const parked = this.#isDisabled ? ('endpoint_disabled' as const) : null
    const route = this.#route
    if (isForMany) {
      const { event } = await this.#scene.publish({ receivers: [route], orderingKey })
      while ((await this.#scene.fanOutSlice()).more);
      for (const { id } of await this.#scene.deliveriesOf(event.id)) this.#add(orderingKey, id)
    } else {
      const { deliveryId } = await this.#scene.publish({ routes: [route], orderingKey, parked })
      this.#add(orderingKey, deliveryId)
    }
  }

  #add(key: string, id: string): void {
    this.#lines.set(key, [...(this.#lines.get(key) ?? []), id])
    this.#keyOf.set(id, key)
  }

  #nth(nth: number): string {
    const ids = Array.from(this.#keyOf.keys())
    return ids[nth % Math.max(1, ids.length)] ?? ''
  }

  async #switch(): Promise<void> {
    this.#isDisabled = !this.#isDisabled
    const disabledReason = this.#isDisabled ? 'operator' : null
    await this.#scene.store.updateEndpoint(defaultTenantId, this.#route.endpointId, { disabledReason })
  }

  async #attempt(ends: readonly string[]): Promise<void> {
    const { store } = this.#scene
    const { deliveries } = await this.#scene.claim()
    await this.#expectOrder(deliveries)
    for (const [at, each] of deliveries.entries()) {
      const end = ends[at % ends.length]
      if (end === 'lost') continue
      const { id: deliveryId, claimVersion } = each
      if (end === 'back') await store.release([{ deliveryId, claimVersion, delayMs: 0 }])
      else {
        const next = end === 'dead' ? deadLetter : end === 'retry' ? retryIn(1000) : undefined
        await this.#scene.record(anOutcome(each, { observation: null, ...(next && { next }) }))
      }
    }
  }

  /** All that were published earlier with their key are at an end, and one of a key is in flight at most. */
  async #expectOrder(claimed: readonly ClaimedDelivery[]): Promise<void> {
    const keys = claimed.map(({ id }) => this.#keyOf.get(id) ?? '')
    expect(new Set(keys).size).toBe(keys.length)
    for (const { id } of claimed) {
      const line = this.#lines.get(this.#keyOf.get(id) ?? '') ?? []
      for (const earlier of line.slice(0, line.indexOf(id))) {
        expect(ended).toContain((await this.#scene.delivery(earlier)).state)
      }
    }
  }

  /** Whatever is left gets through: nothing has to be known of what happened. */
  async drain(): Promise<void> {
    if (this.#isDisabled) await this.#switch()
    const { store } = this.#scene
    for (let rounds = 0; (await keysOf(this.#scene)).length > 0; rounds++) {
      expect(rounds).toBeLessThan(500)
      await this.#scene.advance(leaseMs + 1)
      await store.reconcileReady({ limit: 100 })
      for (const { headDeliveryId } of await keysOf(this.#scene, { blocked: true })) {
        await store.replay(defaultTenantId, headDeliveryId)
      }
      await this.#attempt(['succeeded'])
    }
    for (const id of this.#keyOf.keys()) expect(ended).toContain((await this.#scene.delivery(id)).state)
  }
}

export function describeOrderingHistories(open: OpenHarness, numRuns = 4): void {
  it('through random histories the order of each key is kept, and nothing gets stuck', async () => {
    const check = async (history: readonly Step[]): Promise<void> => {
      const scene = await openScene(open)
      try {
        const walked = new History(scene, await scene.anEndpoint({ ordered: true }))
        for (const step of history) await walked.do(step)
        await walked.drain()
        expect(await scene.store.countOrderedKeys()).toEqual({ blocked: 0, waiting: 0 })
      } finally {
        await scene.close()
      }
    }
    await fc.assert(fc.asyncProperty(steps, check), { numRuns })
  })
}
