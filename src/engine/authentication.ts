/** Whose token it is. */
import type { KeyStore, StoreTime } from '../store/port.ts'
import { hashKeyText } from './key-text.ts'
import type { LastUses } from './last-uses.ts'
import { type Principal, toPrincipal } from './principal.ts'

export interface Authenticated {
  readonly principal: Principal
  /** After that the token is no longer good; null: no such time is known. */
  readonly validForMs: number | null
}

export interface AuthenticationOptions {
  readonly store: Pick<KeyStore, 'findApiKeys'>
  readonly time: StoreTime
  readonly uses: Pick<LastUses, 'note'>
}

export class Authentication {
  readonly #options: AuthenticationOptions

  constructor(options: AuthenticationOptions) {
    this.#options = options
  }

  /**
   * Null for each that is unknown, revoked or expired, in the order of the tokens. Errors: store_unavailable; a store
   * that is down never reads as "unknown".
   */
  async authenticate(tokens: readonly string[]): Promise<readonly (Authenticated | null)[]> {
    const { store, time, uses } = this.#options
    const found = await store.findApiKeys(tokens.map(hashKeyText))
    const now = time.now()
    return found.map((one) => {
      if (one === null) return null
      uses.note(one.key.id)
      const validForMs = one.until === null ? null : one.until - now
      return { principal: toPrincipal(one.key), validForMs }
    })
  }
}
