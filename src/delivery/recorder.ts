/**
 * Writes outcomes in batches: what finished while the last batch was being written goes in the next one, and successes
 * wait for a call that they can share a commit with, if the store knows of such company. They wait for milliseconds.
 *
 * While the store is out of reach nothing is forgotten: the batch is tried again until it is written, and
 * `blocked` tells the dispatcher to start nothing new, so that what could be sent twice after a crash stays
 * within what is in memory. A batch that the store refuses (not the connection, the rows) is halved until the
 * bad outcome is alone; that one is written without what it captured.
 *
 * An outcome that somebody else's lock keeps from being written leaves its batch and is tried again beside what comes
 * after it, until it is written or stale: once its lease has ended and the lock has gone, a claim takes the delivery over.
 */
import type { Clock } from '../core/clock.ts'
import type { BreakerPolicy } from '../core/endpoint-health.ts'
import { isStoreRefusal, type OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { DeliveryOutcome, DeliveryStore, RecordResult, StorePace } from '../store/port.ts'

const firstRetryMs = 50
const maxRetryMs = 2000
const firstHeldMs = 20
const maxHeldMs = 1000
/** Beyond this they count as unwritten, which keeps new work from starting. */
const maxHeld = 1000

/** An outcome with what its listeners want to hear about it. */
export interface Recordable<T> {
  readonly outcome: DeliveryOutcome
  readonly context: T
}

export interface RecorderOptions<T> {
  readonly store: Pick<DeliveryStore, 'recordOutcomes'> & { readonly pace: Pick<StorePace, 'outcomes'> }
  readonly breaker: BreakerPolicy
  readonly clock: Clock
  readonly logger: Logger
  /** Called after each batch that was written. */
  readonly onRecorded: (batch: readonly Recordable<T>[], result: RecordResult) => void
  /** Called for an outcome that the store does not take in any form; its lease is still held. */
  readonly onRefused: (item: Recordable<T>) => void
  /** Called when recording stops working, and when it works again. */
  readonly onBlocked: (blocked: boolean) => void
}

export class OutcomeRecorder<T> {
  readonly #options: RecorderOptions<T>
  #pending: Recordable<T>[] = []
  #unwritten = 0
  #writing: Promise<void> | null = null
  /** Ends the wait for company. Null: nobody waits. */
  #stopWaiting: (() => void) | null = null
  /** Something is pending that does not wait. */
  #urgent = false
  #flushes = 0
  #blocked = false
  #abandoned = false
  readonly #sleepers = new Set<() => void>()
  /** Somebody else has locked what they are about. */
  #held: Recordable<T>[] = []
  /** Outcomes whose deliveries somebody else has locked, with those that are being tried again. */
  #heldCount = 0
  #retrying: Promise<void> | null = null

  constructor(options: RecorderOptions<T>) {
    this.#options = options
  }

  /** The store does not take outcomes at present. */
  get blocked(): boolean {
    return this.#blocked
  }

  /** Outcomes that are not written yet, but for a bounded number that somebody else's locks hold up. */
  get unwritten(): number {
    return this.#unwritten - Math.min(this.#heldCount, maxHeld)
  }

  push(item: Recordable<T>): void {
    this.#pending.push(item)
    this.#unwritten++
    // A failure may pause its endpoint, and gives the time of the next attempt.
    this.#urgent ||= item.outcome.next.state !== 'succeeded'
    if (this.#writing === null) this.#plan()
  }

  /** Resolves when everything pushed so far is written, or `abandon` was called. */
  async flush(): Promise<void> {
    this.#flushes++
    if (this.#pending.length > 0 && this.#writing === null) this.#plan()
    for (let running = this.#running; running !== null; running = this.#running) await running
    this.#flushes--
  }

  /** Gives up on what a broken store does not take: the leases end by themselves and the work is done again. */
  abandon(): void {
    this.#abandoned = true
    for (const wake of this.#sleepers) wake()
  }

  get #running(): Promise<void> | null {
    return this.#writing ?? this.#retrying
  }

  get #mayWait(): boolean {
    const { company, enough } = this.#options.store.pace.outcomes
    return company !== null && !this.#urgent && this.#flushes === 0 && this.#pending.length < enough
  }

  #plan(): void {
    if (this.#mayWait) {
      this.#stopWaiting ??= this.#options.store.pace.outcomes.company?.wait(() => this.#goAlong()) ?? null
      return
    }
    this.#stopWaiting?.()
    this.#stopWaiting = null
    // One turn of the event loop gathers what finishes together.
    this.#writing = Promise.resolve().then(() => this.#write())
  }

  /** The store takes what it is given before this returns into the commit that is about to be made. */
  #goAlong(): void {
    this.#stopWaiting = null
    this.#writing ??= this.#write()
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0 && !this.#abandoned) {
      const batch = this.#pending.splice(0, this.#options.store.pace.outcomes.most)
      this.#urgent &&= this.#pending.length > 0
      await this.#writeBatch(batch)
      if (this.#mayWait) break
    }
    this.#writing = null
    if (this.#pending.length > 0 && !this.#abandoned) this.#plan()
  }

  async #writeBatch(batch: readonly Recordable<T>[]): Promise<void> {
    for (let retryMs = firstRetryMs; !this.#abandoned; retryMs = Math.min(retryMs * 2, maxRetryMs)) {
      try {
        const result = await this.#options.store.recordOutcomes(
          batch.map((item) => item.outcome),
          this.#options.breaker,
        )
        this.#setBlocked(false)
        this.#takeResult(batch, result)
        return
      } catch (error) {
        if (isStoreRefusal(error)) {
          // It answered: refused rows must not keep everything else waiting.
          this.#setBlocked(false)
          await this.#writeHalves(batch, error)
          return
        }
        this.#setBlocked(true)
        this.#options.logger.warn(
          { err: error, outcomes: batch.length },
          'outcomes could not be recorded, trying again',
        )
        await this.#sleep(retryMs)
      }
    }
  }

  async #writeHalves(batch: readonly Recordable<T>[], error: OuthookError): Promise<void> {
    const [only] = batch
    if (only === undefined) return
    if (batch.length > 1) {
      const middle = batch.length >> 1
      await this.#writeBatch(batch.slice(0, middle))
      await this.#writeBatch(batch.slice(middle))
      return
    }
    const { deliveryId } = only.outcome
    const bare = withoutCapture(only.outcome)
    if (bare !== null) {
      this.#options.logger.error(
        { err: error, deliveryId },
        'outcome refused by the store, recording it without its capture',
      )
      await this.#writeBatch([{ ...only, outcome: bare }])
      return
    }
    this.#options.logger.error({ err: error, deliveryId }, 'outcome refused by the store')
    this.#unwritten -= 1
    this.#options.onRefused(only)
  }

  #takeResult(batch: readonly Recordable<T>[], result: RecordResult): void {
    if (result.held.length === 0) {
      this.#unwritten -= batch.length
      this.#tell(batch, result)
      return
    }
    const held = new Set(result.held)
    this.#hold(batch.filter((_, index) => held.has(index)))
    this.#unwritten -= batch.length - held.size
    const recorded = result.recorded.filter((_, index) => !held.has(index))
    const others = batch.filter((_, index) => !held.has(index))
    if (others.length > 0) this.#tell(others, { ...result, recorded, held: [] })
  }

  #hold(items: readonly Recordable<T>[]): void {
    this.#held.push(...items)
    this.#heldCount += items.length
    this.#retrying ??= this.#retryHeld()
  }

  async #retryHeld(): Promise<void> {
    let delayMs = firstHeldMs
    while (this.#held.length > 0 && !this.#abandoned) {
      await this.#sleep(delayMs)
      const items = this.#held
      this.#held = []
      while (items.length > 0 && !this.#abandoned) {
        const batch = items.splice(0, this.#options.store.pace.outcomes.most)
        await this.#writeBatch(batch)
        this.#heldCount -= batch.length
      }
      delayMs = Math.min(delayMs * 2, maxHeldMs)
    }
    this.#retrying = null
  }

  /** A fault in what listens must not make a batch that is written be written again. */
  #tell(batch: readonly Recordable<T>[], result: RecordResult): void {
    try {
      this.#options.onRecorded(batch, result)
    } catch (error) {
      this.#options.logger.error({ err: error }, 'recorded outcomes could not be announced')
    }
  }

  #setBlocked(blocked: boolean): void {
    if (this.#blocked === blocked) return
    this.#blocked = blocked
    this.#options.onBlocked(blocked)
  }

  #sleep(delayMs: number): Promise<void> {
    if (this.#abandoned) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel()
        this.#sleepers.delete(wake)
        resolve()
      }
      const cancel = this.#options.clock.schedule(delayMs, wake)
      this.#sleepers.add(wake)
    })
  }
}

/** Error text may quote the response, so it goes as well. Null when there is nothing left to leave out. */
function withoutCapture(outcome: DeliveryOutcome): DeliveryOutcome | null {
  const { attempt } = outcome
  if (attempt === null || (attempt.response === null && attempt.error === null)) return null
  return { ...outcome, attempt: { ...attempt, response: null, error: null } }
}
