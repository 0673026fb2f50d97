import type { StoredToken, TokenAsk, TokenTurn } from '../../port.ts'
import { decideTurn, type TokenRow, toStoredToken } from '../../token-turn.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'

const tokenColumns = `generation, sealed, obtained_at, expires_at, failures, error, retry_at, holder, held_until`

type NowRow = TokenRow & { readonly now: number }

export async function takeTokenTurn(
  context: Context,
  credentialId: string,
  ask: TokenAsk,
): Promise<TokenTurn> {
  const id = uuidOfId(credentialId)
  const [credential] = await run(context, credentialStatement, { id })
  if (credential === undefined) return { kind: 'outdated' }
  await run(context, insertStatement, { id })
  const [row] = await run(context, lockStatement, { id })
  if (row === undefined) return { kind: 'outdated' }
  const turn = decideTurn(row, ask, { now: row.now, credential })
  if (turn.kind === 'granted') {
    await run(context, holdStatement, { id, holder: ask.holder, lease_ms: Math.round(ask.leaseMs) })
  }
  return turn
}

const credentialStatement = query<{ readonly updated_at: number }>()(
  'credential_of_token',
  { id: 'uuid' },
  // primary key
  'select updated_at from credentials where id = $id',
)

const insertStatement = command(
  'insert_credential_token',
  { id: 'uuid' },
  'insert into credential_tokens (credential_id) values ($id) on conflict do nothing',
)

const lockStatement = query<NowRow>()(
  'lock_credential_token',
  { id: 'uuid' },
  // primary key
  `select ${tokenColumns}, ${now} as now from credential_tokens where credential_id = $id for no key update`,
)

const holdStatement = command(
  'hold_credential_token',
  { id: 'uuid', holder: 'text', lease_ms: 'bigint' },
  // primary key
  `update credential_tokens set holder = $holder, held_until = ${now} + $lease_ms where credential_id = $id`,
)

export async function keepToken(
  context: Context,
  credentialId: string,
  holder: string,
  { sealed, lifeMs }: { readonly sealed: Uint8Array; readonly lifeMs: number },
): Promise<StoredToken | null> {
  const [row] = await run(context, keepStatement, {
    id: uuidOfId(credentialId),
    holder,
    sealed: Buffer.from(sealed),
    life_ms: Math.round(lifeMs),
  })
  return row === undefined ? null : toStoredToken(row, row.now)
}

const keepStatement = query<NowRow>()(
  'keep_credential_token',
  { id: 'uuid', holder: 'text', sealed: 'bytea', life_ms: 'bigint' },
  // primary key
  `update credential_tokens set generation = generation + 1, sealed = $sealed, obtained_at = ${now},
       expires_at = ${now} + $life_ms, failures = 0, error = null, retry_at = null, holder = null, held_until = null
     where credential_id = $id and holder = $holder returning ${tokenColumns}, ${now} as now`,
)

export async function failToken(
  context: Context,
  credentialId: string,
  holder: string,
  { error, retryMs }: { readonly error: string; readonly retryMs: number },
): Promise<void> {
  const retry_ms = Math.round(retryMs)
  await run(context, failStatement, { id: uuidOfId(credentialId), holder, error, retry_ms })
}

const failStatement = command(
  'fail_credential_token',
  { id: 'uuid', holder: 'text', error: 'text', retry_ms: 'bigint' },
  // primary key
  `update credential_tokens set failures = failures + 1, error = $error, retry_at = ${now} + $retry_ms,
       holder = null, held_until = null
     where credential_id = $id and holder = $holder`,
)

/** It was got with what the credential is no longer; whoever fetches one just now loses its turn. */
export async function dropToken(context: Context, credentialId: string): Promise<void> {
  await run(context, dropStatement, { id: uuidOfId(credentialId) })
}

const dropStatement = command(
  'drop_credential_token',
  { id: 'uuid' },
  // primary key
  `update credential_tokens set generation = generation + 1, sealed = null, failures = 0, error = null,
       retry_at = null, holder = null, held_until = null
     where credential_id = $id`,
)
