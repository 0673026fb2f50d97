/**
 * Makes the deliveries of events that were published for many, slice by slice, until none is left. Every process runs
 * one, because whoever acknowledged such an event may be gone; the store makes each delivery once.
 *
 * After each slice it rests for as long as the slice took, so that publishes, claims and outcomes have at least half of
 * the store's time.
 */
import type { Clock } from '../core/clock.ts'
import type { IdFactory } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { FanOutStore, StorePace } from '../store/port.ts'

const minRestMs = 1
const retryMs = 1000

export interface FanOutSlicesOptions {
  readonly store: FanOutStore & { readonly pace: Pick<StorePace, 'fanOutSlice'> }
  readonly ids: IdFactory
  readonly clock: Clock
  readonly logger: Logger
  /** Another process may leave an event half fanned out, so it is looked for this often; null: there is no other. */
  readonly lookEveryMs: number | null
  /** Deliveries were made that nobody has claimed. */
  readonly onDueWork: () => void
}

export class FanOutSlices {
  readonly #options: FanOutSlicesOptions
  #state: 'idle' | 'running' | 'stopped' = 'idle'
  #working: Promise<void> | null = null
  #cancelWait: (() => void) | null = null
  #failing = false

  constructor(options: FanOutSlicesOptions) {
    this.#options = options
  }

  /** Goes on with what an earlier process left. */
  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.wake()
  }

  /** An event for many was published. */
  wake(): void {
    if (this.#state !== 'running' || this.#working !== null) return
    this.#cancelWait?.()
    this.#cancelWait = null
    this.#working = this.#next().then((waitMs) => {
      this.#working = null
      if (waitMs !== null && this.#state === 'running') {
        this.#cancelWait = this.#options.clock.schedule(waitMs, () => this.wake())
      }
    })
  }

  /** Lets the slice under way end. Can be called twice. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#cancelWait?.()
    await this.#working
  }

  /** One slice. Never rejects. The answer: how long to wait until the next; null: until somebody wakes it. */
  async #next(): Promise<number | null> {
    const { store, ids, clock, onDueWork, lookEveryMs } = this.#options
    const startedAt = clock.elapsed()
    try {
      const { made, more } = await store.fanOutSlice(
        Array.from({ length: store.pace.fanOutSlice }, () => ids.next('dlv')),
      )
      this.#failing = false
      if (made > 0) onDueWork()
      // Where there are some and none could be made, another process is at it.
      const isMine = more && made > 0
      return isMine ? Math.max(minRestMs, clock.elapsed() - startedAt) : lookEveryMs
    } catch (error) {
      this.#tellOnce(error)
      return retryMs
    }
  }

  /** While the store is out of reach every try fails. */
  #tellOnce(error: unknown): void {
    if (!this.#failing) {
      this.#options.logger.warn(
        { err: error },
        'events for many endpoints wait: making their deliveries failed and is tried again',
      )
    }
    this.#failing = true
  }
}
