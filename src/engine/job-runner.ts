/**
 * Does jobs, slice by slice; the store gives each job to one process at a time, and those that a process has take turns.
 *
 * A job is counted before its first slice changes anything, so that its progress has a total.
 */
import type { Clock } from '../core/clock.ts'
import { isStoreRefusal } from '../core/errors.ts'
import type { IdFactory } from '../core/ids.ts'
import { hasEnded, type Job } from '../core/jobs.ts'
import type { JobStore, StorePace } from '../store/port.ts'
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
/** A slice that the store refuses so often in a row ends its job. */
const maxRefusals = 5

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
  refusals: number
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
    const counting = { matching: 0, cursor: null }
    this.#held.set(job.id, { job, total: job.total, counting, nextAt: now, refusals: 0 })
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
    const { store, ids, clock, onDueWork, onEnabled } = this.#options
    const owner = this.#owner
    const { job, total } = held
    const most = held.refusals > 0 ? 1 : store.pace.fanOutSlice
    const limit = job.rate === null ? most : Math.min(most, Math.max(1, Math.floor(job.rate * burstShare)))
    try {
      const deliveryIds = job.kind === 'backfill' ? Array.from({ length: limit }, () => ids.next('dlv')) : []
      const slice = { jobId: job.id, owner, leaseMs, limit, deliveryIds, total }
      const progress = await store.runJobSlice(slice)
      if (progress === null) {
        this.#drop(job.id)
        return
      }
      if (progress.isDue) onDueWork()
      held.refusals = 0
      held.nextAt = clock.elapsed() + Math.max(progress.waitMs, waitOf(job, progress.done))
      if (!hasEnded(progress.job)) return
      this.#drop(job.id)
      const { endpointId } = job.filter
      if (job.kind === 'skip_backlog' && endpointId !== undefined) onEnabled(job.tenantId, endpointId)
    } catch (error) {
      held.nextAt = clock.elapsed() + retryMs
      if (!isStoreRefusal(error) || ++held.refusals < maxRefusals) throw error
      this.#drop(job.id)
      await store.failJob(owner, job.id, (error as Error).message)
    }
  }
}

/** Until the rate allows the next slice. */
function waitOf({ rate }: Job, done: number): number {
  return rate === null ? 0 : Math.min(maxWaitMs, (done / rate) * 1000)
}
