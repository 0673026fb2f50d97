/** Whose turn it is to fetch a credential's token: the rule of both databases, and the row that it is decided by. */
import type { StoredToken, TokenAsk, TokenTurn } from './port/tokens.ts'
import { versionOfTime } from './row-version.ts'

export interface TokenRow {
  readonly generation: number
  /** Null: there is none. */
  readonly sealed: Uint8Array | null
  readonly obtained_at: number | null
  readonly expires_at: number | null
  readonly failures: number
  readonly error: string | null
  readonly retry_at: number | null
  readonly holder: string | null
  readonly held_until: number | null
}

/** @param credential null: it was deleted */
export function decideTurn(
  row: TokenRow,
  ask: TokenAsk,
  { now, credential }: { readonly now: number; readonly credential: { readonly updated_at: number } | null },
): TokenTurn {
  if (credential === null || versionOfTime(credential.updated_at) !== ask.version) return { kind: 'outdated' }
  const token = toStoredToken(row, now)
  if (token !== null && token.generation !== ask.instead && token.leftMs > 0) return { kind: 'token', token }
  if (row.holder !== null && row.holder !== ask.holder && (row.held_until ?? 0) > now) return { kind: 'held' }
  if (row.retry_at !== null && row.retry_at > now) {
    return { kind: 'failed', error: row.error ?? '', waitMs: row.retry_at - now }
  }
  return { kind: 'granted', failures: row.failures }
}

export function toStoredToken(row: TokenRow, now: number): StoredToken | null {
  const { generation, sealed, obtained_at: obtainedAt, expires_at: expiresAt } = row
  if (sealed === null || obtainedAt === null || expiresAt === null) return null
  return { generation, sealed, lifeMs: expiresAt - obtainedAt, leftMs: expiresAt - now }
}
