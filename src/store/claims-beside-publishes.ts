/**
 * Claims beside publishes: those are waited for by callers, so a backlog may not fill the store while they come. Claims are
 * small then, and rests follow. But twice as many are claimed as are published, or a backlog could only grow.
 */
import type { Clock } from '../core/clock.ts'
import type { ClaimPace } from './port.ts'

/** How long after a publish others are expected. */
const besidePublishesMs = 20

export interface ClaimSizes {
  /** While nobody publishes. */
  readonly most: number
  /** Beside publishes, unless more was published. */
  readonly few: number
  /** After a claim of so few. */
  readonly restMs: number
}

export class ClaimsBesidePublishes implements ClaimPace {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #sizes: ClaimSizes
  /** Deliveries, since the last claim. */
  #published = 0
  #publishedAt = Number.NEGATIVE_INFINITY
  #asked = 0
  #restsUntil = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<Clock, 'elapsed'>, sizes: ClaimSizes) {
    this.#clock = clock
    this.#sizes = sizes
  }

  /** An event of so many deliveries comes in. */
  notePublish(deliveries: number): void {
    this.#published += deliveries
    this.noteWaiting()
  }

  /** Some that came in earlier have waited until now. */
  noteWaiting(): void {
    this.#publishedAt = this.#clock.elapsed()
  }

  /** Somebody publishes, and others are expected to. */
  get areBeside(): boolean {
    return this.#clock.elapsed() - this.#publishedAt < besidePublishesMs
  }

  restMs(): number {
    // What a small claim does not keep up with ends the rest.
    return this.#isOutpaced() ? 0 : Math.max(0, this.#restsUntil - this.#clock.elapsed())
  }

  begin(): number {
    const { most, few } = this.#sizes
    this.#asked = this.areBeside ? Math.min(most, Math.max(few, 2 * this.#published)) : most
    this.#published = 0
    return this.#asked
  }

  end(given: number): void {
    const { few, restMs } = this.#sizes
    const isSmall = this.#asked === few && given === few
    this.#restsUntil = isSmall ? this.#clock.elapsed() + restMs : Number.NEGATIVE_INFINITY
  }

  /** More was published since the last claim than a small one keeps up with. */
  #isOutpaced(): boolean {
    return 2 * this.#published >= this.#sizes.few
  }
}
