/**
 * Jobs: work on many deliveries at once, done in slices by one process at a time, durable between them.
 *
 *     queued ─► running ─► done
 *      ▲ │         ├─────► failed     (the store refuses a slice, again and again)
 *      │ ├─────────┴─────► cancelled  (by whoever asks; what is done stays done)
 *      │ ▼                    ▲
 *     paused ─────────────────┘       (by whoever asks, also of one that runs; resumed, it is queued again)
 *
 * A job whose process died stays `running`, and another process goes on where its last slice ended.
 */

/**
 * `replay`: dead letters become pending again. `cancel`: what waits is cancelled. `skip_backlog`: what waits for an endpoint
 * is cancelled, and then the endpoint is enabled. `backfill`: an endpoint gets past events that it did not get.
 */
export const jobKinds = ['replay', 'cancel', 'skip_backlog', 'backfill'] as const
export type JobKind = (typeof jobKinds)[number]

export const jobStates = ['queued', 'running', 'paused', 'done', 'cancelled', 'failed'] as const
export type JobState = (typeof jobStates)[number]

/** Which deliveries a job is about; what is absent does not matter. */
export interface JobFilter {
  readonly endpointId?: string
  /** Exactly this one. */
  readonly topic?: string
  /** Milliseconds since the epoch, at or after and before: of dead letters when they were given up, of others when they were made. */
  readonly since?: number
  readonly until?: number
  readonly errorClass?: string
}

export interface Job {
  readonly id: string
  readonly tenantId: string
  readonly kind: JobKind
  readonly filter: JobFilter
  /** Deliveries a second at most; null: as fast as the store takes them beside its other work. */
  readonly rate: number | null
  readonly state: JobState
  /** Deliveries that the filter matched when the job began; null: not counted yet. */
  readonly total: number | null
  readonly done: number
  /** Matched, and nothing could be done about them: their payload or what they went to is gone. */
  readonly skipped: number
  /** Matched, and the store refused what was to be done about them, again and again; they stay as they were. */
  readonly failed: number
  /** Why it failed, or the last delivery of it that did. */
  readonly error: string | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
}

/** What a filter looks at. */
export interface Filterable {
  readonly endpointId: string | null
  readonly topic: string | null
  /** The moment that `since` and `until` are about. */
  readonly at: number
  readonly errorClass: string | null
}

/** `asOf` is the moment that the job was made at: what happened after it, such as dying again, is no matter of the job. */
export function isOfJob(
  { filter, asOf }: { readonly filter: JobFilter; readonly asOf: number },
  found: Filterable,
): boolean {
  const { endpointId, topic, since = 0, until = Number.POSITIVE_INFINITY, errorClass } = filter
  return (
    (endpointId === undefined || found.endpointId === endpointId) &&
    (topic === undefined || found.topic === topic) &&
    (errorClass === undefined || found.errorClass === errorClass) &&
    found.at >= since &&
    found.at < until &&
    found.at <= asOf
  )
}

/** What a delivery says that a job has cancelled. */
export function cancelReason(kind: JobKind): string {
  return kind === 'skip_backlog' ? 'skipped when its endpoint was enabled' : 'cancelled on request'
}

export function hasEnded({ state }: Pick<Job, 'state'>): boolean {
  return state === 'done' || state === 'cancelled' || state === 'failed'
}
