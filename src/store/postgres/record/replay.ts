import { parked, unparked, type Waiting } from '../../../core/claim/row-fate.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { DeliveryState } from '../../../core/model.ts'
import type { ReplayResult } from '../../port.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import type { Place } from '../ordering/lines.ts'
import { returnToLines } from '../ordering/return-to-lines.ts'
import { handedOffById } from '../read/handed-off.ts'
import { attemptColumns, liveColumns } from '../rows/columns.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { lockDisabled } from './endpoint-locks.ts'
import { countMoved } from './finish.ts'

interface ReplayRow {
  readonly state: DeliveryState
  readonly tenant_id: Uint8Array
  readonly target_id: Uint8Array
  readonly endpoint_id: Uint8Array | null
  readonly event_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly is_ordered: boolean
  readonly is_deleted: boolean
  readonly is_disabled: boolean
}

const deliveryParameters = { id: 'uuid', tenant: 'uuid' } as const

/** SQL, of the row `d`. */
const facts = `d.state, d.tenant_id, coalesce(d.target_id, d.endpoint_id) as target_id, d.endpoint_id, d.event_id, d.subscription_id,
  coalesce(s.ordered, false) as is_ordered,
  (d.endpoint_id is not null and (e.id is null or e.deleted_at is not null))
    or (d.subscription_id is not null and (s.id is null or s.deleted_at is not null)) as is_deleted,
  coalesce(e.disabled_reason is not null, false) as is_disabled`

const joins = `left join endpoints e on e.id = d.endpoint_id
left join subscriptions s on s.id = d.subscription_id`

const lockFinishedStatement = query<ReplayRow>()(
  'replay_finished',
  deliveryParameters,
  // primary keys
  `select ${facts} from deliveries d ${joins} where d.id = $id and d.tenant_id = $tenant for update of d`,
)

const readOthersStatement = query<ReplayRow>()(
  'replay_others',
  deliveryParameters,
  // primary keys
  `select ${facts} from live_deliveries d ${joins} where d.id = $id and d.tenant_id = $tenant
   union all
   select ${facts} from (${handedOffById}) d ${joins}`,
)

/** Moves a dead letter back. Whatever its subscription or endpoint was deleted with has nowhere to go. */
export function replay(context: Context, tenantId: string, deliveryId: string): Promise<ReplayResult> {
  return sendAgain(context, { tenantId, deliveryId, from: deadLettersOnly })
}

/** The same for any delivery that is at an end. */
export function resend(context: Context, tenantId: string, deliveryId: string): Promise<ReplayResult> {
  return sendAgain(context, { tenantId, deliveryId, from: finishedStates })
}

const deadLettersOnly: ReadonlySet<DeliveryState> = new Set(['dead_lettered'])
const finishedStates: ReadonlySet<DeliveryState> = new Set([
  'succeeded',
  'dead_lettered',
  'cancelled',
  'skipped',
])

interface SendAgain {
  readonly tenantId: string
  readonly deliveryId: string
  /** The states that it may be in. */
  readonly from: ReadonlySet<DeliveryState>
}

async function sendAgain(context: Context, { tenantId, deliveryId, from }: SendAgain): Promise<ReplayResult> {
  const key = { id: uuidOfId(deliveryId), tenant: uuidOfId(tenantId) }
  const [finished] = await run(context, lockFinishedStatement, key)
  const row = finished ?? (await run(context, readOthersStatement, key))[0]
  if (row === undefined) return { kind: 'not_found' }
  if (!from.has(row.state) || row.is_deleted) {
    return { kind: 'not_replayable', state: row.state, endpointDeleted: row.is_deleted }
  }
  // A statement of its own, after the lock: retention may have held the row and removed the payload.
  const [event] = await run(context, payloadStatement, { event: uuid(row.event_id) })
  if (event?.has_payload !== true) return { kind: 'expired', expungedAt: event?.expunged_at ?? null }

  const endpoint = row.endpoint_id === null ? null : uuid(row.endpoint_id)
  const target = uuid(row.target_id)
  await moveFinished(context, [
    {
      id: key.id,
      tenant: key.tenant,
      endpoint,
      subscription: row.subscription_id === null ? null : uuid(row.subscription_id),
      target,
      orderingKey: row.is_ordered ? event.ordering_key : null,
      isDisabled: row.is_disabled,
    },
  ])
  return { kind: 'replayed', targetId: bytesToId(idPrefixes.endpoint, row.target_id) }
}

/** Hexadecimal ids. */
export interface FinishedRow {
  readonly id: string
  readonly tenant: string
  readonly endpoint: string | null
  readonly subscription: string | null
  readonly target: string
  /** Of one whose subscription is ordered. */
  readonly orderingKey: string | null
  /** It was, when it was read. */
  readonly isDisabled: boolean
}

/** Of deliveries that can be sent again and that the caller has locked. True: some of them are due. */
export async function moveFinished(context: Context, rows: readonly FinishedRow[]): Promise<boolean> {
  const returned = await returnToLines(context, rows)
  const { places } = returned
  const isBehind = (row: FinishedRow): boolean => places.get(row)?.isBehind === true
  const candidates = rows.flatMap(({ endpoint, isDisabled }) =>
    isDisabled && endpoint !== null ? [endpoint] : [],
  )
  const disabled = await lockDisabled(context, candidates)
  const isParked = (row: FinishedRow): boolean =>
    !isBehind(row) && row.endpoint !== null && disabled.has(row.endpoint)
  const before = { state: 'pending', claimVersion: 0, attemptCount: 0, lostClaims: 0 } as const
  const moveTo = (moved: readonly FinishedRow[], wait: Waiting) => move(context, moved, { wait, places })
  await moveTo(rows.filter(isBehind), parked(before, 'behind_head'))
  await moveTo(rows.filter(isParked), parked(before, 'endpoint_disabled'))
  const due = rows.filter((row) => !isParked(row) && !isBehind(row))
  await moveTo(due, unparked(before, 0))
  await returned.settle()
  await armReady(
    context,
    due.map(({ target, tenant }) => ({ target, tenant, delayMs: 0 })),
  )
  return due.length > 0
}

interface PayloadRow {
  readonly has_payload: boolean
  readonly expunged_at: number | null
  readonly ordering_key: string | null
}

interface Move {
  readonly wait: Waiting
  readonly places: ReadonlyMap<FinishedRow, Place>
}

async function move(context: Context, rows: readonly FinishedRow[], { wait, places }: Move): Promise<void> {
  if (rows.length === 0) return
  const { dueInMs, reason } = wait
  await run(context, moveStatement, {
    ids: rows.map(({ id }) => id),
    lines: rows.map((row) => places.get(row)?.line ?? null),
    places: rows.map((row) => places.get(row)?.place ?? null),
    due_in: dueInMs,
    reason,
  })
}

const payloadStatement = query<PayloadRow>()(
  'replay_payload',
  { event: 'uuid' },
  // primary key
  'select payload is not null as has_payload, expunged_at, ordering_key from events where id = $event',
)

/** Attempts start at 1 again; the one that the row holds if it succeeded goes to the others. */
const moveStatement = command(
  'replay_move',
  { ids: 'uuid[]', lines: 'bigint[]', places: 'bigint[]', due_in: 'bigint', reason: 'text' },
  // primary key; the rows are locked since they were read
  `with gone as (
     delete from deliveries where id = any ($ids) returning *
   ), kept as (
     insert into attempts (${attemptColumns})
     select id, claim_version, attempt_count, 'success', last_http_status, error_class, last_error, latency_ms, started_at,
       response_headers, response_body, response_truncated
     from gone where state = 'succeeded' and started_at is not null
   ), back as (
     insert into live_deliveries (${liveColumns}, line, place)
     select id, tenant_id, event_id, subscription_id, endpoint_id, coalesce(target_id, endpoint_id), 'pending',
       ${now} + $due_in, $reason, 0, claim_version + 1, 0, last_http_status, error_class, last_error, created_at, ${now},
       ${now}, url, method, headers, o.line, o.place
     from gone join unnest($ids, $lines, $places) as o (gone_id, line, place) on o.gone_id = id
   ), moved as (
     select tenant_id, endpoint_id, state as from_state, 'pending' as to_state from gone
   )
   ${countMoved}`,
)
