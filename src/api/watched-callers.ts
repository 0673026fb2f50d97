/**
 * Callers whose answer goes on for as long as they may have it. Each is looked up again every few seconds, as a key is
 * that is used again and again, and at once when something of a key was changed through this server.
 */
import type { Clock } from '../core/clock.ts'
import type { Authenticated } from '../engine/authentication.ts'
import type { Principal } from '../engine/principal.ts'

const everyMs = 5_000

/** A code lets nobody read. */
const watchedKinds = ['token', 'signIn', 'portal'] as const
export type CredentialKind = (typeof watchedKinds)[number]

export interface WatchedCaller {
  readonly kind: CredentialKind
  readonly text: string
  /** Whether who it is now may still have it. */
  admits(principal: Principal): boolean
  onEnd(): void
}

export interface WatchedCallersOptions {
  readonly clock: Clock
  /** Of each text, in their order; null: it is nobody's any more. */
  readonly lookUp: (
    kind: CredentialKind,
    texts: readonly string[],
  ) => Promise<readonly (Authenticated | null)[]>
}

export class WatchedCallers {
  readonly #options: WatchedCallersOptions
  readonly #watched = new Set<WatchedCaller>()
  #cancel: (() => void) | null = null
  #looking = false

  constructor(options: WatchedCallersOptions) {
    this.#options = options
  }

  watch(caller: WatchedCaller): () => void {
    this.#watched.add(caller)
    this.#lookIn(everyMs)
    return () => {
      this.#watched.delete(caller)
      if (this.#watched.size === 0) this.#stopTimer()
    }
  }

  /** Somebody's key or sign-in was changed. */
  lookNow(): void {
    if (this.#watched.size === 0) return
    this.#stopTimer()
    this.#lookIn(0)
  }

  close(): void {
    this.#watched.clear()
    this.#stopTimer()
  }

  #stopTimer(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  #lookIn(delayMs: number): void {
    this.#cancel ??= this.#options.clock.schedule(delayMs, () => {
      this.#cancel = null
      void this.#look()
    })
  }

  async #look(): Promise<void> {
    if (this.#looking) return this.#lookIn(everyMs / 10)
    this.#looking = true
    let nextMs = everyMs
    for (const kind of watchedKinds) {
      const callers = [...this.#watched].filter((one) => one.kind === kind)
      if (callers.length > 0) nextMs = Math.min(nextMs, await this.#lookAt(kind, callers))
    }
    this.#looking = false
    if (this.#watched.size > 0) this.#lookIn(nextMs)
  }

  /** Milliseconds until one of them ends by itself, as far as that is known. */
  async #lookAt(kind: CredentialKind, callers: readonly WatchedCaller[]): Promise<number> {
    let found: readonly (Authenticated | null)[]
    try {
      found = await this.#options.lookUp(kind, [...callers.map(({ text }) => text)])
    } catch {
      // A store that cannot be asked says nothing about anybody.
      return everyMs
    }
    let nextMs = everyMs
    callers.forEach((caller, index) => {
      const one = found[index] ?? null
      if (one === null || !caller.admits(one.principal)) {
        if (this.#watched.delete(caller)) caller.onEnd()
      } else nextMs = Math.min(nextMs, one.validForMs ?? everyMs)
    })
    return Math.max(nextMs, 1)
  }
}
