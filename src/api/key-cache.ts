/**
 * Keys that the store knows, trusted for up to 5 s: without that each publish would first be a read of the store.
 * Revoking or changing a key through this server forgets it at once; elsewhere it goes on as it was for those seconds.
 * Unknown tokens are never remembered here: a key works as soon as it is made, and guesses fill no memory.
 */
import type { Clock } from '../core/clock.ts'
import type { Authenticated } from '../engine/authentication.ts'
import type { Principal } from '../engine/principal.ts'

const maxCacheMs = 5_000
const maxCachedKeys = 10_000

export interface KnownKey {
  readonly principal: Principal
  readonly until: number
  /** As many as there had been. */
  readonly changes: number
}

export interface KeyCacheOptions {
  readonly cacheMs: number
  readonly clock: Clock
}

export type LookUp = () => Promise<Authenticated | null>

export class KeyCache {
  readonly #clock: Clock
  readonly #ttlMs: number
  readonly #cached = new Map<string, Omit<KnownKey, 'changes'>>()
  readonly #asked = new Map<string, Promise<Principal | null>>()
  // An answer that was under way when a key was changed may be older than that: it is used but not kept.
  #changes = 0

  constructor({ cacheMs, clock }: KeyCacheOptions) {
    this.#clock = clock
    this.#ttlMs = Math.min(Math.max(cacheMs, 0), maxCacheMs)
  }

  /** Null: the store has to be asked. */
  known(digest: string): KnownKey | null {
    const entry = this.#cached.get(digest)
    if (entry === undefined || entry.until <= this.#clock.elapsed()) return null
    return { ...entry, changes: this.#changes }
  }

  isCurrent(key: KnownKey): boolean {
    return key.changes === this.#changes && key.until > this.#clock.elapsed()
  }

  /** Asks once for all who want to know at the same time. */
  find(digest: string, lookUp: LookUp): Promise<Principal | null> {
    const underWay = this.#asked.get(digest)
    if (underWay !== undefined) return underWay
    const before = this.#changes
    const answer = lookUp().then((found) => {
      if (found !== null && before === this.#changes) this.#keep(digest, found)
      return found?.principal ?? null
    })
    this.#asked.set(digest, answer)
    const settled = (): void => void (this.#asked.get(digest) === answer && this.#asked.delete(digest))
    answer.then(settled, settled)
    return answer
  }

  /** Makes the next use of the key ask the store. */
  forget(keyId: string): void {
    this.#changes++
    this.#asked.clear()
    for (const [digest, { principal }] of this.#cached) {
      if (principal.keyId === keyId) this.#cached.delete(digest)
    }
  }

  /** The same for what has this digest. */
  forgetDigest(digest: string): void {
    this.#changes++
    this.#asked.clear()
    this.#cached.delete(digest)
  }

  #keep(digest: string, { principal, validForMs }: Authenticated): void {
    const ttlMs = Math.min(this.#ttlMs, validForMs ?? Number.POSITIVE_INFINITY)
    if (ttlMs <= 0) return
    if (this.#cached.size >= maxCachedKeys) this.#cached.clear()
    this.#cached.set(digest, { principal, until: this.#clock.elapsed() + ttlMs })
  }
}
