/** Events that wait to be written, in their order, and those that are out of it until they are tried again. */
import type { Clock } from '../core/clock.ts'
import type { Plan } from './hand-off.ts'
import type { CheckedRequest, PublishReceipt } from './publish-request.ts'

/** Memory that waiting events take, beyond which callers are told to come back. */
const maxBytes = 64 * 1024 * 1024
/** An event whose idempotency key somebody's open transaction holds is tried again after this. */
const heldRetryMs = 100

export interface Waiting {
  readonly request: CheckedRequest
  readonly settle: PromiseWithResolvers<PublishReceipt>
  readonly enqueuedAt: number
  /** The memory that the event takes while it waits. */
  readonly bytes: number
  plan: Plan | null
  /** It has spent a token of its tenant's rate, or is about to. */
  isPaid: boolean
  replans: number
  /** Its caller was told that it failed: it is not written any more unless it is being written. */
  timedOut: boolean
}

export class PublishQueue {
  readonly #clock: Clock
  readonly #onRetry: () => void
  #waiting: Waiting[] = []
  #bytes = 0
  /** With what ends their wait, so that they hold up nobody else. */
  readonly #held = new Map<Waiting, () => void>()

  constructor(clock: Clock, onRetry: () => void) {
    this.#clock = clock
    this.#onRetry = onRetry
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= maxBytes
  }

  /** At the end. */
  add(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#bytes += waiting.bytes
  }

  inOrder(): Iterable<Waiting> {
    return this.#waiting
  }

  /** Those that are held as well. */
  all(): readonly Waiting[] {
    return [...this.#waiting, ...this.#held.keys()]
  }

  removeFirst(count: number): void {
    for (let at = 0; at < count; at++) this.#bytes -= this.#waiting[at]?.bytes ?? 0
    this.#waiting = this.#waiting.slice(count)
  }

  hold(waiting: Waiting): void {
    this.#held.set(
      waiting,
      this.#clock.schedule(heldRetryMs, () => this.#release(waiting)),
    )
  }

  /** While something else is found out, without which it fails. */
  async holdWhile(waiting: Waiting, finding: Promise<void>): Promise<void> {
    this.#held.set(waiting, () => {})
    try {
      await finding
      this.#release(waiting)
    } catch (error) {
      this.#held.delete(waiting)
      waiting.settle.reject(error)
    }
  }

  #release(waiting: Waiting): void {
    if (!this.#held.delete(waiting) || waiting.timedOut) return
    this.add(waiting)
    this.#onRetry()
  }

  /** None of them is tried again. */
  takeHeld(): readonly Waiting[] {
    for (const cancel of this.#held.values()) cancel()
    const held = Array.from(this.#held.keys())
    this.#held.clear()
    return held
  }
}
