/**
 * How leases end, one statement for all: their deliveries are finished, or wait again. A delivery that was claimed has a
 * row in `live_deliveries`, which goes or is changed; one that was handed off has none, and gets its first row here, from
 * what this process knows. The fence is the live row's state and claim version, or the standing row of `handoffs`.
 *
 * It waits for nobody's lock: what somebody else has locked is left as it was, and named.
 */
import type { Waiting } from '../../../core/claim/row-fate.ts'
import { type ErrorClass, type FinishedState, limits, type WaitReason } from '../../../core/model.ts'
import { capturedHeadersText } from '../../captured-headers.ts'
import type { NewAttempt } from '../../port.ts'
import type { EndedLeases, Lease, Leases } from '../claim/leases.ts'
import { armWanted, blockedUntil } from '../claim/ready-endpoints.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { attemptColumns, countColumns, deltaColumns, finishedColumns, liveColumns } from '../rows/columns.ts'
import { BytesParameter, withoutNul } from '../rows/wire-types.ts'
import { claimedRow, isUnwritten, standingBatches, stillStands } from './lease-fence.ts'

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

/** What was not written. */
interface AnswerRow {
  readonly id: string
  /** False: it was stale. */
  readonly is_held: boolean
}

/** Leases that are neither written nor held were stale. */
export async function endLeases(
  context: Context,
  ends: readonly LeaseEnd[],
  leases: Leases,
): Promise<EndedLeases> {
  const removed = leases.endedBatches()
  if (ends.length === 0) return { written: new Set(), held: new Set(), removed: [] }
  // In key order, as everything that changes several deliveries.
  const sorted = [...ends].sort((a, b) => (a.lease.id < b.lease.id ? -1 : 1))
  const rows = await run(context, endStatement, { ...leaseValues(sorted), ended_batches: removed })
  const unwritten = new Map(rows.map((row) => [row.id, row.is_held]))
  const named = (isHeld: boolean | undefined) =>
    new Set(sorted.flatMap(({ lease }) => (unwritten.get(lease.id) === isHeld ? [lease] : [])))
  return { written: named(undefined), held: named(true), removed }
}

function leaseValues(ends: readonly LeaseEnd[]) {
  const bytes = new BytesParameter()
  const attempts = ends.map(({ attempt }) => attempt)
  const bodiesAt = attempts.map((attempt) => (attempt?.response ? bytes.add(attempt.response.body) : null))
  const responses = attempts.map((attempt) => attempt?.response ?? null)
  return {
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
    bytes: bytes.value(),
  }
}

function cut(text: string | null): string | null {
  return text === null ? null : withoutNul(text.slice(0, limits.maxLastErrorChars))
}

/** SQL: the attempt is kept in the delivery's row. */
const isInRow = `status = 'success' and next_state = 'succeeded'`

/** SQL: columns of `ending`, from a row of the list and what the delivery's own row says (`was`). */
const finishedValues = `id, tenant_id, event_id, subscription_id, endpoint_id,
  nullif(target_id, endpoint_id), next_state, coalesce(attempt_no, attempt_count), version_after,
  case when attempt_no is null then last_http_status else http_status end,
  case when next_state = 'dead_lettered' then final_error when attempt_no is null then was_class else class end,
  case when attempt_no is null then last_error else error end, created_at, ${now}, replayed_at, url, method, headers,
  case when ${isInRow} then started_at end, case when ${isInRow} then latency_ms end,
  case when ${isInRow} then response_headers end, case when ${isInRow} then truncated end,
  case when ${isInRow} then substring($bytes from body_at for body_length) end`

const dueAt = `case when due_in is not null then ${now} + due_in end`

const endStatement = query<AnswerRow>()(
  'end_leases',
  {
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
    ended_batches: 'uuid[]',
  },
  `
with o as not materialized (
  select * from unnest($ids, $batches, $versions, $tenants, $events, $subscriptions, $endpoints, $created, $states,
    $versions_after, $final_errors, $due_in, $reasons, $lost_claims, $attempt_numbers, $statuses, $http_statuses,
    $error_classes, $errors, $latencies, $started, $response_headers, $truncated, $cells, $bodies_at, $body_lengths)
    as o (id, batch, version, tenant_id, event_id, subscription_id, endpoint_id, created_at, next_state,
          version_after, final_error, due_in, reason, lost_claims, attempt_no, status, http_status, class, error,
          latency_ms, started_at, response_headers, truncated, cell, body_at, body_length)
),
claimed as materialized (
  select o.*, d.tid, d.target_id, d.attempt_count, d.last_http_status, d.error_class as was_class, d.last_error,
    d.replayed_at, d.url, d.method, d.headers
  from o cross join lateral (${claimedRow}) d
  where o.batch is null
),
standing as materialized (${standingBatches}),
handed_off as materialized (
  select o.*, null::tid as tid, o.endpoint_id as target_id, 0 as attempt_count, null::integer as last_http_status,
    null::text as was_class, null::text as last_error, null::bigint as replayed_at, null::text as url,
    null::text as method, null::text as headers
  from o
  where (o.batch in (select batch from standing)) is true and ${isUnwritten}
),
gone as (
  delete from live_deliveries d using claimed c
  where d.ctid = c.tid and c.next_state not in ('pending', 'retry_scheduled')
  returning c.*
),
again as (
  update live_deliveries d set state = c.next_state, due_at = ${dueAt}, reason = c.reason,
    claim_version = c.version_after, lost_claims = c.lost_claims, updated_at = ${now},
    attempt_count = coalesce(c.attempt_no, d.attempt_count),
    last_http_status = case when c.attempt_no is null then d.last_http_status else c.http_status end,
    error_class = case when c.attempt_no is null then d.error_class else c.class end,
    last_error = case when c.attempt_no is null then d.last_error else c.error end
  from claimed c
  where d.ctid = c.tid and c.next_state in ('pending', 'retry_scheduled')
  returning c.*
),
finished as (
  insert into deliveries (${finishedColumns})
  select ${finishedValues} from gone
  union all
  select ${finishedValues} from handed_off where next_state not in ('pending', 'retry_scheduled')
  on conflict do nothing
  returning id, tenant_id, endpoint_id, state
),
waiting as (
  insert into live_deliveries (${liveColumns})
  select id, tenant_id, event_id, subscription_id, endpoint_id, target_id, next_state, ${dueAt}, reason,
    coalesce(attempt_no, 0), version_after, lost_claims, http_status, class, error, created_at, ${now}, null, null,
    null, null
  from handed_off where next_state in ('pending', 'retry_scheduled')
  on conflict do nothing
  returning id, tenant_id, endpoint_id, state
),
logged as (
  insert into attempts (${attemptColumns})
  select id, version, attempt_no, status, http_status, class, error, latency_ms, started_at, response_headers,
    substring($bytes from body_at for body_length), truncated
  from (select * from gone union all select * from again union all select * from handed_off) t
  where attempt_no is not null and not (${isInRow})
  on conflict do nothing
),
written as materialized (
  select id, tenant_id, endpoint_id, state from finished
  union all select id, tenant_id, endpoint_id, state from waiting
  union all select id, tenant_id, endpoint_id, next_state from again
),
counted as (
  insert into delivery_counts (${countColumns})
  select tenant_id, coalesce(endpoint_id, tenant_id), s.state, ${now} / 60000, sum(s.delta)
  from written w cross join lateral (values ('in_flight', -1), (w.state, 1)) as s (state, delta)
  group by tenant_id, endpoint_id, s.state
),
figured as (
  insert into stats_deltas (${deltaColumns})
  select tenant_id, coalesce(endpoint_id, tenant_id), ${now} / 60000, array_agg(cell)
  from o where cell is not null and (id in (select id from written)) is true
  group by tenant_id, endpoint_id
),
wanted as materialized (
  select t.target_id, t.tenant_id, greatest(${now} + min(t.due_in), ${blockedUntil('t.target_id')}) as next_at
  from (select * from again union all select * from handed_off where next_state in ('pending', 'retry_scheduled')) t
  where t.due_in is not null group by t.target_id, t.tenant_id
),
armed as (${armWanted}),
removed as (delete from handoffs where batch = any ($ended_batches))
select replace(o.id::text, '-', '') as id, (${stillStands}) is true as is_held from o
where (o.id in (select id from written)) is not true`,
)
