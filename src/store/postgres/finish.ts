/** Moves of waiting deliveries that are not outcomes: cancelled with what they belonged to, parked, given up. */
import type { LiveState } from '../../core/model.ts'
import { type Context, now } from './context.ts'
import { uuid } from './wire-types.ts'

export const finishedColumns = `id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state,
  attempt_count, claim_version, last_http_status, error_class, last_error, ordering_key, created_at, updated_at,
  replayed_at, url, method, headers`

/** SQL: for the relation `moved (tenant_id, endpoint_id, from_state, to_state)`. */
export const countMoved = `
  insert into delivery_counts (tenant_id, endpoint_id, state, minute, delta)
  select tenant_id, coalesce(endpoint_id, tenant_id), s.state, ${now} / 60000, sum(s.delta)
  from moved cross join lateral (values (from_state, -1), (to_state, 1)) as s (state, delta)
  where from_state <> to_state
  group by tenant_id, endpoint_id, s.state`

/** Cancels rows that the caller has locked; the claim version grows, so no outcome counts any more. */
export async function cancelDeliveries(context: Context, ids: readonly Uint8Array[]): Promise<void> {
  await finish(context, ids, { state: 'cancelled', errorClass: null, lastError: null })
}

/** Only a damaged database gets here. Leaving the rows would make every claim come back to them. */
export async function giveUpWithoutPayload(context: Context, ids: readonly Uint8Array[]): Promise<void> {
  const lastError = 'the payload is gone from the store'
  await finish(context, ids, { state: 'dead_lettered', errorClass: 'internal', lastError })
}

interface End {
  readonly state: 'cancelled' | 'dead_lettered'
  /** Null keeps what the last attempt said. */
  readonly errorClass: string | null
  readonly lastError: string | null
}

async function finish(context: Context, ids: readonly Uint8Array[], end: End): Promise<void> {
  if (ids.length === 0) return
  await context.query(
    'finish_waiting',
    // primary key
    `with gone as (
       delete from live_deliveries where id = any ($2::uuid[]) returning *
     ), kept as (
       insert into deliveries (${finishedColumns})
       select id, tenant_id, event_id, subscription_id, endpoint_id, target_id, $3::text, attempt_count,
              claim_version + 1, last_http_status, coalesce($4::text, error_class), coalesce($5::text, last_error),
              ordering_key, created_at, ${now}, replayed_at, url, method, headers
       from gone
     ), moved as (
       select tenant_id, endpoint_id, state as from_state, $3::text as to_state from gone
     )
     ${countMoved}`,
    [context.shiftMs, ids.map(uuid), end.state, end.errorClass, end.lastError],
  )
}

export interface ParkableRow {
  readonly id: Uint8Array
  readonly state: LiveState
}

/** Takes locked rows of disabled endpoints out of the claim index. An expired lease ends with it. */
export async function parkDeliveries(context: Context, rows: readonly ParkableRow[]): Promise<void> {
  if (rows.length === 0) return
  await context.query(
    'park_deliveries',
    // primary key
    `with parked as (
       update live_deliveries d set due_at = null, reason = 'endpoint_disabled', updated_at = ${now},
         state = case when d.state <> 'in_flight' then d.state
                      when d.attempt_count = 0 then 'pending' else 'retry_scheduled' end,
         claim_version = d.claim_version + (d.state = 'in_flight')::integer,
         lost_claims = d.lost_claims + (d.state = 'in_flight')::integer
       from unnest($2::uuid[], $3::text[]) as o (id, state)
       where d.id = o.id
       returning d.tenant_id, d.endpoint_id, o.state as from_state, d.state as to_state
     ), moved as (select * from parked)
     ${countMoved}`,
    [context.shiftMs, rows.map((row) => uuid(row.id)), rows.map((row) => row.state)],
  )
}
