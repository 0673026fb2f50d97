import { limits } from '../../../core/model.ts'
import type { DeliveryOutcome, NewAttempt } from '../../port.ts'
import { armWanted, blockedUntil } from '../claim/ready-endpoints.ts'
import { type Context, now } from '../connection/context.ts'
import { BytesParameter, uuid, withoutNul } from '../rows/wire-types.ts'
import { countMoved, insertFinished } from './finish.ts'
import type { Match } from './leased.ts'

export interface OutcomeStep extends Match {
  /** The retry waits without a due time: its endpoint is disabled, and the endpoint's row is locked. */
  readonly isParked: boolean
  /** Its endpoint or subscription is deleted: there is no retry. */
  readonly isCancelled: boolean
}

/**
 * The outcomes that are written: their deliveries were still in flight under the same claim version, and nobody else
 * had locked them. It waits for no delivery.
 */
export async function writeOutcomes(
  context: Context,
  steps: readonly OutcomeStep[],
): Promise<ReadonlySet<DeliveryOutcome>> {
  if (steps.length === 0) return new Set()
  // In key order, as everything that changes several deliveries.
  const sorted = [...steps].sort((a, b) => (a.leased.deliveryId < b.leased.deliveryId ? -1 : 1))
  const ids = sorted.map(({ leased }) => uuid(leased.id))
  const rows = await context.query<{ readonly id: Uint8Array }>('write_outcomes', outcomesSql, [
    context.shiftMs,
    ids,
    sorted.map(({ outcome }) => outcome.claimVersion),
    sorted.map(nextState),
    sorted.map(({ outcome }) =>
      outcome.next.state === 'retry_scheduled' ? Math.round(outcome.next.delayMs) : null,
    ),
    sorted.map(({ isParked }) => isParked),
    sorted.map(({ outcome }) => (outcome.next.state === 'dead_lettered' ? outcome.next.finalError : null)),
    ...attemptParameters(sorted.map(({ outcome }) => outcome.attempt)),
  ])
  const written = new Set(rows.map((row) => uuid(row.id)))
  const counted = sorted.filter((_, index) => written.has(ids[index] as string))
  return new Set(counted.map(({ outcome }) => outcome))
}

function nextState({ outcome, isCancelled }: OutcomeStep): string {
  return isCancelled ? 'cancelled' : outcome.next.state
}

function attemptParameters(attempts: readonly (NewAttempt | null)[]): readonly unknown[] {
  const bytes = new BytesParameter()
  const bodyAt = attempts.map((attempt) => (attempt?.response ? bytes.add(attempt.response.body) : null))
  const responses = attempts.map((attempt) => attempt?.response ?? null)
  return [
    attempts.map((attempt) => attempt?.attemptNo ?? null),
    attempts.map((attempt) => attempt?.status ?? null),
    attempts.map((attempt) => attempt?.httpStatus ?? null),
    attempts.map((attempt) => attempt?.errorClass ?? null),
    attempts.map((attempt) => cut(attempt?.error ?? null)),
    attempts.map((attempt) => attempt?.latencyMs ?? null),
    attempts.map((attempt) => (attempt === null ? null : Math.round(attempt.startedAt))),
    responses.map((response) => (response === null ? null : withoutNul(JSON.stringify(response.headers)))),
    bytes.value(),
    bodyAt,
    responses.map((response) => response?.body.byteLength ?? null),
    responses.map((response) => response?.truncated ?? null),
  ]
}

function cut(text: string | null): string | null {
  return text === null ? null : withoutNul(text.slice(0, limits.maxLastErrorChars))
}

const outcomesSql = `
with o as not materialized (
  select * from unnest($2::uuid[], $3::integer[], $4::text[], $5::bigint[], $6::boolean[], $7::text[], $8::integer[],
    $9::text[], $10::integer[], $11::text[], $12::text[], $13::real[], $14::bigint[], $15::text[], $17::integer[],
    $18::integer[], $19::boolean[])
    as o (o_id, version, next_state, delay_ms, is_parked, final_error, attempt_no, status, http_status, class, error,
          latency_ms, started_at, response_headers, body_at, body_bytes, truncated)
),
-- Primary key. The state and the version are the fence: a lease that was taken over matches nothing. Rows that somebody
-- else has locked are passed over: the others would wait with them.
free as materialized (
  select o.* from o join live_deliveries d
    on d.id = o.o_id and d.claim_version = o.version and d.state = 'in_flight'
  for update of d skip locked
),
-- Primary key.
retried as (
  update live_deliveries d set state = 'retry_scheduled',
    due_at = case when o.is_parked then null else ${now} + o.delay_ms end,
    reason = case when o.is_parked then 'endpoint_disabled' end,
    lost_claims = 0, updated_at = ${now},
    attempt_count = coalesce(o.attempt_no, d.attempt_count),
    last_http_status = case when o.attempt_no is null then d.last_http_status else o.http_status end,
    error_class = case when o.attempt_no is null then d.error_class else o.class end,
    last_error = case when o.attempt_no is null then d.last_error else o.error end
  from free o
  where d.id = o.o_id and d.claim_version = o.version and d.state = 'in_flight' and o.next_state = 'retry_scheduled'
  returning d.tenant_id, d.endpoint_id, d.target_id, d.due_at, o.*
),
gone as (
  delete from live_deliveries d using free o
  where d.id = o.o_id and d.claim_version = o.version and d.state = 'in_flight' and o.next_state <> 'retry_scheduled'
  returning d.*, o.*
),
finished as (
  ${insertFinished('gone', {
    state: 'next_state',
    attemptCount: 'coalesce(attempt_no, attempt_count)',
    claimVersion: "version + (next_state = 'cancelled')::integer",
    lastHttpStatus: 'case when attempt_no is null then last_http_status else http_status end',
    errorClass: `case when next_state = 'dead_lettered' then final_error
      when attempt_no is null then error_class else class end`,
    lastError: 'case when attempt_no is null then last_error else error end',
  })}
),
tried as (
  select o_id, version, attempt_no, status, http_status, class, error, latency_ms, started_at, response_headers,
    body_at, body_bytes, truncated from gone
  union all
  select o_id, version, attempt_no, status, http_status, class, error, latency_ms, started_at, response_headers,
    body_at, body_bytes, truncated from retried
),
logged as (
  insert into attempts
    (delivery_id, claim_version, attempt_no, status, http_status, error_class, error, latency_ms, started_at,
     response_headers, response_body, response_truncated)
  select o_id, version, attempt_no, status, http_status, class, error, latency_ms, started_at,
    response_headers, substring($16::bytea from body_at for body_bytes), truncated
  from tried where attempt_no is not null
),
moved as (
  select tenant_id, endpoint_id, 'in_flight' as from_state, next_state as to_state from gone
  union all select tenant_id, endpoint_id, 'in_flight', next_state from retried
),
counted as (${countMoved}),
wanted as materialized (
  select r.target_id, r.tenant_id, greatest(${now}, min(r.due_at), ${blockedUntil('r.target_id')}) as next_at
  from retried r where r.due_at is not null group by r.target_id, r.tenant_id
),
armed as (${armWanted})
select o_id as id from gone union all select o_id from retried`
