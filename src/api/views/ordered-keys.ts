import type { Static } from 'typebox'
import type { OrderedKey } from '../../engine/ordered-keys.ts'
import { formatOptionalTime } from '../rfc3339.ts'
import type { OrderedKeyBody } from '../schemas/ordered-keys.ts'

export function toOrderedKey(key: OrderedKey): Static<typeof OrderedKeyBody> {
  return {
    subscription_id: key.subscriptionId,
    endpoint_id: key.endpointId,
    ordering_key: key.orderingKey,
    state: key.state,
    head_delivery_id: key.headDeliveryId,
    head_state: key.headState,
    blocked_since: formatOptionalTime(key.blockedSince),
    backlog_count: key.backlogCount,
    oldest_successor_age_sec:
      key.oldestSuccessorAgeMs === null ? null : Math.floor(key.oldestSuccessorAgeMs / 1000),
  }
}
