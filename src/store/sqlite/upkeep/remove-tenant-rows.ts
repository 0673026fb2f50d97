import type { RemovalStep } from '../../tenant-removal.ts'
import type { WriteContext } from '../threads/write-context.ts'

/** Rows of a deleted tenant that have nothing to do with others of it. */
interface RemovedTenant {
  readonly bytes: Uint8Array
  readonly limit: number
}

export function removeIdempotencyKeys(context: WriteContext, { bytes, limit }: RemovedTenant): RemovalStep {
  const { changes } = context
    .prepare(
      // primary key
      `delete from idempotency_keys where (tenant_id, scope, key) in
         (select tenant_id, scope, key from idempotency_keys where tenant_id = ? limit ?)`,
    )
    .run(bytes, limit)
  return changes === 0 ? null : {}
}

/**
 * Two days of minutes and three months of hours of each endpoint; and what the removal itself left to be folded, or it would
 * come back.
 */
export function removeStats(context: WriteContext, { bytes, limit }: RemovedTenant): RemovalStep {
  const pending = context.prepare('delete from stats_deltas where tenant_id = ?').run(bytes)
  const folded = context
    .prepare(
      // primary key
      `delete from stats where (tenant_id, endpoint_id, span, start) in
         (select tenant_id, endpoint_id, span, start from stats where tenant_id = ? limit ?)`,
    )
    .run(bytes, limit)
  return pending.changes === 0 && folded.changes === 0 ? null : {}
}
