import type { FoundSignIn, NewSignIn } from '../../port.ts'
import type { ReadContext } from '../read/context.ts'
import type { WriteContext } from '../threads/write-context.ts'

/** So many that have ended are removed at a time. */
const maxRemoved = 1000

export function insertSignIn({ prepare, now }: WriteContext, { hash, tokenHash, lifeMs }: NewSignIn): number {
  // sign_ins_end
  prepare(
    `delete from sign_ins
     where hash in (select hash from sign_ins where expires_at <= ? order by expires_at limit ?)`,
  ).run(now, maxRemoved)
  const until = now + lifeMs
  prepare('insert into sign_ins (hash, token_hash, expires_at) values (?, ?, ?)').run(hash, tokenHash, until)
  return until
}

export function findSignIns(
  context: ReadContext,
  hashes: readonly Uint8Array[],
): readonly (FoundSignIn | null)[] {
  // the primary key
  const find = context.prepare<{ readonly token_hash: Uint8Array; readonly expires_at: number }>(
    'select token_hash, expires_at from sign_ins where hash = ? and expires_at > ?',
  )
  return hashes.map((hash) => {
    const row = find.get(hash, context.now)
    return row === undefined ? null : { tokenHash: row.token_hash, until: row.expires_at }
  })
}

export function takeSignIn({ prepare, now }: WriteContext, hash: Uint8Array): FoundSignIn | null {
  // the primary key
  const taken = prepare<{ readonly token_hash: Uint8Array; readonly expires_at: number }>(
    'delete from sign_ins where hash = ? returning token_hash, expires_at',
  ).get(hash)
  if (taken === undefined || taken.expires_at <= now) return null
  return { tokenHash: taken.token_hash, until: taken.expires_at }
}

export function deleteSignIn({ prepare }: WriteContext, hash: Uint8Array): void {
  prepare('delete from sign_ins where hash = ?').run(hash)
}
