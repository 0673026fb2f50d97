/**
 * The table of jobs: who makes, takes, ends and advances one. A slice locks its job's row until it commits, so a job that
 * is cancelled or taken over changes between two slices only.
 */
import { idPrefixes } from '../../../core/ids.ts'
import type { Job } from '../../../core/jobs.ts'
import { bytesOfId } from '../../cursors.ts'
import { passedWork, passOver } from '../../job-refusals.ts'
import {
  type JobRow,
  type JobWork,
  type JobWorkDone,
  jobColumns,
  scannedPerRow,
  toJob,
} from '../../job-rows.ts'
import type { JobOwner, JobProgress, JobSlice, NewJob } from '../../port.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { kinds } from './kinds.ts'

export async function insertJob(context: Context, job: NewJob): Promise<Job> {
  const [row] = await run(context, insertStatement, {
    id: uuidOfId(job.id),
    tenant: uuidOfId(job.tenantId),
    kind: job.kind,
    filter: JSON.stringify(job.filter),
    rate: job.rate,
  })
  return toJob(row as JobRow)
}

const insertStatement = query<JobRow>()(
  'insert_job',
  { id: 'uuid', tenant: 'uuid', kind: 'text', filter: 'text', rate: 'double precision' },
  `insert into jobs (id, tenant_id, kind, filter, rate, state, done, skipped, lease_until, created_at)
   values ($id, $tenant, $kind, $filter, $rate, 'queued', 0, 0, 0, ${now}) returning ${jobColumns}`,
)

export async function cancelJob(context: Context, tenantId: string, id: string): Promise<Job | null> {
  return changeJob(context, cancelStatement, tenantId, id)
}

export async function pauseJob(context: Context, tenantId: string, id: string): Promise<Job | null> {
  return changeJob(context, pauseStatement, tenantId, id)
}

export async function resumeJob(context: Context, tenantId: string, id: string): Promise<Job | null> {
  return changeJob(context, resumeStatement, tenantId, id)
}

async function changeJob(
  context: Context,
  change: typeof cancelStatement,
  tenantId: string,
  id: string,
): Promise<Job | null> {
  const bytes = bytesOfId(idPrefixes.job, id)
  if (bytes === null) return null
  const key = { id: uuid(bytes), tenant: uuidOfId(tenantId) }
  await run(context, change, key)
  const [row] = await run(context, jobStatement, key)
  return row === undefined ? null : toJob(row)
}

const cancelStatement = command(
  'cancel_job',
  { id: 'uuid', tenant: 'uuid' },
  // primary key
  `update jobs set state = 'cancelled', ended_at = ${now}
   where id = $id and tenant_id = $tenant and ended_at is null`,
)

/** Its lease never ends, so that processes of before there were pauses leave it alone too. */
const pauseStatement = command(
  'pause_job',
  { id: 'uuid', tenant: 'uuid' },
  // primary key
  `update jobs set state = 'paused', owner = null, lease_until = ${Number.MAX_SAFE_INTEGER}
   where id = $id and tenant_id = $tenant and ended_at is null`,
)

const resumeStatement = command(
  'resume_job',
  { id: 'uuid', tenant: 'uuid' },
  // primary key
  `update jobs set state = 'queued', lease_until = 0
   where id = $id and tenant_id = $tenant and state = 'paused'`,
)

export const jobStatement = query<JobRow>()(
  'get_job',
  { id: 'uuid', tenant: 'uuid' },
  // primary key
  `select ${jobColumns} from jobs where id = $id and tenant_id = $tenant`,
)

export async function takeJob(context: Context, { owner, leaseMs }: JobOwner): Promise<Job | null> {
  const [row] = await run(context, takeStatement, { owner, lease_ms: leaseMs })
  return row === undefined ? null : toJob(row)
}

const takeStatement = query<JobRow>()(
  'take_job',
  { owner: 'text', lease_ms: 'bigint' },
  // jobs_open; a job whose slice runs is locked, and its owner alive
  `update jobs set state = 'running', owner = $owner, lease_until = ${now} + $lease_ms,
     started_at = coalesce(started_at, ${now})
   where id = (
     select id from jobs where ended_at is null and lease_until <= ${now} and owner is distinct from $owner
       and state <> 'paused'
     order by id limit 1 for update skip locked)
   returning ${jobColumns}`,
)

export async function runJobSlice(context: Context, slice: JobSlice): Promise<JobProgress | null> {
  const id = uuidOfId(slice.jobId)
  const [row] = await run(context, lockStatement, { id, owner: slice.owner })
  if (row === undefined) return null
  const { tenantId, kind, filter, createdAt } = toJob(row)
  const { limit, deliveryIds } = slice
  const { cursor, failed: failedBefore } = row
  const scan = limit * scannedPerRow
  const facts = { kind, tenantId, filter, asOf: createdAt, cursor, failed: failedBefore }
  const work = { ...facts, limit, deliveryIds, scan }
  const result = await (slice.refusal === null ? kinds[kind].slice(context, work) : leaveNext(context, work))
  const { done, failed = 0, isDue, waitMs = 0 } = result
  return { job: await advance(context, slice, result), done, failed, isDue, waitMs }
}

async function leaveNext(context: Context, work: JobWork): Promise<JobWorkDone> {
  return passOver(work, await kinds[work.kind].look(context, passedWork(work)))
}

const lockStatement = query<JobRow>()(
  'lock_job',
  { id: 'uuid', owner: 'text' },
  // primary key
  `select ${jobColumns} from jobs where id = $id and owner = $owner and ended_at is null for update`,
)

async function advance(context: Context, slice: JobSlice, result: JobWorkDone): Promise<Job> {
  const [row] = await run(context, advanceStatement, {
    id: uuidOfId(slice.jobId),
    total: slice.total,
    lease_ms: slice.leaseMs,
    done: result.done,
    skipped: result.skipped,
    failed: result.failed ?? 0,
    cursor: result.cursor,
    failure: result.failure ?? null,
    refusal: slice.refusal,
  })
  return toJob(row as JobRow)
}

const advanceStatement = query<JobRow>()(
  'advance_job',
  {
    id: 'uuid',
    total: 'bigint',
    lease_ms: 'bigint',
    done: 'bigint',
    skipped: 'bigint',
    failed: 'bigint',
    cursor: 'text',
    failure: 'text',
    refusal: 'text',
  },
  // primary key
  `update jobs set done = done + $done, skipped = skipped + $skipped, failed = failed + $failed,
     total = coalesce(total, $total), cursor = $cursor, lease_until = ${now} + $lease_ms,
     error = coalesce($failure, $refusal, error),
     state = case when $failure is not null then 'failed' when $cursor is null then 'done' else state end,
     ended_at = case when $cursor is null then ${now} end
   where id = $id returning ${jobColumns}`,
)

export async function failJob(context: Context, owner: string, jobId: string, error: string): Promise<void> {
  await run(context, failStatement, { owner, id: uuidOfId(jobId), error })
}

const failStatement = command(
  'fail_job',
  { owner: 'text', id: 'uuid', error: 'text' },
  // primary key
  `update jobs set state = 'failed', error = $error, ended_at = ${now}
   where id = $id and owner = $owner and ended_at is null`,
)

export async function releaseJobs(context: Context, owner: string): Promise<void> {
  await run(context, releaseStatement, { owner })
}

const releaseStatement = command(
  'release_jobs',
  { owner: 'text' },
  // jobs_open
  'update jobs set owner = null, lease_until = 0 where ended_at is null and owner = $owner',
)
