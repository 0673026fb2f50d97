/** How a delivery leaves the live table: what it takes with it stands here once, for outcomes and for everything else. */
import { type Context, now } from '../connection/context.ts'
import { uuid } from '../rows/wire-types.ts'

export const finishedColumns = `id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state,
  attempt_count, claim_version, last_http_status, error_class, last_error, ordering_key, created_at, updated_at,
  replayed_at, url, method, headers`

/** SQL expressions over the relation that a delivery is inserted from; its other columns go along as they are. */
export interface FinishedValues {
  readonly state: string
  readonly attemptCount: string
  readonly claimVersion: string
  readonly lastHttpStatus: string
  readonly errorClass: string
  readonly lastError: string
}

/** SQL: the finished rows of a relation of rows that were deleted from `live_deliveries`. */
export function insertFinished(relation: string, values: FinishedValues): string {
  return `
  insert into deliveries (${finishedColumns})
  select id, tenant_id, event_id, subscription_id, endpoint_id, target_id, ${values.state}, ${values.attemptCount},
    ${values.claimVersion}, ${values.lastHttpStatus}, ${values.errorClass}, ${values.lastError},
    ordering_key, created_at, ${now}, replayed_at, url, method, headers
  from ${relation}`
}

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
       ${insertFinished('gone', {
         state: '$3::text',
         attemptCount: 'attempt_count',
         claimVersion: 'claim_version + 1',
         lastHttpStatus: 'last_http_status',
         errorClass: 'coalesce($4::text, error_class)',
         lastError: 'coalesce($5::text, last_error)',
       })}
     ), moved as (
       select tenant_id, endpoint_id, state as from_state, $3::text as to_state from gone
     )
     ${countMoved}`,
    [context.shiftMs, ids.map(uuid), end.state, end.errorClass, end.lastError],
  )
}
