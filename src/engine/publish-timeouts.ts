/**
 * No caller waits for ever on a store that hangs. What still waits for its turn when its time is over is dropped; what is
 * in a commit by then may become durable, and is delivered if it does.
 */
import type { Clock } from '../core/clock.ts'
import type { Waiting } from './publish-queue.ts'
import { unavailable } from './publish-request.ts'

export interface PublishTimeoutsOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Events without an answer. */
  readonly waiting: () => readonly Waiting[]
}

export class PublishTimeouts {
  readonly #options: PublishTimeoutsOptions
  #cancel: (() => void) | null = null

  constructor(options: PublishTimeoutsOptions) {
    this.#options = options
  }

  /** From now on, until nothing waits any more. */
  watch(): void {
    const { clock, timeoutMs, waiting } = this.#options
    this.#cancel ??= clock.schedule(timeoutMs / 4, () => {
      const oldest = clock.elapsed() - timeoutMs
      const left = waiting()
      for (const item of left) {
        if (item.enqueuedAt > oldest || item.timedOut) continue
        item.timedOut = true
        item.settle.reject(unavailable('the event could not be made durable in time'))
      }
      this.#cancel = null
      if (left.length > 0) this.watch()
    })
  }

  stop(): void {
    this.#cancel?.()
  }
}
