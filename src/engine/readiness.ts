/**
 * Whether a publish would be durable now. The best proof is one that was: while publishes succeed nothing else is asked.
 * Otherwise the store is asked, and once in a while has to write something as large as an event, because a disk that is
 * full, a lock or a standby shows only then. Many who ask at one time wait for one answer.
 */
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { IngestStore, Store } from '../store/port.ts'

/** Whoever asks, such as a load balancer, is answered by then. */
const answerWithinMs = 450
/** For so long a write that succeeded says that the next one would. */
const provenForMs = 1000
/** What is damaged need not be what the store's own probe writes to: for so long a publish that met it is believed. */
const damagedForMs = 10_000

export interface ReadinessOptions {
  readonly store: Pick<Store, 'ping' | 'probeWrite' | 'publish'>
  readonly clock: Clock
  readonly logger: Logger
}

export class Readiness {
  readonly #options: ReadinessOptions
  #asking: Promise<void> | null = null
  /** On the elapsed scale. */
  #provenUntil = Number.NEGATIVE_INFINITY
  #damage: { readonly error: OuthookError; readonly until: number } | null = null
  #isReady = true

  constructor(options: ReadinessOptions) {
    this.#options = options
  }

  /** The store's own, and what comes of it counts here. */
  readonly publish: IngestStore['publish'] = async (batch, options) => {
    try {
      const results = await this.#options.store.publish(batch, options)
      if (results.some(({ kind }) => kind === 'published')) this.#noteWritten()
      return results
    } catch (error) {
      if (error instanceof OuthookError && error.code === 'store_unavailable') this.#noteRefused(error)
      throw error
    }
  }

  #noteWritten(): void {
    this.#provenUntil = this.#options.clock.elapsed() + provenForMs
    this.#damage = null
  }

  #noteRefused(error: OuthookError): void {
    this.#provenUntil = Number.NEGATIVE_INFINITY
    if (error.fault !== 'damaged') return
    this.#damage = { error, until: this.#options.clock.elapsed() + damagedForMs }
  }

  /** Rejects with `store_unavailable`, and within half a second, while a publish would not be durable. */
  async check(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null
    })
    try {
      await this.#inTime(this.#asking)
      this.#setReady(true)
    } catch (error) {
      this.#setReady(false, error)
      throw error
    }
  }

  async #ask(): Promise<void> {
    const { store, clock } = this.#options
    await store.ping()
    if (this.#damage !== null && clock.elapsed() < this.#damage.until) throw this.#damage.error
    if (clock.elapsed() < this.#provenUntil) return
    await store.probeWrite()
    this.#provenUntil = clock.elapsed() + provenForMs
  }

  #inTime(asking: Promise<void>): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>()
    const cancel = this.#options.clock.schedule(answerWithinMs, () => {
      const message =
        'the database gave no answer in time; somebody may hold a lock on it, or it or its disk may be overloaded'
      reject(new OuthookError('store_unavailable', message, { publicDetail: message }))
    })
    return Promise.race([asking, promise]).finally(cancel)
  }

  #setReady(isReady: boolean, error?: unknown): void {
    if (isReady === this.#isReady) return
    this.#isReady = isReady
    const { logger } = this.#options
    if (isReady) logger.info({}, 'ready again: the database takes writes')
    else logger.warn({ err: error }, 'not ready: a publish would not be durable now')
  }
}
