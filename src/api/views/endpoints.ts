import type { Static } from 'typebox'
import { formatDuration } from '../../core/duration.ts'
import { renderRetryPolicy } from '../../core/retry-policy-json.ts'
import type { EndpointView } from '../../engine/endpoint-view.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { EndpointBody } from '../schemas/endpoints.ts'
import { toEffectiveHealth, toHealthMembers } from './health.ts'
import { toEffectivePolicy } from './retry-policies.ts'

export function toEndpoint(endpoint: EndpointView): Static<typeof EndpointBody> {
  // By hand; the breaker's pauses are no setting.
  const isPaused = endpoint.disabledReason === 'paused'
  return {
    id: endpoint.id,
    uid: endpoint.uid,
    kind: endpoint.kind,
    url: endpoint.url,
    urls: [...endpoint.urls],
    fail_over: endpoint.failOver,
    settings: endpoint.settings,
    description: endpoint.description,
    method: endpoint.method,
    headers: { ...endpoint.headers },
    content_type: endpoint.contentType,
    timeout: endpoint.timeoutMs === null ? null : formatDuration(endpoint.timeoutMs),
    signing_schemes: [...endpoint.signingSchemes],
    max_in_flight: endpoint.maxInFlight,
    in_flight: endpoint.inFlight,
    rate_limit_rps: endpoint.rateLimitRps,
    credential_id: endpoint.credentialId,
    client_certificate_id: endpoint.clientCertificateId,
    topics: endpoint.topics === null ? null : [...endpoint.topics],
    filter: endpoint.filter,
    retry_policy: endpoint.retryPolicy === null ? null : renderRetryPolicy(endpoint.retryPolicy),
    effective_retry_policy: toEffectivePolicy(endpoint.effectiveRetryPolicy),
    ...toHealthMembers(endpoint),
    effective_health: toEffectiveHealth(endpoint.effectiveHealth),
    enabled: isPaused || endpoint.disabledReason === null,
    state: endpoint.state,
    resumes_at: formatOptionalTime(endpoint.resumesAt),
    failing_since: formatOptionalTime(endpoint.failingSince),
    consecutive_failures: endpoint.consecutiveFailures,
    subscription_count: endpoint.subscriptionCount,
    disabled_reason: isPaused ? null : endpoint.disabledReason,
    disabled_at: isPaused ? null : formatOptionalTime(endpoint.disabledAt),
    paused_at: isPaused ? formatOptionalTime(endpoint.disabledAt) : null,
    paused_reason: endpoint.pausedReason,
    paused_by: endpoint.pausedBy,
    created_at: formatTime(endpoint.createdAt),
    updated_at: formatTime(endpoint.updatedAt),
    deleted_at: formatOptionalTime(endpoint.deletedAt),
    version: endpoint.version,
  }
}
