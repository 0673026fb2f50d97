import { idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { Job, JobKind, JobState } from '../../../core/jobs.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import { countedRows, type JobRow, toJob } from '../../job-rows.ts'
import type { CountedWork, JobCount, Page, PageRequest } from '../../port.ts'
import type { ReadContext } from '../read/context.ts'
import { kinds } from './kinds.ts'

export function getJob(context: ReadContext, tenantId: string, id: string): Job | null {
  const bytes = bytesOfId(idPrefixes.job, id)
  if (bytes === null) return null
  const row = context
    .prepare<JobRow>('select * from jobs where id = ? and tenant_id = ?') // primary key
    .get(bytes, idToBytes(tenantId))
  return row === undefined ? null : toJob(row)
}

export function listJobs(
  context: ReadContext,
  tenantId: string,
  filter: { readonly state?: JobState; readonly kind?: JobKind },
  page: PageRequest,
): Page<Job> {
  const { limit, before } = readPageRequest(page)
  const state = filter.state ?? null
  const kind = filter.kind ?? null
  const rows = context
    .prepare<JobRow>(
      // jobs_tenant
      `select * from jobs where tenant_id = ? and (? is null or id < ?) and (? is null or state = ?)
         and (? is null or kind = ?)
       order by id desc limit ?`,
    )
    .all(idToBytes(tenantId), before, before, state, state, kind, kind, limit + 1)
  return toPage(rows, limit, toJob)
}

export function countJobSlice(context: ReadContext, work: CountedWork, cursor: string | null): JobCount {
  const { tenantId, kind, filter, asOf } = work
  const looked = kinds[kind].look(context, {
    kind,
    tenantId,
    filter,
    asOf: asOf ?? context.now,
    cursor,
    deliveryIds: [],
    failed: 0,
    limit: countedRows,
    scan: countedRows,
  })
  return { matching: looked.found.length, skipped: looked.skipped, cursor: looked.cursor }
}
