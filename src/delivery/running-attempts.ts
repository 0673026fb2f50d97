/** The attempts that are being made, and the wait for their end when the node stops. */
import type { Clock } from '../core/clock.ts'
import type { ClaimedDelivery, DeliveryOutcome } from '../store/port.ts'
import { type AttemptDeps, runAttempt } from './attempt.ts'
import type { Work } from './work.ts'

export class RunningAttempts {
  readonly #deps: AttemptDeps
  readonly #running = new Set<ClaimedDelivery>()
  #onNone: (() => void) | null = null

  constructor(deps: AttemptDeps) {
    this.#deps = deps
  }

  /** Calls back with the outcome; `isOurs` is false when the lease was taken out of here meanwhile. */
  start(work: Work, onOutcome: (outcome: DeliveryOutcome, isOurs: boolean) => void): void {
    const { delivery } = work
    this.#running.add(delivery)
    runAttempt(delivery, work, this.#deps).then((outcome) => {
      onOutcome(outcome, this.#running.delete(delivery))
      if (this.#running.size === 0) this.#onNone?.()
    })
  }

  /** Resolves when none runs any more, or after `deadlineMs`. */
  async waitForNone(deadlineMs: number, clock: Clock): Promise<void> {
    if (this.#running.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = clock.schedule(deadlineMs, resolve)
    this.#onNone = resolve
    await promise
    cancel()
  }

  /** Takes out those that still run; their outcomes are no longer this node's to record. */
  takeOut(): readonly ClaimedDelivery[] {
    const deliveries = [...this.#running]
    this.#running.clear()
    return deliveries
  }
}
