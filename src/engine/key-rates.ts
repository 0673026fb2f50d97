/**
 * How fast events may come in with each producer key, and for each tenant: a bucket of tokens for each, which both are
 * called keys here, of up to two seconds' worth. Where
 * several processes share a store, the bucket is there, and each process fetches some tokens at a time, so that the rate
 * holds for all of them together and most events cost no round trip.
 */
import type { Clock } from '../core/clock.ts'
import { type KeyBucket, takeFrom } from '../core/key-bucket.ts'
import type { KeyTokens, TakenTokens } from '../store/port.ts'

export type { TakenTokens } from '../store/port.ts'

/** Beyond these, keys whose bucket is full again are forgotten: they are as good as new. */
const maxKeys = 10_000
/** Tokens that were fetched and not used by then are void. */
const holdMs = 1_000
/** So much of a second is fetched at a time. */
const fetchesPerSecond = 20

export interface KeyRatesOptions {
  readonly clock: Pick<Clock, 'elapsed'>
  /** Null: this process alone takes events. */
  readonly tokens: KeyTokens | null
}

export interface Wanted {
  readonly rps: number
  readonly count: number
}

export class KeyRates {
  readonly #takeHere: (keyId: string, wanted: Wanted) => TakenTokens | null
  readonly #fetch: ((keyId: string, wanted: Wanted) => Promise<TakenTokens>) | null

  constructor({ clock, tokens }: KeyRatesOptions) {
    if (tokens === null) {
      const buckets = new OwnBuckets(clock)
      this.#takeHere = (keyId, wanted) => buckets.take(keyId, wanted)
      this.#fetch = null
    } else {
      const held = new HeldTokens(clock, tokens)
      this.#takeHere = (keyId, wanted) => held.take(keyId, wanted)
      this.#fetch = (keyId, wanted) => held.takeOrFetch(keyId, wanted)
    }
  }

  /** Null: that is not known without asking the store. */
  takeNow(keyId: string, wanted: Wanted): TakenTokens | null {
    return this.#takeHere(keyId, wanted)
  }

  /** As many as there are, `count` at most. Errors: store_unavailable. */
  take(keyId: string, wanted: Wanted): TakenTokens | Promise<TakenTokens> {
    const taken = this.#takeHere(keyId, wanted)
    if (taken !== null) return taken
    return this.#fetch?.(keyId, wanted) ?? { count: 0, waitMs: 0 }
  }
}

class OwnBuckets {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #buckets = new Map<string, KeyBucket>()

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock
  }

  take(keyId: string, { rps, count }: Wanted): TakenTokens {
    const now = this.#clock.elapsed()
    const known = this.#buckets.get(keyId)
    const { taken, bucket } = takeFrom(known ?? null, { rps, count, now })
    if (known === undefined && this.#buckets.size >= maxKeys) this.#forgetFull(now)
    this.#buckets.set(keyId, bucket)
    return { count: taken, waitMs: Math.max(0, bucket.limitedUntil - now) }
  }

  #forgetFull(now: number): void {
    for (const [id, { fullAt }] of this.#buckets) if (fullAt <= now) this.#buckets.delete(id)
  }
}

interface Held {
  rps: number
  count: number
  voidAt: number
  /** Nothing is there before. */
  emptyUntil: number
  fetching: Promise<void> | null
}

class HeldTokens {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #tokens: KeyTokens
  readonly #held = new Map<string, Held>()

  constructor(clock: Pick<Clock, 'elapsed'>, tokens: KeyTokens) {
    this.#clock = clock
    this.#tokens = tokens
  }

  take(keyId: string, { rps, count }: Wanted): TakenTokens | null {
    const held = this.#heldOf(keyId)
    if (held.rps !== rps) Object.assign(held, { rps, count: 0, emptyUntil: 0 })
    const now = this.#clock.elapsed()
    if (now >= held.voidAt) held.count = 0
    if (held.count < count && now >= held.emptyUntil) return null
    const taken = Math.min(held.count, count)
    held.count -= taken
    return { count: taken, waitMs: taken > 0 ? 0 : held.emptyUntil - now }
  }

  async takeOrFetch(keyId: string, wanted: Wanted): Promise<TakenTokens> {
    for (;;) {
      const taken = this.take(keyId, wanted)
      if (taken !== null) return taken
      const held = this.#heldOf(keyId)
      held.fetching ??= this.#fetch(keyId, held, wanted).finally(() => {
        held.fetching = null
      })
      await held.fetching
    }
  }

  async #fetch(keyId: string, held: Held, { rps, count }: Wanted): Promise<void> {
    const missing = count - held.count
    const wanted = Math.max(missing, Math.ceil(rps / fetchesPerSecond))
    const { count: got, waitMs } = await this.#tokens.take(keyId, { rps, count: wanted })
    const now = this.#clock.elapsed()
    held.count += got
    held.voidAt = now + holdMs
    if (got < wanted) held.emptyUntil = now + Math.max(1, waitMs)
  }

  #heldOf(keyId: string): Held {
    const known = this.#held.get(keyId)
    if (known !== undefined) return known
    if (this.#held.size >= maxKeys) this.#forgetIdle()
    const held = { rps: 0, count: 0, voidAt: 0, emptyUntil: 0, fetching: null }
    this.#held.set(keyId, held)
    return held
  }

  #forgetIdle(): void {
    const now = this.#clock.elapsed()
    for (const [id, { voidAt, fetching }] of this.#held) {
      if (voidAt <= now && fetching === null) this.#held.delete(id)
    }
  }
}
