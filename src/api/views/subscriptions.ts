import type { Static } from 'typebox'
import { renderRetryPolicy } from '../../core/retry-policy-json.ts'
import type { PreviewResult } from '../../engine/subscription-preview.ts'
import type { SubscriptionView } from '../../engine/subscription-view.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { PreviewAnswerBody, SubscriptionBody } from '../schemas/subscriptions.ts'
import { toEffectivePolicy } from './retry-policies.ts'

export function toSubscription(subscription: SubscriptionView): Static<typeof SubscriptionBody> {
  return {
    id: subscription.id,
    endpoint_id: subscription.endpointId,
    topic_patterns: [...subscription.topicPatterns],
    filter: subscription.filter,
    headers: { ...subscription.headers },
    retry_policy: subscription.retryPolicy === null ? null : renderRetryPolicy(subscription.retryPolicy),
    effective_retry_policy: toEffectivePolicy(subscription.effectiveRetryPolicy),
    active: subscription.active,
    ordered: subscription.ordered,
    own: subscription.own,
    created_at: formatTime(subscription.createdAt),
    updated_at: formatTime(subscription.updatedAt),
    deleted_at: formatOptionalTime(subscription.deletedAt),
    version: subscription.version,
  }
}

export function toPreview({ passed, lookedAt, items }: PreviewResult): Static<typeof PreviewAnswerBody> {
  return {
    passed,
    looked_at: lookedAt,
    items: items.map(({ eventId, topic, createdAt, passes, reason, failed }) => ({
      event_id: eventId,
      topic,
      created_at: formatOptionalTime(createdAt),
      passes,
      reason,
      failed,
    })),
  }
}
