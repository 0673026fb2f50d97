import { looksFrom } from '../../../core/claim/ready-row.ts'
import { idPrefixes } from '../../../core/ids.ts'
import { agedNow, nextSkipAfter } from '../../../core/time-line.ts'
import { armReady, readyRow } from '../claim/ready-endpoints.ts'
import { removeEndedPortalLinks } from '../config/portal-links.ts'
import { endExpiredLeases } from '../record/wait.ts'
import { deleteExpiredRequests } from '../requests/requests.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { type RepairCursor, repairLines } from './repair-lines.ts'

/** Where the next slice of `reconcileReady` begins: behind the integer of this target. */
export interface ReconcileCursor {
  after: number
  readonly lines: RepairCursor
}

const minuteMs = 60_000

/**
 * Mends lines of ordered deliveries, ends the leases whose time is over, and arms targets that have due work and no ready row, or one that comes too late:
 * a skip-scan, two seeks a target.
 */
export function reconcileReady(
  context: WriteContext,
  options: { readonly limit: number },
  cursor: ReconcileCursor,
): { readonly armed: number } {
  const { memory, now } = context
  const nextTarget = context.prepare(
    // live_deliveries_due
    `select target, tenant, due_at from live_deliveries indexed by live_deliveries_due
     where due_at is not null and state <> 1 and target > ? order by target, due_at limit 1`,
  )
  repairLines(context, options.limit, cursor.lines)
  const expired = memory.leases.expiredTargets(now, options.limit)
  for (const targetId of expired) endExpiredLeases(context, targetId)
  let armed = expired.length
  for (let looked = expired.length; looked < options.limit; looked++) {
    const row = nextTarget.get(cursor.after)
    if (row === undefined) {
      cursor.after = 0
      break
    }
    cursor.after = row.target as number
    if ((row.due_at as number) > now) continue
    const targetId = memory.names.idOf(row.target as number, idPrefixes.endpoint)
    const target = memory.bytes(targetId)
    const wanted = Math.max(now, memory.blockedUntil(targetId, now) ?? 0)
    const standing = readyRow(context, target)
    if (standing !== null && looksFrom(standing) <= wanted) continue
    const tenantId = memory.names.idOf(row.tenant as number, idPrefixes.tenant)
    armReady(context, memory.bytes(tenantId), targetId, now)
    armed += 1
  }
  return { armed }
}

export function deleteExpiredIdempotencyKeys(
  context: WriteContext,
  options: { readonly limit: number },
): { readonly more: boolean } {
  const { line, now } = context
  if (line.unprovenSince !== null) return { more: false }
  const remove = context.prepare(
    // idempotency_keys_expiry
    `delete from idempotency_keys where (tenant_id, scope, key) in
       (select tenant_id, scope, key from idempotency_keys where expires_at >= ? and expires_at < ?
        order by expires_at limit ?)`,
  )
  // Once, but for a line that skipped time that never passed.
  for (let from = 0; from <= now; from = nextSkipAfter(line, from)) {
    const before = Math.min(agedNow(line, from, now) + 1, nextSkipAfter(line, from))
    if (remove.run(from, before, options.limit).changes === options.limit) return { more: true }
  }
  const moreLinks = removeEndedPortalLinks(context, options.limit)
  return { more: deleteExpiredRequests(context, options.limit) || moreLinks }
}

/** Old rows of one (tenant, endpoint, state) become the row of minute 0. */
export function foldCounts(
  context: WriteContext,
  options: { readonly limit: number },
): { readonly more: boolean } {
  // The current minute is still being written to.
  const before = Math.floor(context.now / minuteMs)
  const rows = context
    .prepare(
      // primary key; a folded table has one row a group, so the scan stays small
      `select tenant_id, endpoint_id, state, minute, delta from delivery_counts
       where minute > 0 and minute < ? limit ?`,
    )
    .all(before, options.limit)
  const remove = context.prepare(
    'delete from delivery_counts where tenant_id = ? and endpoint_id = ? and state = ? and minute = ?',
  )
  const fold = context.prepare(
    `insert into delivery_counts (tenant_id, endpoint_id, state, minute, delta) values (?, ?, ?, 0, ?)
     on conflict do update set delta = delta + excluded.delta`,
  )
  for (const row of rows) {
    const key = [row.tenant_id as Uint8Array, row.endpoint_id as Uint8Array, row.state as string] as const
    remove.run(...key, row.minute as number)
    fold.run(...key, row.delta as number)
  }
  return { more: rows.length === options.limit }
}
