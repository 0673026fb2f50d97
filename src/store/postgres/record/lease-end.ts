/** How one lease ends, and the lists in which the ends of many go to the statement of `end-leases.ts`. */
import type { Waiting } from '../../../core/claim/row-fate.ts'
import { type ErrorClass, type FinishedState, limits, type WaitReason } from '../../../core/model.ts'
import { capturedHeadersText } from '../../captured-headers.ts'
import type { NewAttempt } from '../../port.ts'
import type { Lease } from '../claim/leases.ts'
import { rowsOf, withoutBlankLists } from '../connection/lists.ts'
import { BytesParameter, withoutNul } from '../rows/wire-types.ts'

export type LeaseEnd = {
  readonly lease: Lease
  readonly claimVersion: number
  /** What was tried under the lease; null: nothing, and what the attempt before said stays. */
  readonly attempt: NewAttempt | null
  /** What it adds to the figures over time; null: nothing. */
  readonly cell: number | null
} & (
  | { readonly state: FinishedState; readonly finalError: ErrorClass | null }
  | {
      readonly state: 'pending' | 'retry_scheduled'
      readonly lostClaims: number
      /** Null: it has no due time, for the reason. */
      readonly dueInMs: number | null
      readonly reason: WaitReason | null
    }
)

/** The part of a lease's end that is the rule's. */
export function waitOf({ state, lostClaims, dueInMs, reason }: Waiting) {
  return { state, lostClaims, dueInMs, reason }
}

export const leaseParameters = {
  ids: 'uuid[]',
  batches: 'uuid[]',
  versions: 'integer[]',
  tenants: 'uuid[]',
  events: 'uuid[]',
  subscriptions: 'uuid[]',
  endpoints: 'uuid[]',
  created: 'bigint[]',
  states: 'text[]',
  versions_after: 'integer[]',
  final_errors: 'text[]',
  due_in: 'bigint[]',
  reasons: 'text[]',
  lost_claims: 'integer[]',
  attempt_numbers: 'integer[]',
  statuses: 'text[]',
  http_statuses: 'integer[]',
  error_classes: 'text[]',
  errors: 'text[]',
  latencies: 'real[]',
  started: 'bigint[]',
  response_headers: 'text[]',
  truncated: 'boolean[]',
  cells: 'integer[]',
  bodies_at: 'integer[]',
  body_lengths: 'integer[]',
  bytes: 'bytea',
  any_live: 'boolean',
  any_handed_off: 'boolean',
  any_again: 'boolean',
  any_logged: 'boolean',
} as const

/** SQL: what the lists say of each lease's end. */
export const leaseEndRows = rowsOf({
  id: 'ids',
  batch: 'batches',
  version: 'versions',
  tenant_id: 'tenants',
  event_id: 'events',
  subscription_id: 'subscriptions',
  endpoint_id: 'endpoints',
  created_at: 'created',
  next_state: 'states',
  version_after: 'versions_after',
  final_error: 'final_errors',
  due_in: 'due_in',
  reason: 'reasons',
  lost_claims: 'lost_claims',
  attempt_no: 'attempt_numbers',
  status: 'statuses',
  http_status: 'http_statuses',
  class: 'error_classes',
  error: 'errors',
  latency_ms: 'latencies',
  started_at: 'started',
  response_headers: 'response_headers',
  truncated: 'truncated',
  cell: 'cells',
  body_at: 'bodies_at',
  body_length: 'body_lengths',
})

export function leaseValues(ends: readonly LeaseEnd[]) {
  const bytes = new BytesParameter()
  const attempts = ends.map(({ attempt }) => attempt)
  const bodiesAt = attempts.map((attempt) => (attempt?.response ? bytes.add(attempt.response.body) : null))
  const responses = attempts.map((attempt) => attempt?.response ?? null)
  const lists = {
    ids: ends.map(({ lease }) => lease.id),
    // Null: it has a live row, whose version is the fence.
    batches: ends.map(({ lease }) => (lease.isLive ? null : lease.batch)),
    versions: ends.map(({ lease }) => lease.claimVersion),
    tenants: ends.map(({ lease }) => lease.tenant),
    events: ends.map(({ lease }) => lease.event),
    subscriptions: ends.map(({ lease }) => lease.subscription),
    endpoints: ends.map(({ lease }) => lease.endpoint),
    created: ends.map(({ lease }) => lease.createdAt),
    states: ends.map(({ state }) => state),
    versions_after: ends.map(({ claimVersion }) => claimVersion),
    final_errors: ends.map((end) => ('finalError' in end ? end.finalError : null)),
    due_in: ends.map((end) =>
      'dueInMs' in end && end.dueInMs !== null ? Math.max(0, Math.round(end.dueInMs)) : null,
    ),
    reasons: ends.map((end) => ('reason' in end ? end.reason : null)),
    lost_claims: ends.map((end) => ('lostClaims' in end ? end.lostClaims : null)),
    attempt_numbers: attempts.map((attempt) => attempt?.attemptNo ?? null),
    statuses: attempts.map((attempt) => attempt?.status ?? null),
    http_statuses: attempts.map((attempt) => attempt?.httpStatus ?? null),
    error_classes: attempts.map((attempt) => attempt?.errorClass ?? null),
    errors: attempts.map((attempt) => cut(attempt?.error ?? null)),
    latencies: attempts.map((attempt) => attempt?.latencyMs ?? null),
    started: attempts.map((attempt) => (attempt === null ? null : Math.round(attempt.startedAt))),
    response_headers: responses.map((response) =>
      response === null ? null : withoutNul(capturedHeadersText(response.headers)),
    ),
    truncated: responses.map((response) => response?.truncated ?? null),
    cells: ends.map(({ cell }) => cell),
    bodies_at: bodiesAt,
    body_lengths: responses.map((response) => response?.body.byteLength ?? null),
  }
  return {
    ...withoutBlankLists(lists),
    bytes: bytes.value(),
    // What most batches have nothing of is not looked for.
    any_live: ends.some(({ lease }) => lease.isLive),
    any_handed_off: ends.some(({ lease }) => !lease.isLive),
    any_again: ends.some((end) => 'dueInMs' in end),
    any_logged: attempts.some(
      (attempt, index) => attempt !== null && !isKeptInRow(attempt, ends[index]?.state),
    ),
  }
}

/** The attempt stands in the delivery's row, and not in one of its own. */
function isKeptInRow({ status }: NewAttempt, state: LeaseEnd['state'] | undefined): boolean {
  return status === 'success' && state === 'succeeded'
}

function cut(text: string | null): string | null {
  return text === null ? null : withoutNul(text.slice(0, limits.maxLastErrorChars))
}
