/**
 * What one event or one outcome adds to the figures, as one number: what happened, how the attempt ended, and the buckets
 * of its durations. It is made on the way of every delivery, so it is a few shifts; what becomes of it is `tally.ts`.
 */
import type { AttemptStatus, ErrorClass, FinishedState } from '../model.ts'
import type { NextStep } from '../outcome.ts'
import { bucketOf } from './buckets.ts'

/** What figures count: events that were published, and the states that deliveries came to. The order is stored. */
export const countedStates = [
  'published',
  'succeeded',
  'retry_scheduled',
  'dead_lettered',
  'cancelled',
  'skipped',
] as const
export type CountedState = (typeof countedStates)[number]

/** How attempts end, coarsely: a client that shows them has a colour for each. The order is stored. */
export const outcomeClasses = [
  'success',
  'http_3xx',
  'http_4xx',
  'http_429',
  'http_5xx',
  'http_other',
  'timeout',
  'connection',
  'dns',
  'tls',
  'policy',
  'internal',
] as const
export type OutcomeClass = (typeof outcomeClasses)[number]

/** In the place of a class or a bucket: there was no attempt, or it says nothing of that duration. */
export const noClass = 15
export const noBucket = 63

export interface CellParts {
  readonly state: number
  readonly outcome: number
  readonly latency: number
  readonly delivered: number
}

export function packCell({ state, outcome, latency, delivered }: CellParts): number {
  return (state << 16) | (outcome << 12) | (latency << 6) | delivered
}

export function unpackCell(cell: number): CellParts {
  return {
    state: cell >>> 16,
    outcome: (cell >>> 12) & 15,
    latency: (cell >>> 6) & 63,
    delivered: cell & 63,
  }
}

/** A change of state without an attempt, or an event that was published. */
export function stateCell(state: CountedState): number {
  const withoutAttempt = { outcome: noClass, latency: noBucket, delivered: noBucket }
  return packCell({ state: countedStates.indexOf(state), ...withoutAttempt })
}

export const publishedCell = stateCell('published')

export interface CountedOutcome {
  readonly attempt: {
    readonly status: AttemptStatus
    readonly httpStatus: number | null
    readonly errorClass: ErrorClass | null
    readonly latencyMs: number
    readonly startedAt: number
  } | null
  readonly next: NextStep
}

/** `since`: when the delivery could begin; null: it is sent again, which says nothing of the way from publish to delivered. */
export function outcomeCell({ attempt, next }: CountedOutcome, since: number | null): number {
  const isDelivered = next.state === 'succeeded' && attempt !== null && since !== null
  return packCell({
    state: stateNumbers[next.state],
    outcome: attempt === null ? noClass : classNumbers[classOf(attempt)],
    latency: attempt === null ? noBucket : bucketOf(attempt.latencyMs),
    delivered: isDelivered ? bucketOf(attempt.startedAt + attempt.latencyMs - since) : noBucket,
  })
}

/** The same outcome, of a delivery whose endpoint or subscription is gone, so that it has come to another end. */
export function cellWithState(cell: number, state: CountedState & FinishedState): number {
  return packCell({ ...unpackCell(cell), state: countedStates.indexOf(state) })
}

const stateNumbers = {
  succeeded: countedStates.indexOf('succeeded'),
  retry_scheduled: countedStates.indexOf('retry_scheduled'),
  dead_lettered: countedStates.indexOf('dead_lettered'),
} as const

const classNumbers = Object.fromEntries(outcomeClasses.map((name, index) => [name, index])) as Record<
  OutcomeClass,
  number
>

export function classOf({
  status,
  httpStatus,
  errorClass,
}: Pick<NonNullable<CountedOutcome['attempt']>, 'status' | 'httpStatus' | 'errorClass'>): OutcomeClass {
  if (status === 'success') return 'success'
  switch (errorClass) {
    case 'timeout':
    case 'connection':
    case 'dns':
    case 'tls':
    case 'policy':
    case 'internal':
      return errorClass
    case 'redirect_rejected':
      return 'http_3xx'
    default:
      return classOfStatus(httpStatus)
  }
}

function classOfStatus(httpStatus: number | null): OutcomeClass {
  if (httpStatus === null) return 'internal'
  if (httpStatus === 429) return 'http_429'
  if (httpStatus >= 300 && httpStatus < 400) return 'http_3xx'
  if (httpStatus >= 400 && httpStatus < 500) return 'http_4xx'
  return httpStatus >= 500 && httpStatus < 600 ? 'http_5xx' : 'http_other'
}
