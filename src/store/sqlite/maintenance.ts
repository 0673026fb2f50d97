import { looksFrom } from '../../core/claim/ready-row.ts'
import { bytesToId, idPrefixes } from '../../core/ids.ts'
import { armReady, readyRow } from './ready-endpoints.ts'
import type { WriteContext } from './write-context.ts'

/** Where the next slice of `reconcileReady` begins. */
export interface ReconcileCursor {
  after: Uint8Array
}

const lowest = new Uint8Array(0)
const minuteMs = 60_000

/** Arms targets that have due work and no ready row, or one that comes too late: a skip-scan, two seeks a target. */
export function reconcileReady(
  context: WriteContext,
  options: { readonly limit: number },
  cursor: ReconcileCursor,
): { readonly armed: number } {
  const { memory, now } = context
  const nextTarget = context.prepare(
    // live_deliveries_due
    `select target_id, tenant_id, due_at from live_deliveries indexed by live_deliveries_due
     where due_at is not null and target_id > ? order by target_id, due_at limit 1`,
  )
  let armed = 0
  for (let looked = 0; looked < options.limit; looked++) {
    const row = nextTarget.get(cursor.after)
    if (row === undefined) {
      cursor.after = lowest
      break
    }
    const target = row.target_id as Uint8Array
    cursor.after = target
    if ((row.due_at as number) > now) continue
    const targetId = bytesToId(idPrefixes.endpoint, target)
    const wanted = Math.max(now, memory.blockedUntil(targetId, now) ?? 0)
    const standing = readyRow(context, target)
    if (standing !== null && looksFrom(standing) <= wanted) continue
    armReady(context, row.tenant_id as Uint8Array, targetId, now)
    armed += 1
  }
  return { armed }
}

/** A starting owner takes every lease back: whoever held one is gone. Each counts as lost when claimed again. */
export function voidLeases(context: WriteContext): void {
  const inFlight = context
    .prepare(`select coalesce(sum(delta), 0) as rows from delivery_counts where state = 'in_flight'`)
    .get()
  // A clean stop leaves nothing in flight, and then the scan over all live rows can be spared.
  if (inFlight?.rows === 0) return
  const voided = context
    .prepare(`update live_deliveries set due_at = ? where state = 'in_flight' returning tenant_id, target_id`)
    .all(context.now)
  const armed = new Set<string>()
  context.prepare('update endpoint_state set probe_delivery_id = null, probe_until = null').run()
  context.memory.forget()
  for (const row of voided) {
    const targetId = bytesToId(idPrefixes.endpoint, row.target_id as Uint8Array)
    if (armed.has(targetId)) continue
    armed.add(targetId)
    armReady(context, row.tenant_id as Uint8Array, targetId, context.now)
  }
}

export function deleteExpiredIdempotencyKeys(
  context: WriteContext,
  options: { readonly limit: number },
): { readonly more: boolean } {
  const result = context
    .prepare(
      // idempotency_keys_expiry
      `delete from idempotency_keys where (tenant_id, scope, key) in
         (select tenant_id, scope, key from idempotency_keys where expires_at <= ? order by expires_at limit ?)`,
    )
    .run(context.now, options.limit)
  return { more: result.changes === options.limit }
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
