import type { JobStore } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import {
  cancelJob,
  failJob,
  insertJob,
  pauseJob,
  releaseJobs,
  resumeJob,
  runJobSlice,
  takeJob,
} from './jobs.ts'
import { countJobSlice, getJob, listJobs } from './read-jobs.ts'

/** On the lane of what nobody waits for. */
export function createJobStore({ plain, atomic }: Runner): JobStore {
  return {
    insertJob: (job) => plain('config', (context) => insertJob(context, job)),
    getJob: (tenantId, id) => plain('read', (context) => getJob(context, tenantId, id)),
    listJobs: (tenantId, filter, page) =>
      plain('read', (context) => listJobs(context, tenantId, filter, page)),
    cancelJob: (tenantId, id) => plain('config', (context) => cancelJob(context, tenantId, id)),
    pauseJob: (tenantId, id) => plain('config', (context) => pauseJob(context, tenantId, id)),
    resumeJob: (tenantId, id) => plain('config', (context) => resumeJob(context, tenantId, id)),
    takeJob: (owner) => plain('config', (context) => takeJob(context, owner)),
    runJobSlice: (slice) => atomic('config', (context) => runJobSlice(context, slice)),
    countJobSlice: (work, cursor) => plain('read', (context) => countJobSlice(context, work, cursor)),
    failJob: (owner, jobId, error) => plain('config', (context) => failJob(context, owner, jobId, error)),
    releaseJobs: (owner) => plain('config', (context) => releaseJobs(context, owner)),
  }
}
