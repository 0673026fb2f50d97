/** An event as both databases read it. */
import { bytesToId, idPrefixes } from '../core/ids.ts'
import type { EventState, OutboundEvent } from '../core/model.ts'
import { type EventFieldRow, toEventFields } from './event-columns.ts'

export interface EventRow extends EventFieldRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly topic: string
  readonly state: EventState
  readonly payload_bytes: number
  readonly created_at: number
  readonly expunged_at: number | null
}

export function toEvent(row: EventRow): OutboundEvent {
  return {
    id: bytesToId(idPrefixes.event, row.id),
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    topic: row.topic,
    state: row.state,
    payloadBytes: row.payload_bytes,
    ...toEventFields(row),
    createdAt: row.created_at,
    expungedAt: row.expunged_at,
  }
}
