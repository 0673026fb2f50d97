/**
 * The walk over what waits, upwards by key. Whatever is in flight is left to its outcome; when that is another wait, it is
 * behind the walk, so the walk begins again until it has met nothing in flight that it is about.
 */
import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import { cancelReason, isOfJob } from '../../../core/jobs.ts'
import type { LiveState } from '../../../core/model.ts'
import { type JobWork, type JobWorkDone, lookAgainMs, readPass } from '../../job-rows.ts'
import { type Walked, walk } from '../../job-walk.ts'
import type { Lease } from '../claim/leases.ts'
import { updateEndpoint } from '../config/endpoints.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'
import { cancelInMemory } from '../record/cancel.ts'
import { finishWaiting } from '../record/finish.ts'
import { lowestKey } from '../rows/key-space.ts'
import { stateOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'

interface LiveRow {
  readonly k: number
  readonly tenant_id: Uint8Array
  readonly endpoint_id: Uint8Array | null
  readonly topic: string | null
  readonly state: number
  readonly created_at: number
}

const inFlight = 1

export function cancelSlice(context: WriteContext, work: JobWork): JobWorkDone {
  const pass = readPass(work.cursor)
  const leased = cancelLeased(context, work)
  const { found, skipped, cursor } = walkWaiting(context, {
    ...work,
    cursor: pass.after,
    limit: Math.max(1, work.limit - leased.done),
  })
  let isDue = false
  for (const row of found) {
    const endpointId = row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id)
    const state = stateOf(row.state) as LiveState
    const waiting = { key: row.k, state, tenantId: work.tenantId, endpointId }
    const givenUp = { errorClass: null, lastError: cancelReason(work.kind) }
    isDue = finishWaiting(context, waiting, { state: 'cancelled', givenUp }) || isDue
  }
  const done = leased.done + found.length
  const isBusy = pass.isBusy || leased.isBusy || skipped > 0
  if (cursor !== null) return { done, skipped: 0, isDue, cursor: JSON.stringify({ after: cursor, isBusy }) }
  if (isBusy)
    return {
      done,
      skipped: 0,
      isDue,
      cursor: JSON.stringify({}),
      waitMs: lookAgainMs,
      failed: -work.failed,
    }
  const { endpointId } = work.filter
  if (work.kind !== 'skip_backlog' || endpointId === undefined)
    return { done, skipped: 0, isDue, cursor: null }
  updateEndpoint(context, work.tenantId, endpointId, { disabledReason: null })
  return { done, skipped: 0, isDue: true, cursor: null }
}

/** Those that only the writer's memory knows. */
function cancelLeased(context: WriteContext, work: JobWork) {
  let done = 0
  let isBusy = false
  for (const lease of [...context.memory.leases.all()]) {
    if (lease.tenantId !== work.tenantId || !isMatch(context, lease, work)) continue
    if (lease.waiting === null) isBusy = true
    else if (done < work.limit) {
      cancelInMemory(context, lease, cancelReason(work.kind))
      done += 1
    } else isBusy = true
  }
  return { done, isBusy }
}

function isMatch(context: WriteContext, lease: Lease, work: JobWork): boolean {
  const { endpointId, createdAt } = lease
  const found = { endpointId, topic: null, at: createdAt, errorClass: null }
  const { topic, ...filter } = work.filter
  if (!isOfJob({ filter, asOf: work.asOf }, found)) return false
  return topic === undefined || topicOf(context, lease) === topic
}

function topicOf(context: WriteContext, { eventKey }: Lease): unknown {
  return context
    .prepare(
      // primary keys
      `select coalesce(t.topic, e.topic_text) as topic from events e left join topics t on t.n = e.topic where e.k = ?`,
    )
    .get(eventKey)?.topic
}

/** What waits; those in flight count as skipped. */
export function walkWaiting(context: PreparesStatements, work: JobWork): Walked<LiveRow> {
  const tenant = Buffer.from(idToBytes(work.tenantId))
  const rows = context
    .prepare<LiveRow>(
      // primary keys
      `select d.k, tn.id as tenant_id, en.id as endpoint_id, coalesce(t.topic, e.topic_text) as topic, d.state,
         d.created_at
       from live_deliveries d
       left join names tn on tn.n = d.tenant
       left join names en on en.n = d.endpoint
       left join events e on e.k = d.event_k
       left join topics t on t.n = e.topic
       where d.k > ? order by d.k limit ?`,
    )
    .all(work.cursor === null ? lowestKey : Number(work.cursor), work.scan)
  return walk(rows, work, {
    keyOf: ({ k }) => String(k),
    isMatch: (row) =>
      tenant.equals(row.tenant_id) &&
      isOfJob(work, {
        endpointId: row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id),
        topic: row.topic,
        at: row.created_at,
        errorClass: null,
      }),
    isPossible: (row) => row.state !== inFlight,
  })
}
