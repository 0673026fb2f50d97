/**
 * Looks up tokens from addresses that have sent many wrong ones. A valid token is found all the same, a moment later;
 * wrong ones cost the store one call for all that came meanwhile.
 */
import type { Clock } from '../core/clock.ts'
import type { Authenticated } from '../engine/authentication.ts'

const gatherMs = 50
const maxTogether = 500

export interface SlowLookUpsOptions {
  /** In the order of the texts; null for each that nobody has. */
  readonly authenticate: (texts: readonly string[]) => Promise<readonly (Authenticated | null)[]>
  readonly clock: Clock
}

interface Waiting {
  readonly token: string
  readonly resolve: (found: Authenticated | null) => void
  readonly reject: (error: unknown) => void
}

export class SlowLookUps {
  readonly #options: SlowLookUpsOptions
  readonly #waiting: Waiting[] = []
  #isAsking = false

  constructor(options: SlowLookUpsOptions) {
    this.#options = options
  }

  find(token: string): Promise<Authenticated | null> {
    const { promise, resolve, reject } = Promise.withResolvers<Authenticated | null>()
    this.#waiting.push({ token, resolve, reject })
    this.#askSoon()
    return promise
  }

  #askSoon(): void {
    if (this.#isAsking || this.#waiting.length === 0) return
    this.#isAsking = true
    this.#options.clock.schedule(gatherMs, () => void this.#ask())
  }

  async #ask(): Promise<void> {
    const batch = this.#waiting.splice(0, maxTogether)
    try {
      const found = await this.#options.authenticate(batch.map(({ token }) => token))
      for (const [index, { resolve }] of batch.entries()) resolve(found[index] ?? null)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.#isAsking = false
    this.#askSoon()
  }
}
