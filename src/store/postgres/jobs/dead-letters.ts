/** The walk over dead letters, upwards by id: what is replayed and dies again stands behind it. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { isOfJob } from '../../../core/jobs.ts'
import type { ErrorClass } from '../../../core/model.ts'
import type { JobWork, JobWorkDone } from '../../job-rows.ts'
import { type Walked, walk } from '../../job-walk.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { moveFinished } from '../record/replay.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'

interface DeadRow {
  readonly id: Uint8Array
  readonly endpoint_id: Uint8Array | null
  readonly target_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  /** Of one whose subscription is ordered. */
  readonly ordering_key: string | null
  readonly topic: string | null
  readonly error_class: ErrorClass | null
  readonly updated_at: number
  readonly has_payload: boolean | null
  readonly is_deleted: boolean
  readonly is_disabled: boolean
}

const lowestId = uuid(new Uint8Array(16))

/**
 * Whoever replays one of them at the same moment, or lets its payload expire, is waited for, and then it is no match any
 * more or is skipped.
 */
export async function replaySlice(context: Context, work: JobWork): Promise<JobWorkDone> {
  const seen = await walkDeadLetters(context, work)
  const ids = seen.found.map(({ id }) => uuid(id))
  await run(context, lockStatement, { ids })
  // A statement of its own, after the locks, so that it sees what was committed while they were waited for.
  const rows = await run(context, lockedStatement, { ids })
  const { found, skipped } = walk(rows, { limit: ids.length, scan: ids.length + 1 }, rulesOf(work))
  const isDue = await moveFinished(
    context,
    found.map((row) => ({
      id: uuid(row.id),
      tenant: uuidOfId(work.tenantId),
      endpoint: row.endpoint_id === null ? null : uuid(row.endpoint_id),
      subscription: row.subscription_id === null ? null : uuid(row.subscription_id),
      target: uuid(row.target_id),
      orderingKey: row.ordering_key,
      isDisabled: row.is_disabled,
    })),
  )
  return { done: found.length, skipped: seen.skipped + skipped, isDue, cursor: seen.cursor }
}

const facts = `d.id, d.endpoint_id, coalesce(d.target_id, d.endpoint_id) as target_id, d.subscription_id,
  case when s.ordered then e.ordering_key end as ordering_key, e.topic, d.error_class, d.updated_at,
  e.has_payload,
  (d.endpoint_id is not null and (ep.id is null or ep.deleted_at is not null))
    or (d.subscription_id is not null and (s.id is null or s.deleted_at is not null)) as is_deleted,
  coalesce(ep.disabled_reason is not null, false) as is_disabled`

const joins = `left join lateral (
    select v.topic, v.ordering_key, v.payload is not null as has_payload from events v where v.id = d.event_id limit 1) e on true
  left join endpoints ep on ep.id = d.endpoint_id
  left join subscriptions s on s.id = d.subscription_id`

/** Those that can be replayed; the others that match are skipped. */
export async function walkDeadLetters(context: Context, work: JobWork): Promise<Walked<DeadRow>> {
  const rows = await run(context, walkStatement, {
    tenant: uuidOfId(work.tenantId),
    after: work.cursor ?? lowestId,
    rows: work.scan,
  })
  return walk(rows, work, rulesOf(work))
}

function rulesOf(work: JobWork) {
  return {
    keyOf: ({ id }: DeadRow) => uuid(id),
    isMatch: (row: DeadRow) =>
      isOfJob(work, {
        endpointId: row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id),
        topic: row.topic,
        at: row.updated_at,
        errorClass: row.error_class,
      }),
    isPossible: (row: DeadRow) => row.has_payload === true && !row.is_deleted,
  }
}

const walkStatement = query<DeadRow>()(
  'walk_dead_letters',
  { tenant: 'uuid', after: 'uuid', rows: 'bigint' },
  // deliveries_dead; primary keys
  `select ${facts} from (
     select * from deliveries where tenant_id = $tenant and state = 'dead_lettered' and id > $after
     order by id limit $rows) d
   ${joins} order by d.id`,
)

const lockStatement = query<object>()(
  'lock_dead_letters_of_job',
  { ids: 'uuid[]' },
  // primary key, in key order
  `select from deliveries where id = any ($ids) and state = 'dead_lettered' order by id for update`,
)

const lockedStatement = query<DeadRow>()(
  'dead_letters_of_job',
  { ids: 'uuid[]' },
  // primary keys
  `select ${facts} from deliveries d ${joins}
   where d.id = any ($ids) and d.state = 'dead_lettered' order by d.id`,
)
