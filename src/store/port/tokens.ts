/** Tokens of credentials that are fetched: kept for all processes, and fetched by one at a time. The rules of `../port.ts` hold. */

export interface StoredToken {
  /** Counts the credential's tokens. */
  readonly generation: number
  /** Under the master key. */
  readonly sealed: Uint8Array
  /** Of its whole life, and what is left of it. */
  readonly lifeMs: number
  readonly leftMs: number
}

export interface TokenAsk {
  /** Of the credential as the caller knows it. */
  readonly version: string
  /** The token that is to be replaced, because it ends soon or was refused; null: any that is good will do. */
  readonly instead: number | null
  /** Names the caller, who may ask again. */
  readonly holder: string
  readonly leaseMs: number
}

export type TokenTurn =
  /** There is another one than that which is to be replaced. */
  | { readonly kind: 'token'; readonly token: StoredToken }
  /** The caller is to fetch one, until its lease ends. */
  | { readonly kind: 'granted'; readonly failures: number }
  /** Somebody else fetches it. */
  | { readonly kind: 'held' }
  /** It could not be got, and nobody tries again before `waitMs` are over. */
  | { readonly kind: 'failed'; readonly error: string; readonly waitMs: number }
  /** The credential is not what the caller knows. */
  | { readonly kind: 'outdated' }

export interface TokenStore {
  /** Atomic: of those who ask at one time, in whatever process, one is granted the turn. */
  takeTokenTurn(credentialId: string, ask: TokenAsk): Promise<TokenTurn>
  /** Ends the turn with a token. Null, and nothing kept: the turn was not the caller's any more. */
  keepToken(
    credentialId: string,
    holder: string,
    token: { readonly sealed: Uint8Array; readonly lifeMs: number },
  ): Promise<StoredToken | null>
  /** Ends the turn without one; nobody is granted another before `retryMs` are over. */
  failToken(
    credentialId: string,
    holder: string,
    failure: { readonly error: string; readonly retryMs: number },
  ): Promise<void>
}
