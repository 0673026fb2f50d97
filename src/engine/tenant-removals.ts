/**
 * Removes what belonged to deleted tenants, in every process: one slice after the other, with rests as long as each took,
 * so that half of the store's time at least is for deliveries. How far it has got stands in the store: whoever dies in it
 * is followed by the next process that looks, or by itself when it is started again.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { StorePace, TenantStore } from '../store/port.ts'

const minRestMs = 1
/** Until requests that were under way have ended, which another process may be waiting for. */
const waitMs = 500
const retryMs = 1000
/** How often one looks whether another process has left a tenant half removed. */
const lookEveryMs = 30_000

export interface TenantRemovalsOptions {
  readonly store: Pick<TenantStore, 'removeDeletedTenants'> & {
    readonly pace: Pick<StorePace, 'maintenance'>
  }
  readonly clock: Pick<Clock, 'elapsed' | 'schedule'>
  readonly logger: Logger
}

export class TenantRemovals {
  readonly #options: TenantRemovalsOptions
  #state: 'idle' | 'running' | 'stopped' = 'idle'
  #working: Promise<void> | null = null
  #cancelWait: (() => void) | null = null
  #failing = false

  constructor(options: TenantRemovalsOptions) {
    this.#options = options
  }

  /** Goes on with what an earlier process left. */
  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.wake()
  }

  /** A tenant was deleted. */
  wake(): void {
    if (this.#state !== 'running' || this.#working !== null) return
    this.#cancelWait?.()
    this.#working = this.#next().then((restMs) => {
      this.#working = null
      if (this.#state === 'running') {
        this.#cancelWait = this.#options.clock.schedule(restMs, () => this.wake())
      }
    })
  }

  /** Lets the slice under way end. Can be called twice. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#cancelWait?.()
    await this.#working
  }

  /** One slice. Never rejects. The answer: how long to rest until the next. */
  async #next(): Promise<number> {
    const { store, clock, logger } = this.#options
    const startedAt = clock.elapsed()
    try {
      const { open, more } = await store.removeDeletedTenants({ limit: store.pace.maintenance.retentionRows })
      this.#failing = false
      if (more) return Math.max(minRestMs, clock.elapsed() - startedAt)
      return open ? waitMs : lookEveryMs
    } catch (error) {
      // While the store is out of reach every try fails.
      if (!this.#failing) {
        logger.warn({ err: error }, 'the removal of deleted tenants waits: it failed and is tried again')
      }
      this.#failing = true
      return retryMs
    }
  }
}
