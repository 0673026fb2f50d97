/** Skips a dead letter that blocks its line, so that the next one goes. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { stateCell } from '../../../core/stats/cells.ts'
import type { SkipResult } from '../../port.ts'
import { findKey } from '../rows/key-space.ts'
import { codeOf, stateOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { stateOfLease } from './last-result.ts'
import { findBlocked, firstOf, takeOut } from './lines.ts'

interface Found {
  readonly state: number
  readonly tenant: number
  readonly endpoint: number | null
  readonly target: number
}

export function skip(
  context: WriteContext,
  tenantId: string,
  deliveryId: string,
  reason: string,
): SkipResult {
  const { leases, names } = context.memory
  const lease = leases.get(deliveryId)
  if (lease !== null && !lease.isLive) {
    if (lease.tenantId !== tenantId) return { kind: 'not_found' }
    return { kind: 'not_skippable', state: stateOfLease(lease) }
  }
  const found = find(context, deliveryId)
  if (found === null || names.idOf(found.row.tenant, idPrefixes.tenant) !== tenantId) {
    return { kind: 'not_found' }
  }
  const { key, row } = found
  if (row.state === codeOf('skipped')) {
    return { kind: 'skipped', nextHeadDeliveryId: nextHead(context, key), targetId: null }
  }
  const line = row.state === codeOf('dead_lettered') ? findBlocked(context, key) : null
  if (line === null) return { kind: 'not_skippable', state: stateOf(row.state) }
  context
    .prepare(
      // primary key
      `update deliveries set state = ${codeOf('skipped')}, claim_version = claim_version + 1, last_error = ?, updated_at = ?
       where k = ?`,
    )
    .run(reason, context.now, key)
  const endpointId = row.endpoint === null ? null : names.idOf(row.endpoint, idPrefixes.endpoint)
  context.counts.move({ tenantId, endpointId }, 'dead_lettered', 'skipped')
  context.counts.stats.add({ tenantId, endpointId }, stateCell('skipped'))
  const next = firstOf(context, line.line)
  const taken = takeOut(context, line, key)
  context.prepare('insert into skipped_heads (k, next_id) values (?, ?)').run(key, next?.id ?? null)
  return {
    kind: 'skipped',
    nextHeadDeliveryId: toId(next?.id ?? null),
    targetId: taken === 'due' ? names.idOf(row.target, idPrefixes.endpoint) : null,
  }
}

function find(context: WriteContext, deliveryId: string) {
  for (const table of ['deliveries', 'live_deliveries'] as const) {
    const key = findKey(context, table, deliveryId)
    if (key === null) continue
    const row = context
      .prepare<Found>(
        `select state, tenant, endpoint, coalesce(target, endpoint) as target from ${table} where k = ?`, // primary key
      )
      .get(key)
    if (row !== undefined) return { key, row }
  }
  return null
}

/** Who became the head when this one was skipped. */
function nextHead(context: WriteContext, key: number): string | null {
  const row = context
    .prepare<{ readonly next_id: Uint8Array | null }>('select next_id from skipped_heads where k = ?') // primary key
    .get(key)
  return toId(row?.next_id ?? null)
}

function toId(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : bytesToId(idPrefixes.delivery, bytes)
}
