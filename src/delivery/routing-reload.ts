/**
 * Loads a tenant's routing again soon after it has changed, so that no publish has to wait for that: with 10 000
 * endpoints it takes a third of a second. Many changes in a row make one load.
 */
import type { Clock } from '../core/clock.ts'
import type { RoutingCache } from './routing-cache.ts'

const quietMs = 250
/** Loads take no more than this part of the time, however often the tenant changes. */
const maxShare = 0.05

export interface RoutingReloadOptions {
  readonly routing: Pick<RoutingCache, 'get'>
  readonly clock: Pick<Clock, 'elapsed' | 'schedule'>
}

export class RoutingReload {
  readonly #options: RoutingReloadOptions
  /** By tenant, what cancels the load that is to come. */
  readonly #cancels = new Map<string, () => void>()
  /** Where the last load took long, on the elapsed scale. */
  readonly #notBefore = new Map<string, number>()
  readonly #loading = new Map<string, 'current' | 'outdated'>()
  #stopped = false

  constructor(options: RoutingReloadOptions) {
    this.#options = options
  }

  changed(tenantId: string): void {
    if (this.#stopped) return
    if (this.#loading.has(tenantId)) {
      this.#loading.set(tenantId, 'outdated')
      return
    }
    const { clock } = this.#options
    this.#cancels.get(tenantId)?.()
    const notBefore = this.#notBefore.get(tenantId) ?? 0
    const cancel = clock.schedule(Math.max(quietMs, notBefore - clock.elapsed()), () => {
      this.#cancels.delete(tenantId)
      void this.#load(tenantId)
    })
    this.#cancels.set(tenantId, cancel)
  }

  /** Can be called twice. */
  stop(): void {
    this.#stopped = true
    for (const cancel of this.#cancels.values()) cancel()
    this.#cancels.clear()
  }

  async #load(tenantId: string): Promise<void> {
    const { routing, clock } = this.#options
    const startedAt = clock.elapsed()
    this.#loading.set(tenantId, 'current')
    // One that fails is made by the next publish, which tells its caller.
    await Promise.resolve(routing.get(tenantId)).catch(() => {})
    const tookMs = clock.elapsed() - startedAt
    if (tookMs / maxShare > quietMs) this.#notBefore.set(tenantId, clock.elapsed() + tookMs / maxShare)
    else this.#notBefore.delete(tenantId)
    const isOutdated = this.#loading.get(tenantId) === 'outdated'
    this.#loading.delete(tenantId)
    if (isOutdated) this.changed(tenantId)
  }
}
