/**
 * The walk over what waits, upwards by id. Whatever is in flight is left to its outcome; when that is another wait, it is
 * behind the walk, so the walk begins again until it has met nothing in flight that it is about.
 */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { cancelReason, isOfJob } from '../../../core/jobs.ts'
import type { LiveState } from '../../../core/model.ts'
import { type JobWork, type JobWorkDone, lookAgainMs, readPass } from '../../job-rows.ts'
import { type Walked, walk } from '../../job-walk.ts'
import { updateEndpoint } from '../config/endpoints.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { handedOffColumns, handOffLeases, isOnlyHandedOff } from '../read/handed-off.ts'
import { cancelDeliveries } from '../record/finish.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'

interface LiveRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly endpoint_id: Uint8Array | null
  readonly topic: string | null
  readonly state: LiveState
  readonly created_at: number
}

const lowestId = uuid(new Uint8Array(16))

export async function cancelSlice(context: Context, work: JobWork): Promise<JobWorkDone> {
  const pass = readPass(work.cursor)
  const { found, skipped, cursor } = await walkWaiting(context, { ...work, cursor: pass.after })
  // What somebody else holds just now is about to be in flight, or at an end.
  const ids = found.map(({ id }) => uuid(id))
  const locked = ids.length === 0 ? [] : await run(context, lockStatement, { ids })
  const cancelled = await cancelDeliveries(
    context,
    locked.map(({ id, line }) => ({ id: uuid(id), line })),
    cancelReason(work.kind),
  )
  const done = cancelled.ids.size
  const isBusy = pass.isBusy || skipped > 0 || done < found.length
  const step = { done, skipped: 0, isDue: cancelled.advanced }
  if (cursor !== null) return { ...step, cursor: JSON.stringify({ after: cursor, isBusy }) }
  if (isBusy || (await isHandedOff(context, work))) {
    return { ...step, cursor: JSON.stringify({}), waitMs: lookAgainMs, failed: -work.failed }
  }
  const { endpointId } = work.filter
  if (work.kind !== 'skip_backlog' || endpointId === undefined) return { ...step, cursor: null }
  await updateEndpoint(context, work.tenantId, endpointId, { disabledReason: null })
  return { ...step, isDue: true, cursor: null }
}

/** What waits; those in flight count as skipped. */
export async function walkWaiting(context: Context, work: JobWork): Promise<Walked<LiveRow>> {
  const rows = await run(context, walkStatement, { after: work.cursor ?? lowestId, rows: work.scan })
  return walk(rows, work, {
    keyOf: ({ id }) => uuid(id),
    isMatch: (row) => isMatch(work, row),
    isPossible: (row) => row.state !== 'in_flight',
  })
}

function isMatch(work: JobWork, row: LiveRow): boolean {
  return (
    bytesToId(idPrefixes.tenant, row.tenant_id) === work.tenantId &&
    isOfJob(work, {
      endpointId: row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id),
      topic: row.topic,
      at: row.created_at,
      errorClass: null,
    })
  )
}

const walkStatement = query<LiveRow>()(
  'walk_waiting',
  { after: 'uuid', rows: 'bigint' },
  // primary keys
  `select d.id, d.tenant_id, d.endpoint_id, e.topic, d.state, d.created_at
   from (select * from live_deliveries where id > $after order by id limit $rows) d
   left join lateral (select v.topic from events v where v.id = d.event_id limit 1) e on true
   order by d.id`,
)

const lockStatement = query<{ readonly id: Uint8Array; readonly line: number | null }>()(
  'lock_waiting_of_job',
  { ids: 'uuid[]' },
  // primary key, in key order
  `select id, line from live_deliveries where id = any ($ids) and state <> 'in_flight' order by id for update skip locked`,
)

/** Of what was handed off there is no row to walk over. */
async function isHandedOff(context: Context, work: JobWork): Promise<boolean> {
  const rows = await run(context, handedOffStatement, {
    tenant: uuidOfId(work.tenantId),
    as_of: work.asOf,
  })
  return rows.some((row) => isMatch(work, row))
}

const handedOffStatement = query<LiveRow>()(
  'handed_off_of_job',
  { tenant: 'uuid', as_of: 'bigint' },
  // a few hundred rows of handoffs at most are looked through; primary keys
  `select ${handedOffColumns} from (${handOffLeases}) l
   cross join lateral (select * from events e where e.id = l.event_id limit 1) e
   where e.tenant_id = $tenant and e.created_at <= $as_of and ${isOnlyHandedOff}`,
)
