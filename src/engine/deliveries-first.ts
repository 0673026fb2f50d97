/**
 * Deliveries before publishes, while one process is busy with both.
 *
 * What finds no place in memory goes through the store: it is claimed, which is a second commit and a second journey of
 * its content, and until its target has caught up all that is published for it goes the same way. Publishers that are
 * answered as fast as commits allow get there whenever the process is slower with deliveries than with them. So a commit
 * waits for deliveries before it while their outcomes wait to be written, or while memory fills and this thread has no
 * time to spare. (Where it has, the receivers are what is slow, and a wait would bring nothing.) It is a bounded time.
 */
import type { Clock } from '../core/clock.ts'
import type { Pressure } from '../delivery/dispatcher-options.ts'
import type { BusyMeter } from './busy-meter.ts'

/** Longest wait of one commit: publishers are slowed down, not stopped. */
const maxWaitMs = 20
/** How often the wait looks. */
const lookMs = 1
/** Of its time. A thread that is waited for shows a little idle time between its turns. */
const busyShare = 0.85

export interface DeliveriesFirstOptions {
  readonly clock: Pick<Clock, 'elapsed' | 'schedule'>
  /** Why what is published now would soon find no place in memory; null: it finds one. */
  readonly pressure: () => Pressure | null
  readonly busy: Pick<BusyMeter, 'share'>
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
    const { pressure, busy } = this.#options
    // Asked each time, because it looks back to when it was asked before.
    const hasTime = busy.share() < busyShare
    const reason = pressure()
    return reason === 'outcomes' || (reason === 'memory' && !hasTime)
  }

  async #wait(): Promise<void> {
    const { clock } = this.#options
    const endsAt = clock.elapsed() + maxWaitMs
    do await new Promise<void>((resolve) => clock.schedule(lookMs, resolve))
    while (clock.elapsed() < endsAt && this.#isInTheWay())
  }
}
