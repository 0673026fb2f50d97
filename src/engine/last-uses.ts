/**
 * When each key, or each credential, was used last. A request costs no write: of each at most one use a minute is kept, and
 * those of all that were used within a second are one call.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { StoreTime } from '../store/port.ts'

const keepEveryMs = 60_000
const gatherMs = 1_000
/** Beyond, all are forgotten, and kept once more than needed. */
const maxKept = 100_000

export interface LastUsesOptions {
  /** Of what, for the log. */
  readonly of: 'keys' | 'credentials'
  readonly keep: (uses: readonly { readonly id: string; readonly at: number }[]) => Promise<void>
  readonly time: StoreTime
  readonly clock: Clock
  readonly logger: Logger
}

export class LastUses {
  readonly #options: LastUsesOptions
  /** By id, when a use was last taken to be kept. */
  readonly #takenAt = new Map<string, number>()
  readonly #waiting = new Map<string, number>()
  #cancel: (() => void) | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(options: LastUsesOptions) {
    this.#options = options
  }

  note(id: string): void {
    const { clock, time } = this.#options
    const now = clock.elapsed()
    const takenAt = this.#takenAt.get(id)
    if (takenAt !== undefined && now - takenAt < keepEveryMs) return
    if (this.#takenAt.size >= maxKept) this.#takenAt.clear()
    this.#takenAt.set(id, now)
    this.#waiting.set(id, time.now())
    this.#cancel ??= clock.schedule(gatherMs, () => this.#write())
  }

  /** Keeps what waits. */
  async close(): Promise<void> {
    this.#cancel?.()
    this.#write()
    await this.#writing
  }

  #write(): void {
    this.#cancel = null
    if (this.#waiting.size === 0) return
    const uses = [...this.#waiting].map(([id, at]) => ({ id, at }))
    this.#waiting.clear()
    const { keep, of, logger } = this.#options
    this.#writing = keep(uses).catch((err) => {
      // Their next use is tried again.
      for (const { id } of uses) this.#takenAt.delete(id)
      logger.debug({ err }, `the last use of ${of} could not be kept`)
    })
  }
}
