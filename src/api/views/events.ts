import type { Static } from 'typebox'
import type { DirectRequest } from '../../core/direct-request.ts'
import { formatDuration } from '../../core/duration.ts'
import { showEventFields } from '../../core/event-fields.ts'
import type { OutboundEvent } from '../../core/model.ts'
import { renderRetryPolicy } from '../../core/retry-policy-json.ts'
import type { EventStatus } from '../../engine/events.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { EventBody, EventStatusBody, SentRequestBody } from '../schemas/events.ts'
import { toDeliveryOfEvent } from './deliveries.ts'

export function toEvent(event: OutboundEvent): Static<typeof EventBody> {
  return {
    id: event.id,
    event_id: event.id,
    topic: event.topic,
    state: event.state,
    payload_bytes: event.payloadBytes,
    ...showEventFields(event),
    request: event.request === null ? null : toSentRequest(event.request),
    metadata: event.metadata ?? {},
    filtered_subscriptions: event.filteredSubscriptions ?? 0,
    deliver_at: formatOptionalTime(event.deliverAt),
    created_at: formatTime(event.createdAt),
    expunged_at: formatOptionalTime(event.expungedAt),
  }
}

function toSentRequest(request: DirectRequest): Static<typeof SentRequestBody> {
  return {
    url: request.url,
    method: request.method,
    headers: { ...request.headers },
    timeout: request.timeoutMs === null ? null : formatDuration(request.timeoutMs),
    retry: renderRetryPolicy(request.retryPolicy),
  }
}

export function toEventStatus(event: EventStatus): Static<typeof EventStatusBody> {
  return {
    ...toEvent(event),
    deliveries: event.deliveries.map(toDeliveryOfEvent),
    next_cursor: event.nextCursor,
  }
}
