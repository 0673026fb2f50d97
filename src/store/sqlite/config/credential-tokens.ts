import { idToBytes } from '../../../core/ids.ts'
import type { StoredToken, TokenAsk, TokenTurn } from '../../port.ts'
import { decideTurn, type TokenRow, toStoredToken } from '../../token-turn.ts'
import type { WriteContext } from '../threads/write-context.ts'

export function takeTokenTurn(context: WriteContext, credentialId: string, ask: TokenAsk): TokenTurn {
  const id = idToBytes(credentialId)
  const { now } = context
  const credential = context
    .prepare<{ readonly updated_at: number }>('select updated_at from credentials where id = ?') // primary key
    .get(id)
  if (credential === undefined) return { kind: 'outdated' }
  context.prepare('insert into credential_tokens (credential_id) values (?) on conflict do nothing').run(id)
  const turn = decideTurn(readToken(context, id), ask, { now, credential })
  if (turn.kind === 'granted') {
    context
      .prepare('update credential_tokens set holder = ?, held_until = ? where credential_id = ?')
      .run(ask.holder, now + ask.leaseMs, id)
  }
  return turn
}

export function keepToken(
  context: WriteContext,
  credentialId: string,
  holder: string,
  { sealed, lifeMs }: { readonly sealed: Uint8Array; readonly lifeMs: number },
): StoredToken | null {
  const id = idToBytes(credentialId)
  const { now } = context
  const { changes } = context
    .prepare(
      `update credential_tokens set generation = generation + 1, sealed = ?, obtained_at = ?, expires_at = ?,
         failures = 0, error = null, retry_at = null, holder = null, held_until = null
       where credential_id = ? and holder = ?`,
    )
    .run(sealed, now, now + lifeMs, id, holder)
  return changes === 0 ? null : toStoredToken(readToken(context, id), now)
}

export function failToken(
  context: WriteContext,
  credentialId: string,
  holder: string,
  { error, retryMs }: { readonly error: string; readonly retryMs: number },
): void {
  context
    .prepare(
      `update credential_tokens set failures = failures + 1, error = ?, retry_at = ?, holder = null,
         held_until = null
       where credential_id = ? and holder = ?`,
    )
    .run(error, context.now + retryMs, idToBytes(credentialId), holder)
}

/** It was got with what the credential is no longer; whoever fetches one just now loses its turn. */
export function dropToken(context: WriteContext, id: Uint8Array): void {
  context
    .prepare(
      `update credential_tokens set generation = generation + 1, sealed = null, failures = 0, error = null,
         retry_at = null, holder = null, held_until = null
       where credential_id = ?`,
    )
    .run(id)
}

function readToken(context: WriteContext, id: Uint8Array): TokenRow {
  // primary key
  return context
    .prepare<TokenRow>('select * from credential_tokens where credential_id = ?')
    .get(id) as TokenRow
}
