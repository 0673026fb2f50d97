/** Tokens of producer keys and tenants that have a rate, by their ids: one row for all processes, locked while some are taken. */
import { takeFrom } from '../../../core/key-bucket.ts'
import type { KeyTokens, TakenTokens } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { type Context, command, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'

export function createKeyTokens({ atomic }: Runner): KeyTokens {
  return {
    take: (keyId, wanted) => atomic('config', (context) => takeKeyTokens(context, keyId, wanted)),
  }
}

async function takeKeyTokens(
  context: Context,
  keyId: string,
  { rps, count }: { readonly rps: number; readonly count: number },
): Promise<TakenTokens> {
  const key = uuidOfId(keyId)
  await run(context, makeBucketStatement, { key, rps })
  const [row] = await run(context, lockBucketStatement, { key })
  const known = row ? { rps: row.rps, fullAt: row.full_at, limitedUntil: row.limited_until } : null
  const now = context.moment
  const { taken, bucket } = takeFrom(known, { rps, count, now })
  await run(context, writeBucketStatement, {
    key,
    rps,
    full_at: bucket.fullAt,
    limited_until: bucket.limitedUntil,
  })
  return { count: taken, waitMs: Math.max(0, bucket.limitedUntil - now) }
}

const makeBucketStatement = command(
  'make_key_bucket',
  { key: 'uuid', rps: 'double precision' },
  'insert into key_rates (key_id, rps, full_at, limited_until) values ($key, $rps, 0, 0) on conflict do nothing',
)

const lockBucketStatement = query<{
  readonly rps: number
  readonly full_at: number
  readonly limited_until: number
}>()(
  'lock_key_bucket',
  { key: 'uuid' },
  // key_rates_pkey
  'select rps, full_at, limited_until from key_rates where key_id = $key for no key update',
)

const writeBucketStatement = command(
  'write_key_bucket',
  { key: 'uuid', rps: 'double precision', full_at: 'double precision', limited_until: 'bigint' },
  // key_rates_pkey
  'update key_rates set rps = $rps, full_at = $full_at, limited_until = $limited_until where key_id = $key',
)
