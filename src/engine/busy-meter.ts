/**
 * How busy this thread has been of late, over a time that says something. A process that is busy all the time is so in every
 * such time; in one of a millisecond or two each burst of answers fills a thread that has time to spare.
 */

/** The time that counts is once to twice as long: a burst of 500 answers takes the thread for some 50 ms. */
const windowMs = 100

/** How long the thread has worked and waited, in ms, since it began. */
export interface LoopTimes {
  readonly active: number
  readonly idle: number
}

export class BusyMeter {
  readonly #read: () => LoopTimes
  #before: LoopTimes
  #last: LoopTimes

  constructor(read: () => LoopTimes = () => performance.eventLoopUtilization()) {
    this.#read = read
    this.#before = read()
    this.#last = this.#before
  }

  /** The share of its time, 0 to 1, for which the thread has worked lately. To be asked often: each answer begins where an earlier one ended. */
  share(): number {
    const now = this.#read()
    if (lengthMs(this.#last, now) >= windowMs) {
      this.#before = this.#last
      this.#last = now
    }
    const passedMs = lengthMs(this.#before, now)
    return passedMs === 0 ? 0 : (now.active - this.#before.active) / passedMs
  }
}

function lengthMs(from: LoopTimes, to: LoopTimes): number {
  return to.active + to.idle - from.active - from.idle
}
