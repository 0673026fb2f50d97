import type { Static } from 'typebox'
import type { DeadLetter } from '../../core/model.ts'
import { formatTime } from '../rfc3339.ts'
import type { DeadLetterBody } from '../schemas/dead-letters.ts'

export function toDeadLetter(letter: DeadLetter): Static<typeof DeadLetterBody> {
  return {
    id: letter.deliveryId,
    delivery_id: letter.deliveryId,
    event_id: letter.eventId,
    endpoint_id: letter.endpointId,
    subscription_id: letter.subscriptionId,
    topic: letter.topic,
    final_error: letter.finalError,
    last_error: letter.lastError,
    last_http_status: letter.lastHttpStatus,
    attempt_count: letter.attemptCount,
    dead_at: formatTime(letter.deadAt),
  }
}
