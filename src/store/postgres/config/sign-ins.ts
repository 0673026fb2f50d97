import type { FoundSignIn, NewSignIn, SignInStore } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'

export function createSignInStore({ plain, atomic }: Runner): SignInStore {
  return {
    insertSignIn: (signIn) => atomic('config', (context) => insertSignIn(context, signIn)),
    findSignIns: (hashes) => plain('read', (context) => findSignIns(context, hashes)),
    takeSignIn: (hash) =>
      plain('config', async (context) => {
        const [taken] = await run(context, takeSignInStatement, { hash: Buffer.from(hash) })
        return taken?.is_current === true ? { tokenHash: taken.token_hash, until: taken.expires_at } : null
      }),
    deleteSignIn: (hash) =>
      plain('config', async (context) => {
        await run(context, deleteSignInStatement, { hash: Buffer.from(hash) })
      }),
  }
}

async function insertSignIn(context: Context, { hash, tokenHash, lifeMs }: NewSignIn): Promise<number> {
  await run(context, removeEndedStatement, {})
  const until = context.moment + lifeMs
  await run(context, insertSignInStatement, {
    hash: Buffer.from(hash),
    token_hash: Buffer.from(tokenHash),
    until,
  })
  return until
}

const removeEndedStatement = command(
  'remove_ended_sign_ins',
  {},
  // sign_ins_end; what somebody else removes just now is left to them.
  `delete from sign_ins where hash = any(array(
     select hash from sign_ins where expires_at <= ${now} order by expires_at limit 1000 for update skip locked
   ))`,
)

const insertSignInStatement = command(
  'insert_sign_in',
  { hash: 'bytea', token_hash: 'bytea', until: 'bigint' },
  'insert into sign_ins (hash, token_hash, expires_at) values ($hash, $token_hash, $until)',
)

async function findSignIns(
  context: Context,
  hashes: readonly Uint8Array[],
): Promise<readonly (FoundSignIn | null)[]> {
  const found: (FoundSignIn | null)[] = hashes.map(() => null)
  const texts = hashes.map((hash) => Buffer.from(hash).toString('hex'))
  for (const row of await run(context, findSignInsStatement, { hashes: texts })) {
    found[row.place - 1] = { tokenHash: row.token_hash, until: row.expires_at }
  }
  return found
}

const findSignInsStatement = query<{
  readonly place: number
  readonly token_hash: Uint8Array
  readonly expires_at: number
}>()(
  'find_sign_ins',
  { hashes: 'text[]' },
  // sign_ins_pkey
  `select given.place, found.* from unnest($hashes) with ordinality as given(hash, place)
   cross join lateral (
     select token_hash, expires_at from sign_ins
     where hash = decode(given.hash, 'hex') and expires_at > ${now} limit 1
   ) found`,
)

const takeSignInStatement = query<{
  readonly token_hash: Uint8Array
  readonly expires_at: number
  readonly is_current: boolean
}>()(
  'take_sign_in',
  { hash: 'bytea' },
  // sign_ins_pkey
  `delete from sign_ins where hash = $hash
   returning token_hash, expires_at, expires_at > ${now} as is_current`,
)

const deleteSignInStatement = command(
  'delete_sign_in',
  { hash: 'bytea' },
  'delete from sign_ins where hash = $hash',
)
