import { idPrefixes } from '../../../core/ids.ts'
import type { Job, JobKind, JobState } from '../../../core/jobs.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import { countedRows, type JobRow, jobColumns, toJob } from '../../job-rows.ts'
import type { CountedWork, JobCount, Page, PageRequest } from '../../port.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { optionalUuid, uuid, uuidOfId } from '../rows/wire-types.ts'
import { jobStatement } from './jobs.ts'
import { kinds } from './kinds.ts'

export async function getJob(context: Context, tenantId: string, id: string): Promise<Job | null> {
  const bytes = bytesOfId(idPrefixes.job, id)
  if (bytes === null) return null
  const [row] = await run(context, jobStatement, { id: uuid(bytes), tenant: uuidOfId(tenantId) })
  return row === undefined ? null : toJob(row)
}

export async function listJobs(
  context: Context,
  tenantId: string,
  filter: { readonly state?: JobState; readonly kind?: JobKind },
  page: PageRequest,
): Promise<Page<Job>> {
  const { limit, before } = readPageRequest(page)
  const rows = await run(context, listStatement, {
    tenant: uuidOfId(tenantId),
    before: optionalUuid(before),
    state: filter.state ?? null,
    kind: filter.kind ?? null,
    rows: limit + 1,
  })
  return toPage(rows, limit, toJob)
}

const listStatement = query<JobRow>()(
  'list_jobs',
  { tenant: 'uuid', before: 'uuid', state: 'text', kind: 'text', rows: 'bigint' },
  // jobs_tenant
  `select ${jobColumns} from jobs
   where tenant_id = $tenant and ($before is null or id < $before) and ($state is null or state = $state)
     and ($kind is null or kind = $kind)
   order by id desc limit $rows`,
)

export async function countJobSlice(
  context: Context,
  work: CountedWork,
  cursor: string | null,
): Promise<JobCount> {
  const { tenantId, kind, filter, asOf } = work
  const looked = await kinds[kind].look(context, {
    kind,
    tenantId,
    filter,
    asOf: asOf ?? context.moment,
    cursor,
    deliveryIds: [],
    failed: 0,
    limit: countedRows,
    scan: countedRows,
  })
  return { matching: looked.found.length, skipped: looked.skipped, cursor: looked.cursor }
}
