/** Rows of `jobs` ⇄ model, for both databases, and what their adapters have in common of a job's walk. */
import { FilterSet } from '../core/filter/filter-set.ts'
import { bytesToId, idPrefixes } from '../core/ids.ts'
import type { Job, JobFilter, JobKind, JobState } from '../core/jobs.ts'
import type { Subscription } from '../core/model.ts'
import { topicMatches } from '../core/topics.ts'

export interface JobRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly kind: JobKind
  readonly filter: string
  readonly rate: number | null
  readonly state: JobState
  readonly total: number | null
  readonly done: number
  readonly skipped: number
  readonly failed: number
  readonly error: string | null
  readonly created_at: number
  readonly started_at: number | null
  readonly ended_at: number | null
  /** Where its next slice begins, in the form of the store; null: at the beginning. */
  readonly cursor: string | null
}

export const jobColumns = `id, tenant_id, kind, filter, rate, state, total, done, skipped, failed, error, created_at,
  started_at, ended_at, cursor`

export function toJob(row: JobRow): Job {
  return {
    id: bytesToId(idPrefixes.job, row.id),
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    kind: row.kind,
    filter: JSON.parse(row.filter) as JobFilter,
    rate: row.rate,
    state: row.state,
    total: row.total,
    done: row.done,
    skipped: row.skipped,
    failed: row.failed,
    error: row.error,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  }
}

/** The part of a job that one slice is to do. */
export interface JobWork {
  readonly kind: JobKind
  readonly tenantId: string
  readonly filter: JobFilter
  readonly asOf: number
  readonly cursor: string | null
  /** Deliveries that have failed so far. */
  readonly failed: number
  /** Deliveries to do something about, at most. */
  readonly limit: number
  /** For deliveries that it makes; as many as `limit`, where the kind makes some. */
  readonly deliveryIds: readonly string[]
  /** Rows to look at, at most. */
  readonly scan: number
}

/** What came of it. */
export interface JobWorkDone {
  readonly done: number
  readonly skipped: number
  /** To be added to those that have failed so far. Default 0. */
  readonly failed?: number
  readonly isDue: boolean
  /** Null: the end is reached. */
  readonly cursor: string | null
  /** Nothing more is to be done before. Default 0. */
  readonly waitMs?: number
  /** It can never be done. */
  readonly failure?: string
}

/** There is nobody left to send to. */
export const endpointIsGone: JobWorkDone = {
  done: 0,
  skipped: 0,
  isDue: false,
  cursor: null,
  failure: 'its endpoint was deleted',
}

export interface PastEvent {
  readonly topic: string | null
  /** Asked for where a filter looks at it; null: it is gone. */
  readonly payload: () => Uint8Array | null
}

/** The one of an endpoint's subscriptions under whose policy it gets an event of the topic; null: it is not subscribed to it. */
export function subscriptionFor(
  subscriptions: readonly Subscription[],
  { topic, payload }: PastEvent,
): Subscription | null {
  if (topic === null) return null
  const ofTopic = subscriptions.filter(
    ({ active, topicPatterns }) => active && topicPatterns.some((pattern) => topicMatches(pattern, topic)),
  )
  if (ofTopic.every(({ filter }) => filter === null)) return ofTopic[0] ?? null
  const bytes = payload()
  // What would have passed nobody can tell: it is one of those that nothing can be done about.
  if (bytes === null) return ofTopic[0] ?? null
  return FilterSet.of(ofTopic)?.let(ofTopic, bytes)[0] ?? null
}

/** Where a walk has got to that begins again while it meets what is in flight. */
export interface Pass {
  /** Null: it begins. */
  readonly after: string | null
  readonly isBusy: boolean
}

export function readPass(cursor: string | null): Pass {
  const { after = null, isBusy = false } = JSON.parse(cursor ?? '{}') as Partial<Pass>
  return { after, isBusy }
}

/** How soon it begins again: an attempt takes milliseconds, or up to its timeout. */
export const lookAgainMs = 250

/** Rows that are looked at for each that a slice may change: filters are seldom served by an index. */
export const scannedPerRow = 5
/** Rows that one call counts over. */
export const countedRows = 1000
