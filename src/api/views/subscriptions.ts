import type { Static } from 'typebox'
import type { Subscription } from '../../core/model.ts'
import { renderRetryPolicy } from '../../core/retry-policy-json.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { SubscriptionBody } from '../schemas/subscriptions.ts'

export function toSubscription(subscription: Subscription): Static<typeof SubscriptionBody> {
  return {
    id: subscription.id,
    endpoint_id: subscription.endpointId,
    topic_patterns: [...subscription.topicPatterns],
    retry_policy: subscription.retryPolicy === null ? null : renderRetryPolicy(subscription.retryPolicy),
    active: subscription.active,
    ordered: subscription.ordered,
    own: subscription.own,
    created_at: formatTime(subscription.createdAt),
    updated_at: formatTime(subscription.updatedAt),
    deleted_at: formatOptionalTime(subscription.deletedAt),
    version: subscription.version,
  }
}
