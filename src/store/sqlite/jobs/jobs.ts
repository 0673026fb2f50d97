/** The table of jobs: who makes, takes, ends and advances one. One process owns the file, so no lease runs out. */
import { idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { Job } from '../../../core/jobs.ts'
import { bytesOfId } from '../../cursors.ts'
import { passedWork, passOver } from '../../job-refusals.ts'
import { type JobRow, type JobWork, type JobWorkDone, scannedPerRow, toJob } from '../../job-rows.ts'
import type { JobOwner, JobProgress, JobSlice, NewJob } from '../../port.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { kinds } from './kinds.ts'

export function insertJob(context: WriteContext, job: NewJob): Job {
  const row = context
    .prepare<JobRow>(
      `insert into jobs (id, tenant_id, kind, filter, rate, state, done, skipped, created_at)
       values (?, ?, ?, ?, ?, 'queued', 0, 0, ?) returning *`,
    )
    .get(
      idToBytes(job.id),
      idToBytes(job.tenantId),
      job.kind,
      JSON.stringify(job.filter),
      job.rate,
      context.now,
    )
  return toJob(row as JobRow)
}

export function cancelJob(context: WriteContext, tenantId: string, id: string): Job | null {
  return changeJob(context, 'cancelled', tenantId, id)
}

export function pauseJob(context: WriteContext, tenantId: string, id: string): Job | null {
  return changeJob(context, 'paused', tenantId, id)
}

export function resumeJob(context: WriteContext, tenantId: string, id: string): Job | null {
  return changeJob(context, 'queued', tenantId, id)
}

/** By primary key. Without an owner no slice of it is run any more. */
const changes = {
  cancelled: `update jobs set state = 'cancelled', ended_at = ?3 where id = ?1 and tenant_id = ?2 and ended_at is null`,
  paused: `update jobs set state = 'paused', owner = null where id = ?1 and tenant_id = ?2 and ended_at is null`,
  queued: `update jobs set state = 'queued' where id = ?1 and tenant_id = ?2 and state = 'paused'`,
} as const

function changeJob(
  context: WriteContext,
  to: keyof typeof changes,
  tenantId: string,
  id: string,
): Job | null {
  const bytes = bytesOfId(idPrefixes.job, id)
  if (bytes === null) return null
  const moment = to === 'cancelled' ? [context.now] : []
  context.prepare(changes[to]).run(bytes, idToBytes(tenantId), ...moment)
  const row = context
    .prepare<JobRow>('select * from jobs where id = ? and tenant_id = ?')
    .get(bytes, idToBytes(tenantId))
  return row === undefined ? null : toJob(row)
}

/** Whoever else had one is gone: this process would not own the file. */
export function takeJob(context: WriteContext, { owner }: JobOwner): Job | null {
  const row = context
    .prepare<JobRow>(
      // jobs_open
      `update jobs set state = 'running', owner = ?, started_at = coalesce(started_at, ?)
       where id = (select id from jobs where ended_at is null and owner is not ? and state <> 'paused' order by id limit 1) returning *`,
    )
    .get(owner, context.now, owner)
  return row === undefined ? null : toJob(row)
}

export function runJobSlice(context: WriteContext, slice: JobSlice): JobProgress | null {
  const id = idToBytes(slice.jobId)
  const row = context
    .prepare<JobRow>('select * from jobs where id = ? and owner = ? and ended_at is null') // primary key
    .get(id, slice.owner)
  if (row === undefined) return null
  const { tenantId, kind, filter, createdAt } = toJob(row)
  const { limit, deliveryIds } = slice
  const { cursor, failed: failedBefore } = row
  const scan = limit * scannedPerRow
  const facts = { kind, tenantId, filter, asOf: createdAt, cursor, failed: failedBefore }
  const work = { ...facts, limit, deliveryIds, scan }
  const result = slice.refusal === null ? kinds[kind].slice(context, work) : leaveNext(context, work)
  const { done, failed = 0, isDue, waitMs = 0 } = result
  return { job: advance(context, { id, slice, result }), done, failed, isDue, waitMs }
}

function leaveNext(context: WriteContext, work: JobWork): JobWorkDone {
  return passOver(work, kinds[work.kind].look(context, passedWork(work)))
}

interface Advance {
  readonly id: Uint8Array
  readonly slice: JobSlice
  readonly result: JobWorkDone
}

function advance(context: WriteContext, { id, slice, result }: Advance): Job {
  const { done, skipped, failed = 0, cursor, failure = null } = result
  const row = context
    .prepare<JobRow>(
      // primary key
      `update jobs set done = done + ?, skipped = skipped + ?, failed = failed + ?, total = coalesce(total, ?), cursor = ?,
         error = coalesce(?, ?, error), state = iif(? is null, ?, state), ended_at = iif(? is null, ?, null)
       where id = ? returning *`,
    )
    .get(
      done,
      skipped,
      failed,
      slice.total,
      cursor,
      failure,
      slice.refusal,
      cursor,
      failure === null ? 'done' : 'failed',
      cursor,
      context.now,
      id,
    )
  return toJob(row as JobRow)
}

export function failJob(context: WriteContext, owner: string, jobId: string, error: string): void {
  context
    .prepare(
      // primary key
      `update jobs set state = 'failed', error = ?, ended_at = ? where id = ? and owner = ? and ended_at is null`,
    )
    .run(error, context.now, idToBytes(jobId), owner)
}

export function releaseJobs(context: WriteContext, owner: string): void {
  // jobs_open
  context.prepare('update jobs set owner = null where ended_at is null and owner = ?').run(owner)
}
