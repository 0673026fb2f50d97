import type { Clock } from '../core/clock.ts'
import type { MissedReason, StreamFilter, StreamItem, StreamMissed } from '../core/stream-item.ts'

/** Items are gathered for so long, so that a burst is one write. */
const gatherMs = 50
/** More in that time are counted as missed: nobody reads 2000 lines a second, and each would cost what a delivery costs. */
const maxGathered = 100

export interface TakesStream {
  take(items: readonly (StreamItem | StreamMissed)[]): void
  /** Nothing more comes: the process stops. */
  end(): void
}

export interface StreamReaderOptions {
  readonly filter: StreamFilter
  readonly takes: TakesStream
  readonly clock: Clock
}

/** What one reader is still to be told: bounded, whatever happens. */
export class StreamReader {
  readonly filter: StreamFilter
  readonly takes: TakesStream
  readonly #clock: Clock
  #items: StreamItem[] = []
  /** Null: some, and nobody knows how many. */
  readonly #missed = new Map<MissedReason, number | null>()
  #cancel: (() => void) | null = null
  #stopped = false

  constructor({ filter, takes, clock }: StreamReaderOptions) {
    this.filter = filter
    this.takes = takes
    this.#clock = clock
  }

  add(item: StreamItem): void {
    if (this.#items.length >= maxGathered) this.miss('too_many', 1)
    else this.#items.push(item)
    this.#tellSoon()
  }

  miss(reason: MissedReason, count: number | null): void {
    const before = this.#missed.get(reason)
    const isUnknown = count === null || before === null
    this.#missed.set(reason, isUnknown ? null : (before ?? 0) + count)
    this.#tellSoon()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #tellSoon(): void {
    if (this.#stopped) return
    this.#cancel ??= this.#clock.schedule(gatherMs, () => {
      this.#cancel = null
      const at = this.#clock.now()
      const missed = [...this.#missed].map(
        ([reason, count]): StreamMissed => ({ kind: 'missed', at, reason, count }),
      )
      const items = this.#items
      this.#items = []
      this.#missed.clear()
      // What was missed while it was away came before all else; what there was no room for, after it.
      const away = missed.filter(({ reason }) => reason === 'reconnected')
      const others = missed.filter(({ reason }) => reason !== 'reconnected')
      this.takes.take([...away, ...items, ...others])
    })
  }
}
