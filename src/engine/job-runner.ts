/**
 * Does jobs, slice by slice; the store gives each job to one process at a time, and those that a process has take turns.
 *
 * A job is counted before its first slice changes anything, so that its progress has a total.
 */
import type { Clock } from '../core/clock.ts'
import { isStoreRefusal } from '../core/errors.ts'
import type { IdFactory } from '../core/ids.ts'
import { hasEnded, type Job } from '../core/jobs.ts'
import type { JobProgress, JobSlice, JobStore, StorePace } from '../store/port.ts'
import type { DurableWork } from './work-loop.ts'

const retryMs = 1000
/** Jobs that one process does side by side; others wait, for another process or for the end of one. */
const maxHeld = 16
/** Longer than any slice takes: nothing is lost when it ends too early, and a dead process's jobs wait so long. */
const leaseMs = 15_000
/** Between two slices of a job with a rate: its lease is renewed by a slice. */
const maxWaitMs = 5_000
/** Of a second: a job with a rate does so much of it at once. */
const burstShare = 1 / 8
/** A delivery that the store refuses so often in a row, alone, is left and counted as failed. */
const maxRefusals = 5
/** So many of them, and nothing between them that it takes, end the job. */
const maxFailedInARow = 10

export interface JobRunnerOptions {
  readonly store: JobStore & { readonly pace: Pick<StorePace, 'fanOutSlice'> }
  readonly ids: IdFactory
  readonly clock: Pick<Clock, 'elapsed'>
  /** Another process may make a job, or die at one, so there is a look for them this often; null: there is no other. */
  readonly lookEveryMs: number | null
  /** Deliveries became due that nobody has claimed. */
  readonly onDueWork: () => void
  /** A job has enabled the endpoint. */
  readonly onEnabled: (tenantId: string, endpointId: string) => void
}

interface Held {
  readonly job: Job
  /** Null: it is not counted yet. */
  total: number | null
  counting: { readonly matching: number; readonly cursor: string | null }
  /** On the elapsed scale. */
  nextAt: number
  /** Slices that are to be of one delivery each, because the store has refused so many together. */
  alone: number
  /** Why it refused the next one alone, each time. */
  readonly refusals: string[]
  failedInARow: number
}

export class JobRunner implements DurableWork {
  readonly failing = 'jobs wait: a part of one failed and is tried again'
  readonly #options: JobRunnerOptions
  /** A name that no other process has or had. */
  readonly #owner: string
  readonly #held = new Map<string, Held>()
  /** When jobs are looked for, on the elapsed scale. */
  #lookAt = 0

  constructor(options: JobRunnerOptions) {
    this.#options = options
    this.#owner = options.ids.next('job')
  }

  expect(): void {
    this.#lookAt = 0
  }

  async leave(): Promise<void> {
    if (this.#held.size > 0) await this.#options.store.releaseJobs(this.#owner)
  }

  /** A look for jobs when it is time for one, and one slice. */
  async next(): Promise<number | null> {
    const { clock } = this.#options
    const startedAt = clock.elapsed()
    if (startedAt >= this.#lookAt) await this.#look(startedAt)
    const held = this.#due(startedAt)
    if (held !== null) await (held.total === null ? this.#count(held) : this.#slice(held))
    const dueAt = Array.from(this.#held.values(), ({ nextAt }) => nextAt)
    const nextAt = Math.min(this.#lookAt, ...dueAt)
    return nextAt === Number.POSITIVE_INFINITY ? null : Math.max(0, nextAt - clock.elapsed())
  }

  async #look(now: number): Promise<void> {
    const { store, lookEveryMs } = this.#options
    // What is asked for meanwhile sets it anew.
    this.#lookAt = lookEveryMs === null ? Number.POSITIVE_INFINITY : now + lookEveryMs
    if (this.#held.size >= maxHeld) return
    const job = await store.takeJob({ owner: this.#owner, leaseMs }).catch((error: unknown) => {
      this.#lookAt = 0
      throw error
    })
    if (job === null) return
    // There may be more.
    this.#lookAt = now
    this.#held.set(job.id, {
      job,
      total: job.total,
      counting: { matching: 0, cursor: null },
      nextAt: now,
      alone: 0,
      refusals: [],
      failedInARow: 0,
    })
  }

  /** There is room for another. */
  #drop(jobId: string): void {
    this.#held.delete(jobId)
    this.#lookAt = 0
  }

  /** The one that has waited longest. */
  #due(now: number): Held | null {
    let first: Held | null = null
    for (const held of this.#held.values()) {
      if (held.nextAt <= now && (first === null || held.nextAt < first.nextAt)) first = held
    }
    return first
  }

  async #count(held: Held): Promise<void> {
    const { job, counting } = held
    const work = { tenantId: job.tenantId, kind: job.kind, filter: job.filter, asOf: job.createdAt }
    const count = await this.#options.store.countJobSlice(work, counting.cursor)
    const matching = counting.matching + count.matching + count.skipped
    held.counting = { matching, cursor: count.cursor }
    if (count.cursor === null) held.total = matching
    held.nextAt = this.#options.clock.elapsed()
  }

  async #slice(held: Held): Promise<void> {
    const { store, clock, onDueWork, onEnabled } = this.#options
    const { job } = held
    const slice = this.#sliceOf(held)
    try {
      const progress = await store.runJobSlice(slice)
      if (progress === null) {
        this.#drop(job.id)
        return
      }
      if (progress.isDue) onDueWork()
      held.nextAt = clock.elapsed() + Math.max(progress.waitMs, waitOf(job, progress.done))
      if (hasEnded(progress.job)) {
        this.#drop(job.id)
        const { endpointId } = job.filter
        if (job.kind === 'skip_backlog' && endpointId !== undefined) onEnabled(job.tenantId, endpointId)
        return
      }
      const isHopeless = noteProgress(held, slice, progress)
      if (isHopeless) await this.#giveUp(held, progress.job.error ?? '')
    } catch (error) {
      held.nextAt = clock.elapsed() + retryMs
      if (!isStoreRefusal(error)) throw error
      if (slice.refusal !== null) {
        await this.#giveUp(held, slice.refusal)
        return
      }
      if (slice.limit > 1) held.alone = slice.limit
      else held.refusals.push((error as Error).message)
      throw error
    }
  }

  #sliceOf({ job, total, alone, refusals }: Held): JobSlice {
    const { store, ids } = this.#options
    const most = alone > 0 ? 1 : store.pace.fanOutSlice
    const limit = job.rate === null ? most : Math.min(most, Math.max(1, Math.floor(job.rate * burstShare)))
    const deliveryIds = job.kind === 'backfill' ? Array.from({ length: limit }, () => ids.next('dlv')) : []
    const refusal = refusals.length < maxRefusals ? null : (refusals.at(-1) ?? null)
    return { jobId: job.id, owner: this.#owner, leaseMs, limit, deliveryIds, total, refusal }
  }

  async #giveUp({ job }: Held, error: string): Promise<void> {
    await this.#options.store.failJob(this.#owner, job.id, error)
    this.#drop(job.id)
  }
}

/** True: the store takes nothing of the job. */
function noteProgress(held: Held, { refusal }: JobSlice, { done, failed }: JobProgress): boolean {
  held.refusals.length = 0
  held.alone = Math.max(0, held.alone - 1)
  if (done > 0) held.failedInARow = 0
  held.failedInARow += failed
  return refusal !== null && (failed === 0 || held.failedInARow >= maxFailedInARow)
}

/** Until the rate allows the next slice. */
function waitOf({ rate }: Job, done: number): number {
  return rate === null ? 0 : Math.min(maxWaitMs, (done / rate) * 1000)
}
