/** Deliveries that are only in `handoffs`: leased by the commit that published them, or by a claim, with no outcome yet. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { LiveDeliveryRow } from '../../rows.ts'
import { type FanOutEntry, findInFanOut } from '../rows/fan-out.ts'
import { isWaiting, readHandoffs, type WrittenLease } from '../rows/handoff-row.ts'
import type { ReadContext } from './context.ts'

export interface HandedOff {
  readonly lease: WrittenLease
  readonly entry: FanOutEntry
  readonly tenant: number
  readonly topic: number | null
  readonly topicText: string | null
  readonly createdAt: number
}

/** Those with keys in the range, newest first, looked up one by one. */
export function* handedOff(
  context: ReadContext,
  { from, before }: { readonly from: number; readonly before: number },
): Generator<HandedOff> {
  const leases = readHandoffs(context)
    .filter(({ key }) => key >= from && key < before)
    .sort((a, b) => b.key - a.key)
  for (const lease of leases) {
    const found = lookUp(context, lease)
    if (found !== null) yield found
  }
}

/** When the oldest was published that waits in the writer's memory; null: none does. */
export function oldestWaitingSince(context: ReadContext): number | null {
  const waiting = readHandoffs(context)
    .filter(isWaiting)
    .sort((a, b) => a.key - b.key)
  for (const lease of waiting) {
    const found = lookUp(context, lease)
    if (found !== null) return found.createdAt
  }
  return null
}

/** Null: it is finished, or has a live row, or is not leased. */
export function findHandedOff(context: ReadContext, key: number): HandedOff | null {
  for (const found of handedOff(context, { from: key, before: key + 1 })) return found
  return null
}

function lookUp(context: ReadContext, lease: WrittenLease): HandedOff | null {
  const row = context
    .prepare(
      // primary keys
      `select tenant, topic, topic_text, created_at, fan_out from events
       where k = ? and not exists (select 1 from deliveries where k = ?)
         and not exists (select 1 from live_deliveries where k = ?)`,
    )
    .get(lease.eventKey, lease.key, lease.key)
  const entry = row === undefined ? null : findInFanOut(row.fan_out as Uint8Array, lease.key)
  if (row === undefined || entry === null) return null
  return {
    lease,
    entry,
    tenant: row.tenant as number,
    topic: row.topic as number | null,
    topicText: row.topic_text as string | null,
    createdAt: row.created_at as number,
  }
}

/** As a row of `live_deliveries` would say it. */
export function toLiveRow(
  context: ReadContext,
  { lease, entry, tenant, createdAt }: HandedOff,
): LiveDeliveryRow {
  const event = context
    .prepare(
      // primary keys
      `select e.id, e.ordering_key, coalesce(t.topic, e.topic_text) as topic
       from events e left join topics t on t.n = e.topic where e.k = ?`,
    )
    .get(lease.eventKey)
  const name = (number: number) =>
    (context.prepare('select id from names where n = ?').get(number)?.id ?? null) as Uint8Array | null // primary key
  return {
    id: entry.id,
    tenant_id: name(tenant) as Uint8Array,
    event_id: event?.id as Uint8Array,
    subscription_id: name(entry.subscription),
    endpoint_id: name(entry.endpoint),
    target_id: name(entry.target) as Uint8Array,
    topic: event?.topic as string | null,
    state: stateOfHandedOff(lease),
    attempt_count: 0,
    claim_version: lease.claimVersion,
    last_http_status: null,
    error_class: null,
    last_error: null,
    ordering_key: event?.ordering_key as string | null,
    created_at: createdAt,
    updated_at: createdAt,
    reason: null,
    due_at: isWaiting(lease) ? createdAt : null,
    disabled_reason: null,
    paused_until: null,
    probe_until: null,
    limited_until: null,
  }
}

export function stateOfHandedOff(lease: WrittenLease): 'pending' | 'in_flight' {
  return isWaiting(lease) ? 'pending' : 'in_flight'
}

export function idOf({ entry }: HandedOff): string {
  return bytesToId(idPrefixes.delivery, entry.id)
}
