/** The walk over dead letters, upwards by key: what is replayed and dies again stands behind it. */
import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import { isOfJob } from '../../../core/jobs.ts'
import type { ErrorClass } from '../../../core/model.ts'
import type { JobWork, JobWorkDone } from '../../job-rows.ts'
import { type Walked, walk } from '../../job-walk.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'
import { moveFinished } from '../record/replay.ts'
import { lowestKey } from '../rows/key-space.ts'
import { findNumber } from '../rows/names.ts'
import type { WriteContext } from '../threads/write-context.ts'

interface DeadRow {
  readonly k: number
  readonly endpoint_id: Uint8Array | null
  readonly target_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly event_k: number
  readonly topic: string | null
  readonly error_class: ErrorClass | null
  readonly updated_at: number
  readonly has_payload: number | null
  readonly is_deleted: number
}

export function replaySlice(context: WriteContext, work: JobWork): JobWorkDone {
  const { found, skipped, cursor } = walkDeadLetters(context, work)
  let isDue = false
  for (const row of found) {
    const endpointId = row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id)
    const targetId = bytesToId(idPrefixes.endpoint, row.target_id)
    const state = 'dead_lettered' as const
    const letter = {
      key: row.k,
      tenantId: work.tenantId,
      endpointId,
      subscriptionId:
        row.subscription_id === null ? null : bytesToId(idPrefixes.subscription, row.subscription_id),
      targetId,
      eventKey: row.event_k,
      state,
    }
    isDue = moveFinished(context, letter) || isDue
  }
  return { done: found.length, skipped, isDue, cursor }
}

/** Those that can be replayed; the others that match are skipped. */
export function walkDeadLetters(context: PreparesStatements, work: JobWork): Walked<DeadRow> {
  const tenant = findNumber(context, idToBytes(work.tenantId))
  if (tenant === null) return { found: [], skipped: 0, cursor: null, last: null }
  const after = work.cursor === null ? lowestKey : Number(work.cursor)
  const rows = context
    .prepare<DeadRow>(
      // deliveries_dead; primary keys
      `select d.k, en.id as endpoint_id, gn.id as target_id, sn.id as subscription_id, d.event_k, coalesce(t.topic, e.topic_text) as topic, d.error_class,
         d.updated_at, e.payload is not null as has_payload,
         (d.endpoint is not null and (ep.id is null or ep.deleted_at is not null))
           or (d.subscription is not null and (s.id is null or s.deleted_at is not null)) as is_deleted
       from deliveries d
       left join events e on e.k = d.event_k
       left join topics t on t.n = e.topic
       left join names en on en.n = d.endpoint
       left join names gn on gn.n = coalesce(d.target, d.endpoint)
       left join names sn on sn.n = d.subscription
       left join endpoints ep on ep.id = en.id
       left join subscriptions s on s.id = sn.id
       where d.tenant = ? and d.state = 4 and d.k > ? order by d.k limit ?`,
    )
    .all(tenant, after, work.scan)
  return walk(rows, work, {
    keyOf: ({ k }) => String(k),
    isMatch: (row) =>
      isOfJob(work, {
        endpointId: row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id),
        topic: row.topic,
        at: row.updated_at,
        errorClass: row.error_class,
      }),
    isPossible: (row) => row.has_payload === 1 && row.is_deleted === 0,
  })
}
