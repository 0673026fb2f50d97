/**
 * Gives leases back to the store, in batches. What the store does not take stays owed and goes first when it is
 * there again: a lease that simply ended would count as a lost claim, and a store that blinks must not.
 */
import { isStoreRefusal } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { DeliveryStore, Release } from '../store/port.ts'

/** A thousand in one transaction of SQLite took 40 ms, in which nothing that was published got any further. */
const maxBatch = 128
/** Beyond this the oldest are forgotten; their leases end by themselves. */
const maxOwed = 20_000
/** Until what somebody else has locked is tried again. */
const heldRetryMs = 500

export interface LeaseReturnsOptions {
  readonly store: Pick<DeliveryStore, 'release'>
  readonly logger: Logger
  /** They can be claimed again, the first of them after so long. */
  readonly onReturned: (delayMs: number) => void
}

export class LeaseReturns {
  readonly #options: LeaseReturnsOptions
  #owed: Release[] = []
  /** Locked by somebody else when the store was asked; they go with the next flush, at the latest after `heldRetryMs`. */
  #held: Release[] = []
  #sending: Promise<void> | null = null

  constructor(options: LeaseReturnsOptions) {
    this.#options = options
  }

  /** Something is owed or on its way. */
  get pending(): boolean {
    return this.#owed.length > 0 || this.#held.length > 0 || this.#sending !== null
  }

  /** Due again after `delayMs`; neither an attempt nor a lost claim is counted. `sent`: their requests went out. */
  give(
    deliveries: readonly { readonly id: string; readonly claimVersion: number }[],
    delayMs: number,
    sent = false,
  ): void {
    if (deliveries.length === 0) return
    for (const { id, claimVersion } of deliveries) {
      this.#owed.push({ deliveryId: id, claimVersion, delayMs, ...(sent && { sent }) })
    }
    // Whoever needs to know asks `flush` again.
    this.flush().catch(() => {})
  }

  /** Resolves when nothing is owed but what somebody else has locked; rejects when the store does not take it. */
  flush(): Promise<void> {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null
    })
    return this.#sending
  }

  async #send(): Promise<void> {
    // What is given back in the same turn of the event loop shares a transaction.
    await null
    this.#owed.push(...this.#held.splice(0))
    while (this.#owed.length > 0) {
      const batch = this.#owed.splice(0, maxBatch)
      let held: readonly Release[]
      try {
        held = await this.#options.store.release(batch)
      } catch (error) {
        this.#onRefused(batch, error)
        continue
      }
      this.#held.push(...held)
      if (held.length > 0) this.#options.onReturned(heldRetryMs)
      if (held.length < batch.length) {
        this.#options.onReturned(Math.min(...batch.map((release) => release.delayMs)))
      }
    }
  }

  #onRefused(batch: readonly Release[], error: unknown): void {
    const context = { err: error, deliveries: batch.length }
    if (isStoreRefusal(error)) {
      this.#options.logger.error(context, 'leases could not be given back and will end by themselves')
      return
    }
    this.#owed = [...batch, ...this.#owed].slice(-maxOwed)
    this.#options.logger.warn(context, 'leases could not be given back, trying again')
    throw error
  }
}
