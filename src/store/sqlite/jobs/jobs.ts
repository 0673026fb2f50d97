/** The table of jobs: who makes, takes, ends and advances one. One process owns the file, so no lease runs out. */
import { idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { Job } from '../../../core/jobs.ts'
import { bytesOfId } from '../../cursors.ts'
import { type JobRow, type JobWorkDone, scannedPerRow, toJob } from '../../job-rows.ts'
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
  const bytes = bytesOfId(idPrefixes.job, id)
  if (bytes === null) return null
  context
    .prepare(
      // primary key
      `update jobs set state = 'cancelled', ended_at = ? where id = ? and tenant_id = ? and ended_at is null`,
    )
    .run(context.now, bytes, idToBytes(tenantId))
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
       where id = (select id from jobs where ended_at is null and owner is not ? order by id limit 1) returning *`,
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
  const scan = limit * scannedPerRow
  const work = { kind, tenantId, filter, asOf: createdAt, cursor: row.cursor, limit, deliveryIds, scan }
  const result = kinds[kind].slice(context, work)
  const { done, isDue, waitMs = 0 } = result
  return { job: advance(context, { id, total: slice.total, result }), done, isDue, waitMs }
}

interface Advance {
  readonly id: Uint8Array
  readonly total: number | null
  readonly result: JobWorkDone
}

function advance(context: WriteContext, { id, total, result }: Advance): Job {
  const { done, skipped, cursor, failure = null } = result
  const row = context
    .prepare<JobRow>(
      // primary key
      `update jobs set done = done + ?, skipped = skipped + ?, total = coalesce(total, ?), cursor = ?,
         error = ?, state = iif(? is null, ?, state), ended_at = iif(? is null, ?, null)
       where id = ? returning *`,
    )
    .get(
      done,
      skipped,
      total,
      cursor,
      failure,
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
