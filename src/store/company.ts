/** Who waits a little before a call to the store, because it costs less together with others than alone. */
import type { Clock } from '../core/clock.ts'

export class Company {
  readonly #clock: Pick<Clock, 'schedule'>
  readonly #longestMs: number
  readonly #waiting = new Set<() => void>()

  /** Nobody waits longer than `longestMs`. */
  constructor(clock: Pick<Clock, 'schedule'>, longestMs: number) {
    this.#clock = clock
    this.#longestMs = longestMs
  }

  /** `go` is called once: by `come`, or when the wait is over. The returned function ends the wait without it. */
  wait(go: () => void): () => void {
    const end = (): void => {
      this.#waiting.delete(call)
      cancelTimer()
    }
    const call = (): void => {
      end()
      go()
    }
    this.#waiting.add(call)
    const cancelTimer = this.#clock.schedule(this.#longestMs, call)
    return end
  }

  /** A call is about to be made: whoever waits makes its own now, before this returns. */
  come(): void {
    for (const call of this.#waiting) call()
  }
}
