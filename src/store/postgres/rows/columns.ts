/** The columns of the rows that more than one statement reads or writes. */
import { fieldColumns } from './event-fields.ts'

export const eventColumns = `id, tenant_id, topic, state, payload_bytes, ${fieldColumns}, created_at`

export const liveColumns = `id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, due_at, reason,
  attempt_count, claim_version, lost_claims, last_http_status, error_class, last_error, created_at, updated_at,
  replayed_at, url, method, headers`

export const finishedColumns = `id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, attempt_count,
  claim_version, last_http_status, error_class, last_error, created_at, updated_at, replayed_at, url, method, headers,
  started_at, latency_ms, response_headers, response_truncated, response_body`

export const attemptColumns = `delivery_id, claim_version, attempt_no, status, http_status, error_class, error, latency_ms,
  started_at, response_headers, response_body, response_truncated`

/** Names one (tenant, endpoint, state, minute) of `delivery_counts`. */
export const countColumns = 'tenant_id, endpoint_id, state, minute, delta'

/** Of `stats_deltas`. */
export const deltaColumns = 'tenant_id, endpoint_id, minute, cells'
