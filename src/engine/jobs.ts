/** Work on many deliveries at once, as durable jobs: what it takes to make one, and to look at and end those that are there. */
import { OuthookError } from '../core/errors.ts'
import type { IdFactory } from '../core/ids.ts'
import { type Job, type JobFilter, type JobKind, type JobState, jobKinds, jobStates } from '../core/jobs.ts'
import type { ConfigStore, JobStore, Page, PageRequest } from '../store/port.ts'
import { checkFilter, checkId, checkPage, notFound } from './page.ts'

/** A tenth a second to so many. */
const minRate = 0.1
const maxRate = 10_000
/** A dry run counts for so many reads at most: 2 000 000 rows. */
const maxCountReads = 2000

export interface JobInput extends JobFilter {
  /** Must be given when no filter is: all there are. */
  readonly all?: boolean
  /** Deliveries a second at most; default: as fast as the store takes them beside its other work. */
  readonly rate?: number
}

/** What waits has no error class of its own yet. */
export type CancelManyInput = Omit<JobInput, 'errorClass'>

/** Events that were published from `since` on, and before `until` or now. */
export interface BackfillInput extends Pick<JobInput, 'topic' | 'until' | 'rate'> {
  /** Must be given. */
  readonly since?: number
}

/** What a job would do. */
export interface DryRun {
  readonly matching: number
  /** Matching, and nothing could be done about them: their payload or what they went to is gone. */
  readonly skipped: number
  /** False: there are more, which were not counted. */
  readonly complete: boolean
}

export interface JobsOptions {
  readonly store: JobStore & Pick<ConfigStore, 'getEndpoint'>
  readonly ids: IdFactory
  /** A job waits to be taken. */
  readonly onJob: () => void
}

export class Jobs {
  readonly #options: JobsOptions

  constructor(options: JobsOptions) {
    this.#options = options
  }

  /** Errors: not_found. */
  async get(tenantId: string, id: string): Promise<Job> {
    const job = await this.#options.store.getJob(tenantId, checkId(id, 'job', 'job'))
    if (job === null) throw notFound('job')
    return job
  }

  async list(
    tenantId: string,
    filter: { readonly state?: JobState; readonly kind?: JobKind } = {},
    page: Partial<PageRequest> = {},
  ): Promise<Page<Job>> {
    checkOneOf('state', filter.state, jobStates)
    checkOneOf('kind', filter.kind, jobKinds)
    return this.#options.store.listJobs(tenantId, filter, checkPage(page))
  }

  /** What is done stays done; nothing more is. A job that has ended stays as it is. Errors: not_found. */
  async cancel(tenantId: string, id: string): Promise<Job> {
    const job = await this.#options.store.cancelJob(tenantId, checkId(id, 'job', 'job'))
    if (job === null) throw notFound('job')
    return job
  }

  /** What is done stays done; nothing more is until it is resumed. A job that has ended stays as it is. Errors: not_found. */
  async pause(tenantId: string, id: string): Promise<Job> {
    const job = await this.#options.store.pauseJob(tenantId, checkId(id, 'job', 'job'))
    if (job === null) throw notFound('job')
    return job
  }

  /** A paused job goes on where it stopped; any other stays as it is. Errors: not_found. */
  async resume(tenantId: string, id: string): Promise<Job> {
    const job = await this.#options.store.resumeJob(tenantId, checkId(id, 'job', 'job'))
    if (job === null) throw notFound('job')
    this.#options.onJob()
    return job
  }

  /**
   * A job that makes the dead letters pending again that were given up until now and match: each once, whatever happens.
   * Errors: invalid_request, not_found (the endpoint).
   */
  async replayDeadLetters(tenantId: string, input: JobInput): Promise<Job> {
    return this.#make(tenantId, 'replay', input)
  }

  /** What `replayDeadLetters` would do now. */
  async dryReplayDeadLetters(tenantId: string, input: JobInput): Promise<DryRun> {
    return this.#count(tenantId, 'replay', input)
  }

  /**
   * A job that cancels what was made until now, matches and waits for its first or another attempt. Attempts under way are
   * left to their outcome, and cancelled afterwards if they wait again. Errors: invalid_request, not_found (the endpoint).
   */
  async cancelDeliveries(tenantId: string, input: CancelManyInput): Promise<Job> {
    return this.#make(tenantId, 'cancel', input)
  }

  /** What `cancelDeliveries` would do now; what is in flight is `skipped`. */
  async dryCancelDeliveries(tenantId: string, input: CancelManyInput): Promise<DryRun> {
    return this.#count(tenantId, 'cancel', input)
  }

  /**
   * A job that cancels what waits for an endpoint which is paused by hand or disabled, and then sends to it again: only what
   * is published after this call. Errors: not_found, conflict (it is neither).
   */
  async skipBacklog(tenantId: string, endpointId: string): Promise<Job> {
    const id = checkId(endpointId, 'ep', 'endpoint')
    const endpoint = await this.#options.store.getEndpoint(tenantId, id)
    if (endpoint === null) throw notFound('endpoint')
    if (endpoint.disabledReason === null) {
      throw new OuthookError(
        'conflict',
        'the endpoint is neither paused by hand nor disabled; cancel what waits for it instead',
      )
    }
    return this.#make(tenantId, 'skip_backlog', { endpointId: id })
  }

  /**
   * A job that sends an endpoint the events of the past that it is subscribed to now and did not get: each once at most,
   * whatever happens. Events whose payload is gone are skipped. Errors: invalid_request, not_found (the endpoint).
   */
  async backfillEndpoint(tenantId: string, endpointId: string, input: BackfillInput): Promise<Job> {
    return this.#make(tenantId, 'backfill', await this.#readBackfill(tenantId, endpointId, input))
  }

  /** What `backfillEndpoint` would do now. */
  async dryBackfillEndpoint(tenantId: string, endpointId: string, input: BackfillInput): Promise<DryRun> {
    return this.#count(tenantId, 'backfill', await this.#readBackfill(tenantId, endpointId, input))
  }

  async #readBackfill(tenantId: string, endpointId: string, input: BackfillInput): Promise<JobInput> {
    const known = checkId(endpointId, 'ep', 'endpoint')
    if ((await this.#options.store.getEndpoint(tenantId, known)) === null) throw notFound('endpoint')
    if (typeof input?.since !== 'number') {
      throw new OuthookError(
        'invalid_request',
        'since is missing; say from when on the endpoint is to get events',
      )
    }
    return { ...input, endpointId: known }
  }

  async #make(tenantId: string, kind: JobKind, input: JobInput): Promise<Job> {
    const { store, ids, onJob } = this.#options
    const filter = await this.#readFilter(tenantId, input)
    const rate = readRate(input.rate)
    const job = await store.insertJob({ id: ids.next('job'), tenantId, kind, filter, rate })
    onJob()
    return job
  }

  async #count(tenantId: string, kind: JobKind, input: JobInput): Promise<DryRun> {
    readRate(input.rate)
    const work = { tenantId, kind, filter: await this.#readFilter(tenantId, input), asOf: null }
    let matching = 0
    let skipped = 0
    let cursor: string | null = null
    for (let reads = 0; reads < maxCountReads; reads++) {
      const count = await this.#options.store.countJobSlice(work, cursor)
      matching += count.matching
      skipped += count.skipped
      cursor = count.cursor
      if (cursor === null) break
    }
    return { matching, skipped, complete: cursor === null }
  }

  async #readFilter(tenantId: string, input: JobInput): Promise<JobFilter> {
    const { all = false, rate: _rate, ...given } = input
    const filter: JobFilter = checkFilter(
      Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    )
    if (Object.keys(filter).length === 0 && !all) {
      throw new OuthookError(
        'invalid_request',
        'no filter is given, which would mean all; if that is meant, say it with all: true',
      )
    }
    if (filter.endpointId === undefined) return filter
    const endpointId = checkId(filter.endpointId, 'ep', 'endpoint')
    const endpoint = await this.#options.store.getEndpoint(tenantId, endpointId, { includeDeleted: true })
    if (endpoint === null) throw notFound('endpoint')
    return { ...filter, endpointId }
  }
}

function readRate(rate: number | undefined): number | null {
  if (rate === undefined) return null
  if (typeof rate === 'number' && rate >= minRate && rate <= maxRate) return rate
  throw new OuthookError(
    'invalid_request',
    `rate is ${rate}; give a number of deliveries a second from ${minRate} to ${maxRate}`,
  )
}

function checkOneOf(member: string, value: string | undefined, all: readonly string[]): void {
  if (value === undefined || all.includes(value)) return
  throw new OuthookError('invalid_request', `${member} is "${value}"; give one of ${all.join(', ')}`)
}
