import { type Clock, clockStepMs, createLeadReader } from '../../../core/clock.ts'
import type { Logger } from '../../../core/logger.ts'
import {
  offsetOf,
  provenTimeLine,
  type ResumedTime,
  type TimeLine,
  withJump,
} from '../../../core/time-line.ts'
import type { StoreTime } from '../../port.ts'
import { tellJump, tellResumed, tellSteady } from '../../time-notes.ts'

export interface LineClockOptions {
  readonly clock: Pick<Clock, 'now' | 'elapsed'>
  readonly logger: Logger
  /** Where the line went on when the clocks were read. */
  readonly resumed: ResumedTime
  readonly read: ClockReading
}

export interface ClockReading {
  readonly wall: number
  readonly elapsed: number
}

export function readClocks(clock: Pick<Clock, 'now' | 'elapsed'>): ClockReading {
  const elapsed = clock.elapsed()
  return { wall: clock.now(), elapsed }
}

/** How the log calls it. */
export const thisClock = 'the clock of this machine'

/**
 * The line of an embedded store: this machine's wall clock, less what it jumped. Each reading compares it with the
 * monotonic clock, which costs less than a tenth of a microsecond; there is one for each transaction.
 */
export class LineClock implements StoreTime {
  readonly #clock: Pick<Clock, 'now' | 'elapsed'>
  readonly #logger: Logger
  readonly #readLead: () => number
  #line: TimeLine
  #offset: number
  #lead: number
  #last: number
  #lastElapsed: number

  constructor({ clock, logger, resumed, read }: LineClockOptions) {
    this.#clock = clock
    this.#logger = logger
    this.#readLead = createLeadReader({ wall: () => clock.now(), elapsed: () => clock.elapsed() })
    this.#line = resumed.line
    this.#offset = offsetOf(resumed.line)
    this.#lead = read.wall - read.elapsed
    this.#last = resumed.now
    this.#lastElapsed = read.elapsed
    tellResumed(logger, thisClock, resumed)
  }

  get line(): TimeLine {
    return this.#line
  }

  readonly now = (): number => {
    const elapsed = this.#clock.elapsed()
    const wall = this.#clock.now()
    const isSteady = Math.abs(wall - elapsed - this.#lead) <= clockStepMs || !this.#jump()
    if (isSteady) {
      this.#lead = wall - elapsed
      this.#last = Math.max(this.#last, wall - this.#offset)
    }
    this.#lastElapsed = elapsed
    if (this.#line.unprovenSince !== null) this.#prove()
    return this.#last
  }

  /** False: the two clocks were only read at different moments. */
  #jump(): boolean {
    const lead = this.#readLead()
    const elapsed = this.#clock.elapsed()
    const jumpedMs = lead - this.#lead
    if (Math.abs(jumpedMs) <= clockStepMs) return false
    this.#last = Math.round(this.#last + elapsed - this.#lastElapsed)
    this.#line = withJump(this.#line, this.#last, Math.round(lead + elapsed) - this.#last)
    this.#offset = offsetOf(this.#line)
    this.#lead = lead
    tellJump(this.#logger, thisClock, jumpedMs)
    return true
  }

  #prove(): void {
    const proven = provenTimeLine(this.#line, this.#last)
    if (proven === this.#line) return
    this.#line = proven
    tellSteady(this.#logger, thisClock)
  }
}
