/**
 * Does jobs, slice by slice. Every process runs one, because whoever asked for a job may be gone; the store gives each
 * job to one of them at a time. Jobs take turns, and after each slice the runner rests for as long as the slice took, so
 * that publishes, claims and outcomes have at least half of the store's time.
 *
 * A job is counted before its first slice changes anything, so that its progress has a total.
 */
import type { Clock } from '../core/clock.ts'
import { isStoreRefusal } from '../core/errors.ts'
import type { IdFactory } from '../core/ids.ts'
import { hasEnded, type Job } from '../core/jobs.ts'
import type { Logger } from '../core/logger.ts'
import type { JobStore, StorePace } from '../store/port.ts'

const minRestMs = 1
const retryMs = 1000
/** Jobs that one process does side by side; others wait, for another process or for the end of one. */
const maxHeld = 16
/** Another process may make a job, or die at one, so there is a look for them this often. */
const lookEveryMs = 1000
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
  readonly clock: Clock
  readonly logger: Logger
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

export class JobRunner {
  readonly #options: JobRunnerOptions
  /** A name that no other process has or had. */
  readonly #owner: string
  readonly #held = new Map<string, Held>()
  #state: 'idle' | 'running' | 'stopped' = 'idle'
  #lookAt = 0
  #working: Promise<void> | null = null
  #cancelWait: (() => void) | null = null
  #failing = false

  constructor(options: JobRunnerOptions) {
    this.#options = options
    this.#owner = options.ids.next('job')
  }

  /** Goes on with what an earlier process left. */
  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.wake()
  }

  /** A job was made. */
  wake(): void {
    this.#lookAt = 0
    this.#turn()
  }

  /** Lets the slice under way end, and leaves its jobs to other processes. Can be called twice. */
  async stop(): Promise<void> {
    const wasRunning = this.#state === 'running'
    this.#state = 'stopped'
    this.#cancelWait?.()
    await this.#working
    if (wasRunning && this.#held.size > 0) await this.#release()
  }

  async #release(): Promise<void> {
    // Without it they wait for the end of their leases.
    await this.#options.store.releaseJobs(this.#owner).catch(() => {})
  }

  #turn(): void {
    if (this.#state !== 'running' || this.#working !== null) return
    this.#cancelWait?.()
    this.#cancelWait = null
    this.#working = this.#next().then((waitMs) => {
      this.#working = null
      if (this.#state !== 'running') return
      this.#cancelWait = this.#options.clock.schedule(waitMs, () => this.#turn())
    })
  }

  /** A look for jobs when it is time for one, and one slice. Never rejects. The answer: how long to rest. */
  async #next(): Promise<number> {
    const { clock } = this.#options
    const startedAt = clock.elapsed()
    try {
      if (startedAt >= this.#lookAt) await this.#look(startedAt)
      const held = this.#due(startedAt)
      if (held !== null) await (held.total === null ? this.#count(held) : this.#slice(held))
      this.#failing = false
    } catch (error) {
      this.#tellOnce(error)
      return retryMs
    }
    const now = clock.elapsed()
    const dueAt = Array.from(this.#held.values(), ({ nextAt }) => nextAt)
    const nextAt = Math.min(this.#lookAt, ...dueAt)
    return Math.max(minRestMs, now - startedAt, nextAt - now)
  }

  async #look(now: number): Promise<void> {
    this.#lookAt = now + lookEveryMs
    if (this.#held.size >= maxHeld) return
    const job = await this.#options.store.takeJob({ owner: this.#owner, leaseMs })
    if (job === null) return
    // There may be more.
    this.#lookAt = now
    const counting = { matching: 0, cursor: null }
    this.#held.set(job.id, { job, total: job.total, counting, nextAt: now, refusals: 0 })
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
        this.#held.delete(job.id)
        return
      }
      if (progress.isDue) onDueWork()
      held.refusals = 0
      held.nextAt = clock.elapsed() + Math.max(progress.waitMs, waitOf(job, progress.done))
      if (!hasEnded(progress.job)) return
      this.#held.delete(job.id)
      const { endpointId } = job.filter
      if (job.kind === 'skip_backlog' && endpointId !== undefined) onEnabled(job.tenantId, endpointId)
    } catch (error) {
      held.nextAt = clock.elapsed() + retryMs
      if (!isStoreRefusal(error) || ++held.refusals < maxRefusals) throw error
      this.#held.delete(job.id)
      await store.failJob(owner, job.id, (error as Error).message)
    }
  }

  /** While the store is out of reach every try fails. */
  #tellOnce(error: unknown): void {
    if (!this.#failing) {
      this.#options.logger.warn({ err: error }, 'jobs wait: a part of one failed and is tried again')
    }
    this.#failing = true
  }
}

/** Until the rate allows the next slice. */
function waitOf({ rate }: Job, done: number): number {
  return rate === null ? 0 : Math.min(maxWaitMs, (done / rate) * 1000)
}
