import type { Static } from 'typebox'
import { showEventFields } from '../../core/event-fields.ts'
import type { OutboundEvent } from '../../core/model.ts'
import type { EventStatus } from '../../engine/events.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { EventBody, EventStatusBody } from '../schemas/events.ts'
import { toDeliveryOfEvent } from './deliveries.ts'

export function toEvent(event: OutboundEvent): Static<typeof EventBody> {
  return {
    id: event.id,
    event_id: event.id,
    topic: event.topic,
    state: event.state,
    payload_bytes: event.payloadBytes,
    ...showEventFields(event),
    metadata: event.metadata ?? {},
    deliver_at: formatOptionalTime(event.deliverAt),
    created_at: formatTime(event.createdAt),
    expunged_at: formatOptionalTime(event.expungedAt),
  }
}

export function toEventStatus(event: EventStatus): Static<typeof EventStatusBody> {
  return {
    ...toEvent(event),
    deliveries: event.deliveries.map(toDeliveryOfEvent),
    next_cursor: event.nextCursor,
  }
}
