/**
 * When each key was used last. A request costs no write: of each key at most one use a minute is kept, and those of all
 * keys that were used within a second are one call.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { KeyStore, StoreTime } from '../store/port.ts'

const keepEveryMs = 60_000
const gatherMs = 1_000
/** Beyond, all are forgotten, and kept once more than needed. */
const maxKeys = 100_000

export interface KeyUsesOptions {
  readonly store: Pick<KeyStore, 'noteKeyUse'>
  readonly time: StoreTime
  readonly clock: Clock
  readonly logger: Logger
}

export class KeyUses {
  readonly #options: KeyUsesOptions
  /** By key, when a use was last taken to be kept. */
  readonly #takenAt = new Map<string, number>()
  readonly #waiting = new Map<string, number>()
  #cancel: (() => void) | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(options: KeyUsesOptions) {
    this.#options = options
  }

  note(keyId: string): void {
    const { clock, time } = this.#options
    const now = clock.elapsed()
    const takenAt = this.#takenAt.get(keyId)
    if (takenAt !== undefined && now - takenAt < keepEveryMs) return
    if (this.#takenAt.size >= maxKeys) this.#takenAt.clear()
    this.#takenAt.set(keyId, now)
    this.#waiting.set(keyId, time.now())
    this.#cancel ??= clock.schedule(gatherMs, () => this.#write())
  }

  /** Keeps what waits. */
  async close(): Promise<void> {
    this.#cancel?.()
    this.#write()
    await this.#writing
  }

  #write(): void {
    this.#cancel = null
    if (this.#waiting.size === 0) return
    const uses = [...this.#waiting].map(([id, at]) => ({ id, at }))
    this.#waiting.clear()
    const { store, logger } = this.#options
    this.#writing = store.noteKeyUse(uses).catch((err) => {
      // Their next use is tried again.
      for (const { id } of uses) this.#takenAt.delete(id)
      logger.debug({ err }, 'the last use of keys could not be kept')
    })
  }
}
