/** Jobs: what is to be done with many deliveries, and how far that has got. The rules of `../port.ts` hold. */
import type { Job, JobFilter, JobKind, JobState } from '../../core/jobs.ts'
import type { Page, PageRequest } from './reading.ts'

export type NewJob = Pick<Job, 'id' | 'tenantId' | 'kind' | 'filter' | 'rate'>

/** What is counted for a job that is there or that may be made. */
export interface CountedWork {
  readonly tenantId: string
  readonly kind: JobKind
  readonly filter: JobFilter
  /** Null: now. */
  readonly asOf: number | null
}

export interface JobCount {
  /** Deliveries that a job would do something about. */
  readonly matching: number
  /** Those that it would have to skip. */
  readonly skipped: number
  /** Where to go on; null: that was all. */
  readonly cursor: string | null
}

/** Whose a job is for the time being. */
export interface JobOwner {
  /** A name of the process, which no other one has or ever had. */
  readonly owner: string
  /** From the end of each slice. Another process takes the job over when it ends; where one process owns the store, at once. */
  readonly leaseMs: number
}

export interface JobSlice extends JobOwner {
  readonly jobId: string
  /** Deliveries at most. */
  readonly limit: number
  /** For deliveries that a back-fill makes: as many as `limit`. Of other kinds none. */
  readonly deliveryIds: readonly string[]
  /** Kept unless the job has a total. */
  readonly total: number | null
  /** Why the store refuses the next delivery, which is then left as it is and counted as failed, and nothing else done; null: it does not. */
  readonly refusal: string | null
}

export interface JobProgress {
  readonly job: Job
  /** Deliveries that this slice did something about. */
  readonly done: number
  /** Deliveries that it left for the sake of `refusal`: one, or none when there is nothing to leave. */
  readonly failed: number
  /** Some of them are due now. */
  readonly isDue: boolean
  /** No slice has anything to do before. */
  readonly waitMs: number
}

export interface JobStore {
  insertJob(job: NewJob): Promise<Job>
  getJob(tenantId: string, id: string): Promise<Job | null>
  listJobs(
    tenantId: string,
    filter: { readonly state?: JobState; readonly kind?: JobKind },
    page: PageRequest,
  ): Promise<Page<Job>>
  /** Nothing more is done of it after this; one that has ended stays as it is. Null: no such job. Waits for a slice that runs. */
  cancelJob(tenantId: string, id: string): Promise<Job | null>
  /** Nobody has or takes it until it is resumed; one that has ended stays as it is. Null: no such job. Waits for a slice that runs. */
  pauseJob(tenantId: string, id: string): Promise<Job | null>
  /** A paused one waits to be taken again, and goes on where its last slice ended; any other stays as it is. Null: no such job. */
  resumeJob(tenantId: string, id: string): Promise<Job | null>
  /** One that waits, or whose owner is gone, is the owner's from now on and `running`; null: there is none. Atomic. */
  takeJob(owner: JobOwner): Promise<Job | null>
  /**
   * Does the next part of a job and notes how far it has got, in one transaction: whoever dies in it leaves all or
   * nothing of the slice. Null: the job is another owner's by now, or has ended.
   */
  runJobSlice(slice: JobSlice): Promise<JobProgress | null>
  /** Reads on from the cursor (null: the beginning), over a bounded number of rows. */
  countJobSlice(work: CountedWork, cursor: string | null): Promise<JobCount>
  /** The owner gives up: the job has failed, for the reason. */
  failJob(owner: string, jobId: string, error: string): Promise<void>
  /** The owner stops: its jobs wait for the next one. */
  releaseJobs(owner: string): Promise<void>
}
