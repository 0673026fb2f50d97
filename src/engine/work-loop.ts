/**
 * The loop of work that is durable in the store and done slice by slice: the deliveries of events for many, jobs, and what
 * deleted tenants have left. Every process runs one for each kind, because whoever asked for the work may be gone; the
 * store gives each part to one of them.
 *
 * After each slice it rests for as long as the slice took, so that publishes, claims and outcomes have at least half of
 * the store's time.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'

const minRestMs = 1
const retryMs = 1000

export interface DurableWork {
  /** For the log when a slice fails. */
  readonly failing: string
  /** One slice. The answer: how long there is nothing to do, 0 when there is more now; null: until there is news. */
  next(): Promise<number | null>
  /** Somebody has asked for work of this kind. */
  expect?(): void
  /** The loop has ended: what this process has begun is left to others. */
  leave?(): Promise<void>
}

export interface WorkLoopOptions {
  readonly clock: Pick<Clock, 'elapsed' | 'schedule'>
  readonly logger: Pick<Logger, 'warn'>
}

export class WorkLoop {
  readonly #work: DurableWork
  readonly #options: WorkLoopOptions
  #state: 'idle' | 'running' | 'stopped' = 'idle'
  #working: Promise<void> | null = null
  /** Woken while a slice was under way, which may have looked before. */
  #isWoken = false
  #cancelWait: (() => void) | null = null
  #failing = false

  constructor(work: DurableWork, options: WorkLoopOptions) {
    this.#work = work
    this.#options = options
  }

  /** Goes on with what an earlier process left. */
  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.wake()
  }

  /** There is work. */
  wake(): void {
    this.#work.expect?.()
    this.#isWoken = true
    this.#turn()
  }

  /** Lets the slice under way end. Can be called twice. */
  async stop(): Promise<void> {
    const wasRunning = this.#state === 'running'
    this.#state = 'stopped'
    this.#cancelWait?.()
    await this.#working
    // Without it others wait until they take this process for gone.
    if (wasRunning) await this.#work.leave?.().catch(() => {})
  }

  #turn(): void {
    if (this.#state !== 'running' || this.#working !== null) return
    this.#cancelWait?.()
    this.#cancelWait = null
    this.#isWoken = false
    const startedAt = this.#options.clock.elapsed()
    this.#working = this.#next().then((waitMs) => {
      this.#working = null
      if (this.#state !== 'running' || (waitMs === null && !this.#isWoken)) return
      const tookMs = this.#options.clock.elapsed() - startedAt
      const restMs = Math.max(minRestMs, tookMs, this.#isWoken ? 0 : (waitMs ?? 0))
      this.#cancelWait = this.#options.clock.schedule(restMs, () => this.#turn())
    })
  }

  /** Never rejects. */
  async #next(): Promise<number | null> {
    try {
      const waitMs = await this.#work.next()
      this.#failing = false
      return waitMs
    } catch (error) {
      // Once: while the store is out of reach every try fails.
      if (!this.#failing) this.#options.logger.warn({ err: error }, this.#work.failing)
      this.#failing = true
      return retryMs
    }
  }
}
