import type { Static } from 'typebox'
import type { Job, JobFilter } from '../../core/jobs.ts'
import type { DryRun } from '../../engine/jobs.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { DryRunBody, JobBody } from '../schemas/jobs.ts'

export function toJob(job: Job): Static<typeof JobBody> {
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    filter: toFilter(job.filter),
    rate: job.rate,
    total: job.total,
    done: job.done,
    skipped: job.skipped,
    failed: job.failed,
    error: job.error,
    created_at: formatTime(job.createdAt),
    started_at: formatOptionalTime(job.startedAt),
    ended_at: formatOptionalTime(job.endedAt),
  }
}

function toFilter({ endpointId, topic, since, until, errorClass }: JobFilter) {
  return {
    ...(endpointId !== undefined && { endpoint_id: endpointId }),
    ...(topic !== undefined && { topic }),
    ...(since !== undefined && { since: formatTime(since) }),
    ...(until !== undefined && { until: formatTime(until) }),
    ...(errorClass !== undefined && { error_class: errorClass }),
  }
}

export function toDryRun(dryRun: DryRun): Static<typeof DryRunBody> {
  return { dry_run: true, ...dryRun }
}
