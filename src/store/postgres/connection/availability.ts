/**
 * Whether the server can be reached. A call that loses its connection, or that takes long, raises a suspicion, and a
 * connection of its own then asks the server. While nobody answers, every call is refused at once, where it would
 * otherwise wait for a time limit of its own.
 *
 *     up ── a suspicion, and the probe gets no answer ──► down
 *      ▲                                                   │
 *      └────────────────── a probe gets in ────────────────┘
 */
import type { Clock } from '../../../core/clock.ts'
import type { Logger } from '../../../core/logger.ts'
import { isServerGone, toStoreError } from './store-error.ts'

const firstProbeWaitMs = 100
const maxProbeWaitMs = 1000

export interface AvailabilityOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Opens a connection, within a time limit, and closes it again. */
  readonly probe: () => Promise<void>
  /** What is under way gets no answer any more. */
  readonly onDown: () => void
}

export class Availability {
  readonly #options: AvailabilityOptions
  /** Why nobody answers; null while the server does. */
  #cause: unknown = null
  /** Calls that were answered, ever. */
  #answers = 0
  #probing = false
  #stopped = false
  #cancelWait: (() => void) | null = null

  constructor(options: AvailabilityOptions) {
    this.#options = options
  }

  get isDown(): boolean {
    return this.#cause !== null
  }

  /** Throws `store_unavailable` while nobody answers. */
  check(): void {
    if (this.isDown) throw toStoreError(this.#cause)
  }

  /** Something makes it doubtful that the server is there. Returns at once. */
  suspect(): void {
    if (this.#probing || this.#stopped) return
    this.#probing = true
    void this.#probe(firstProbeWaitMs)
  }

  noteAnswer(): void {
    this.#answers++
  }

  stop(): void {
    this.#stopped = true
    this.#cancelWait?.()
  }

  async #probe(waitMs: number): Promise<void> {
    const answersBefore = this.#answers
    try {
      await this.#options.probe()
      this.#setCause(null)
    } catch (error) {
      // One that lets nobody in, because it is overloaded or all its connections are taken, still serves those it has.
      const isServing = this.#answers > answersBefore || !isServerGone(error)
      if (!isServing || this.isDown) this.#setCause(error)
    }
    this.#probing = this.isDown && !this.#stopped
    if (!this.#probing) return
    const nextWaitMs = Math.min(waitMs * 2, maxProbeWaitMs)
    this.#cancelWait = this.#options.clock.schedule(waitMs, () => void this.#probe(nextWaitMs))
  }

  #setCause(cause: unknown): void {
    const wasDown = this.isDown
    this.#cause = cause
    if (wasDown === this.isDown || this.#stopped) return
    const { logger, onDown } = this.#options
    if (wasDown) {
      logger.info({}, 'PostgreSQL answers again')
      return
    }
    logger.error(
      { err: cause },
      'PostgreSQL does not answer; publishing is refused and deliveries wait until it does',
    )
    onDown()
  }
}
