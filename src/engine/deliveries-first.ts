/**
 * Deliveries before publishes, while one thread is busy with both.
 *
 * What finds no place in memory goes through the store: it is claimed, which is a second commit and a second journey
 * between the threads, and until its target has caught up all that is published for it goes the same way. Publishers
 * that are answered as fast as commits allow get there whenever the thread is slower with deliveries than with them. So
 * while memory fills and the thread has no time to spare, a commit waits for some of the deliveries before it. The wait
 * ends when memory is emptier, when the thread has time to spare (then the receivers are what is slow, and a wait would
 * bring nothing), or after a bounded time.
 */
import type { Clock } from '../core/clock.ts'

/** Longest wait of one commit: publishers are slowed down, not stopped. */
const maxWaitMs = 20
/** How often the wait looks. */
const lookMs = 1
/** Of its time, since the look before. A thread that is waited for shows a little idle time between its turns. */
const busyShare = 0.85

export interface DeliveriesFirstOptions {
  readonly clock: Pick<Clock, 'elapsed' | 'schedule'>
  /** Whether what waits in memory for a slot takes more than it should. */
  readonly isFilling: () => boolean
  /** The share of its time, 0 to 1, for which this thread has worked since the last call. */
  readonly busy: () => number
}

export class DeliveriesFirst {
  readonly #options: DeliveriesFirstOptions

  constructor(options: DeliveriesFirstOptions) {
    this.#options = options
  }

  /** Null: go on. Otherwise resolves when the next commit may be made. */
  turn(): Promise<void> | null {
    return this.#isInTheWay() ? this.#wait() : null
  }

  #isInTheWay(): boolean {
    return this.#options.isFilling() && this.#options.busy() >= busyShare
  }

  async #wait(): Promise<void> {
    const { clock } = this.#options
    const endsAt = clock.elapsed() + maxWaitMs
    do await new Promise<void>((resolve) => clock.schedule(lookMs, resolve))
    while (clock.elapsed() < endsAt && this.#isInTheWay())
  }
}

/** Reads how busy this thread is. */
export function createBusyMeter(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}
