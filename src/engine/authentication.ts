/** Whose token it is. */
import { calendarOf } from '../core/time-line.ts'
import type { KeyStore, PortalLinkStore, StoreTime } from '../store/port.ts'
import { hashKeyText } from './key-text.ts'
import type { LastUses } from './last-uses.ts'
import { type Principal, toPortalPrincipal, toPrincipal } from './principal.ts'

export interface Authenticated {
  readonly principal: Principal
  /** After that the token is no longer good; null: no such time is known. */
  readonly validForMs: number | null
}

/** A link to the portal whose token is right and comes too late. */
export interface EndedLink {
  readonly ended: 'expired' | 'revoked'
}

export interface AuthenticationOptions {
  readonly store: Pick<KeyStore, 'findApiKeys'> & Pick<PortalLinkStore, 'findPortalLinks'>
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

  /** The same for tokens of links to the portal, of which it is told that they have ended. */
  async authenticatePortal(
    tokens: readonly string[],
  ): Promise<readonly (Authenticated | EndedLink | null)[]> {
    const { store, time } = this.#options
    const found = await store.findPortalLinks(tokens.map(hashKeyText))
    const now = time.now()
    return found.map((link) => {
      if (link === null) return null
      if (link.revokedAt !== null) return { ended: 'revoked' }
      const validForMs = link.expiresAt - now
      return validForMs <= 0
        ? { ended: 'expired' }
        : {
            principal: toPortalPrincipal({ ...link, expiresAt: calendarOf(time.line, link.expiresAt) }),
            validForMs,
          }
    })
  }
}
