/** What a starting owner does with the leases of the one before it, in one transaction. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { noResult } from '../record/last-result.ts'
import { endLostLease, insertWaiting } from '../record/wait.ts'
import { findInFanOut, ownersIn } from '../rows/fan-out.ts'
import { isWaiting, readHandoffs, type WrittenLease } from '../rows/handoff-row.ts'
import { codeOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'

/**
 * Whoever held them is gone, so each that has no outcome becomes due, with one lost claim more, unless it still waited for
 * its first claim. Which have one is seen in the tables: a delivery that is finished, or waits, or was leased again.
 */
export function endHandoffs(context: WriteContext): void {
  const leases = readHandoffs(context)
  if (leases.length === 0) return
  const armed = new Set<number>()
  for (const lease of leases) {
    const target = makeDue(context, lease)
    if (target !== null) armed.add(target)
  }
  context.prepare('delete from handoffs').run()
  context.prepare('update endpoint_state set probe_delivery_id = null, probe_until = null').run()
  context.memory.forget()
  for (const target of armed) {
    const { tenantId, targetId } = ownerOf(context, target)
    armReady(context, context.memory.bytes(tenantId), targetId, context.now)
  }
}

/** The target's integer; null: the lease had ended. */
function makeDue(context: WriteContext, lease: WrittenLease): number | null {
  const live = context
    .prepare('select state, claim_version, target from live_deliveries where k = ?') // primary key
    .get(lease.key)
  if (live === undefined) return insertDue(context, lease)
  const isHeld = live.state === codeOf('in_flight') && live.claim_version === lease.claimVersion
  if (!isHeld) return null
  endLostLease(context, lease.key)
  return live.target as number
}

/** Of a delivery that was handed off: it is known from its event alone. */
function insertDue(context: WriteContext, lease: WrittenLease): number | null {
  const isFinished = context.prepare('select 1 from deliveries where k = ?').get(lease.key) !== undefined // primary key
  if (isFinished) return null
  const event = context
    .prepare<{ tenant: number; created_at: number; fan_out: Uint8Array }>(
      'select tenant, created_at, fan_out from events where k = ?',
    )
    .get(lease.eventKey) // primary key
  const entry = event === undefined ? null : findInFanOut(event.fan_out, lease.key)
  if (event === undefined || entry === null) return null
  const { names } = context.memory
  const { tenant } = event
  const row = {
    ...entry,
    tenant,
    eventKey: lease.eventKey,
    ...ownersIn(entry),
    createdAt: event.created_at,
    line: null,
    place: null,
  }
  const values = { ...noResult, claimVersion: lease.claimVersion, lostClaims: isWaiting(lease) ? 0 : 1 }
  insertWaiting(context, row, { ...values, dueAt: context.now, reason: null })
  const owner = {
    tenantId: names.idOf(tenant, idPrefixes.tenant),
    endpointId: entry.endpoint === 0 ? null : names.idOf(entry.endpoint, idPrefixes.endpoint),
  }
  if (!isWaiting(lease)) context.counts.move(owner, 'in_flight', 'pending')
  return entry.target
}

function ownerOf(
  context: WriteContext,
  target: number,
): { readonly tenantId: string; readonly targetId: string } {
  const row = context
    .prepare(
      // live_deliveries_due
      `select t.id as tenant_id, n.id as target_id
       from live_deliveries d join names t on t.n = d.tenant join names n on n.n = d.target
       where d.target = ? and d.due_at is not null and d.state <> 1 order by d.due_at limit 1`,
    )
    .get(target)
  return {
    tenantId: bytesToId(idPrefixes.tenant, row?.tenant_id as Uint8Array),
    targetId: bytesToId(idPrefixes.endpoint, row?.target_id as Uint8Array),
  }
}
