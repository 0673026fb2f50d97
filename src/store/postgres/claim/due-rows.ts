/** The due rows that a claim reads of its targets, locked for it. */
import { rowsOf } from '../connection/lists.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { type LockedColumns, type LockedRow, toLockedRow } from '../record/wait.ts'
import type { Position } from './low-water-marks.ts'

/**
 * Bytes of a payload that is read together with its row, once for each delivery. Larger ones are read when their rows are
 * leased, once for each event.
 */
const smallPayload = 2048

interface DueColumns extends LockedColumns {
  /** Which target it was asked of. */
  readonly ask: number
  readonly event_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly endpoint_id: Uint8Array | null
  readonly created_at: number
  readonly since: number | null
  readonly due_at: number
  readonly topic: string | null
  readonly metadata: string | null
  readonly trace_context: string | null
  readonly request: string | null
  /** Null: there is no payload. */
  readonly payload_bytes: number | null
  /** Null: it is read when the row is leased. */
  readonly payload: Uint8Array | null
  readonly is_deleted: boolean
  readonly is_disabled: boolean
  readonly routing_version: number
  /** More is due behind it. Where it is false, nobody has looked so far. */
  readonly has_more: boolean
}

/** What is needed of it more than once is made of its columns once. */
export interface DueRow {
  readonly columns: DueColumns
  readonly locked: LockedRow
  readonly at: Position
}

function toDueRow(columns: DueColumns): DueRow {
  const locked = toLockedRow(columns)
  return { columns, locked, at: { dueAt: columns.due_at, id: locked.id } }
}

interface DueAsk {
  readonly target: string
  readonly count: number
  /** Only what comes behind it. */
  readonly after: Position
}

/** Those that somebody else has locked are passed over. */
export async function readDue(context: Context, asks: readonly DueAsk[]): Promise<readonly DueRow[]> {
  const rows = await run(context, dueStatement, {
    asks: asks.map((_, index) => index),
    targets: asks.map(({ target }) => target),
    counts: asks.map(({ count }) => count),
    after_due: asks.map(({ after }) => after.dueAt),
    after_id: asks.map(({ after }) => after.id),
  })
  return rows.map(toDueRow)
}

/** SQL: the live row `l` is due, behind what the ask `c` says. A range of live_deliveries_due. */
const isDueOfAsk = `l.target_id = c.target_id and l.due_at is not null and l.due_at <= ${now}
    and l.state <> 'in_flight' and (l.due_at, l.id) > (c.after_due, c.after_id)`

const askLists = rowsOf({
  ask: 'asks',
  target_id: 'targets',
  count: 'counts',
  after_due: 'after_due',
  after_id: 'after_id',
})

const dueStatement = query<DueColumns>()(
  'take_due',
  { asks: 'integer[]', targets: 'uuid[]', counts: 'integer[]', after_due: 'bigint[]', after_id: 'uuid[]' },
  `
select c.ask, d.id, d.event_id, d.subscription_id, d.endpoint_id, d.state, d.claim_version, d.attempt_count,
  d.lost_claims, d.line, d.created_at, d.due_at,
  case when d.replayed_at is null then greatest(d.created_at, v.deliver_at) end as since, v.topic, v.metadata, v.trace_context, v.request, v.payload_bytes, v.payload,
  (d.endpoint_id is not null and (e.id is null or e.deleted_at is not null))
    or (d.subscription_id is not null and (s.id is null or s.deleted_at is not null))
    or (d.endpoint_id is null and t.deleted_at is not null) as is_deleted,
  e.disabled_reason is not null as is_disabled, coalesce(t.routing_version, 0) as routing_version,
  coalesce((n.due_at, n.id) > (d.due_at, d.id), false) as has_more
from (${askLists}) c
left join lateral ( -- the first one that is not asked for, if nobody has locked one before it
  select l.due_at, l.id from live_deliveries l where ${isDueOfAsk} order by l.due_at, l.id offset c.count limit 1) n on true
cross join lateral (
  select l.* from live_deliveries l where ${isDueOfAsk}
  order by l.due_at, l.id limit c.count for update skip locked) d
left join lateral ( -- primary key
  select deliver_at, topic, metadata, trace_context, request,
    case when payload is not null then payload_bytes end as payload_bytes,
    case when payload_bytes <= ${smallPayload} then payload end as payload
  from events v where v.id = d.event_id limit 1) v on true
left join endpoints e on e.id = d.endpoint_id
left join subscriptions s on s.id = d.subscription_id
left join tenants t on t.id = d.tenant_id`,
)
