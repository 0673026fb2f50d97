/** The attempts that are being made, and the wait for their end when the node stops. */
import type { Clock } from '../core/clock.ts'
import { LinkedList } from '../core/linked-list.ts'
import type { ClaimedDelivery, DeliveryOutcome } from '../store/port.ts'
import { type AttemptDeps, runAttempt } from './attempt.ts'
import type { Work } from './work.ts'

export class RunningAttempts {
  readonly #deps: AttemptDeps
  readonly #onPutOff: (delivery: ClaimedDelivery, waitMs: number) => void
  /** Another one once all were taken out. */
  #running = new LinkedList<ClaimedDelivery>()
  #onNone: (() => void) | null = null

  /** @param onPutOff nothing was sent: the delivery is to be tried again after so long, and no attempt is counted */
  constructor(deps: AttemptDeps, onPutOff: (delivery: ClaimedDelivery, waitMs: number) => void) {
    this.#deps = deps
    this.#onPutOff = onPutOff
  }

  /** Calls back with the outcome, null where there is none; `isOurs` is false when the lease was taken out of here meanwhile. */
  start(work: Work, onEnd: (outcome: DeliveryOutcome | null, isOurs: boolean) => void): void {
    const { delivery } = work
    const running = this.#running
    const leave = running.add(delivery)
    runAttempt(delivery, work, this.#deps, (end) => {
      leave()
      const isOurs = running === this.#running
      const isPutOff = 'waitMs' in end
      if (isPutOff && isOurs) this.#onPutOff(delivery, end.waitMs)
      onEnd(isPutOff ? null : end, isOurs)
      if (this.#running.isEmpty) this.#onNone?.()
    })
  }

  /** Resolves when none runs any more, or after `deadlineMs`. */
  async waitForNone(deadlineMs: number, clock: Clock): Promise<void> {
    if (this.#running.isEmpty) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = clock.schedule(deadlineMs, resolve)
    this.#onNone = resolve
    await promise
    cancel()
  }

  /** Takes out those that still run; their outcomes are no longer this node's to record. */
  takeOut(): readonly ClaimedDelivery[] {
    const deliveries = this.#running.values()
    this.#running = new LinkedList()
    return deliveries
  }
}
