import { idPrefixes } from '../../../core/ids.ts'
import type { OutboundEvent } from '../../../core/model.ts'
import { bytesOfId } from '../../cursors.ts'
import { type EventRow, toEvent } from '../../event-row.ts'
import { readFields } from '../rows/event-columns.ts'
import { findKey } from '../rows/key-space.ts'
import { findNumber } from '../rows/names.ts'
import type { ReadContext } from './context.ts'

export function getEvent(context: ReadContext, tenantId: string, id: string): OutboundEvent | null {
  const key = findEvent(context, tenantId, id)
  return key === null ? null : readEvent(context, key)
}

export function getPayload(context: ReadContext, tenantId: string, eventId: string): Uint8Array | null {
  const key = findEvent(context, tenantId, eventId)
  if (key === null) return null
  const row = context.prepare('select payload from events where k = ?').get(key) // primary key
  return (row?.payload ?? null) as Uint8Array | null
}

/** The key of the tenant's event. */
export function findEvent(context: ReadContext, tenantId: string, id: string): number | null {
  if (bytesOfId(idPrefixes.event, id) === null) return null
  const key = findKey(context, 'events', id)
  if (key === null) return null
  const row = context.prepare('select tenant from events where k = ?').get(key) // primary key
  return row?.tenant === tenantNumber(context, tenantId) ? key : null
}

/** Null: nothing was ever published for it. */
export function tenantNumber(context: ReadContext, tenantId: string): number | null {
  const bytes = bytesOfId(idPrefixes.tenant, tenantId)
  return bytes === null ? null : findNumber(context, bytes)
}

export function timeConditions({ since, until }: { readonly since?: number; readonly until?: number }) {
  const conditions: string[] = []
  const values: number[] = []
  if (since !== undefined) {
    conditions.push('and d.created_at >= ?')
    values.push(since)
  }
  if (until !== undefined) {
    conditions.push('and d.created_at < ?')
    values.push(until)
  }
  return { condition: conditions.join(' '), values }
}

export function readEvent(context: ReadContext, key: number): OutboundEvent | null {
  const row = context
    .prepare<EventRow>(
      // primary keys
      `select e.id, tn.id as tenant_id, coalesce(t.topic, e.topic_text) as topic,
         iif(exists (select 1 from fan_out_receivers r where r.event_k = e.k), 'accepted', 'fanned_out') as state,
         e.payload_bytes, ${readFields}, e.created_at, e.expunged_at
       from events e
       left join names tn on tn.n = e.tenant
       left join topics t on t.n = e.topic
       where e.k = ?`,
    )
    .get(key)
  return row === undefined ? null : toEvent(row)
}
