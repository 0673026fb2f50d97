/**
 * What a reader of the stream is told, as it happens. It is a live tail and no log: nothing of it is kept, so what a
 * reader missed cannot be told later, only that there was something.
 */
import { OuthookError } from './errors.ts'
import type { JobKind, JobState } from './jobs.ts'
import type { AttemptStatus, DeliveryState, DisabledReason, ErrorClass, EventState } from './model.ts'
import { topicIsUnder } from './topics.ts'

export const streamKinds = ['event', 'attempt', 'delivery', 'endpoint', 'job'] as const
export type StreamKind = (typeof streamKinds)[number]

/** Errors: invalid_request. */
export function checkStreamKind(name: string): StreamKind {
  const known = streamKinds.find((kind) => kind === name)
  if (known !== undefined) return known
  throw new OuthookError(
    'invalid_request',
    `kinds has "${name.slice(0, 64)}"; it names some of ${streamKinds.join(', ')}`,
  )
}

interface Told<Kind extends StreamKind> {
  readonly kind: Kind
  /** Milliseconds since the epoch, of the process that it happened in. */
  readonly at: number
  readonly tenantId: string
}

/** An event was accepted. Its payload is asked for by its id. */
export interface StreamedEvent extends Told<'event'> {
  readonly eventId: string
  /** Null: a direct send. */
  readonly topic: string | null
  readonly orderingKey: string | null
  /** Null: it came from a transaction, and is not measured. */
  readonly payloadBytes: number | null
  /** Those that it has or will have. */
  readonly deliveries: number
  readonly state: EventState
}

interface OfDelivery {
  readonly eventId: string
  readonly deliveryId: string
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  readonly topic: string | null
}

/** An attempt has ended and is recorded. */
export interface StreamedAttempt extends Told<'attempt'>, OfDelivery {
  /** Origin only; a path or query may hold a secret. */
  readonly url: string
  readonly attemptNo: number
  readonly status: AttemptStatus
  readonly httpStatus: number | null
  readonly errorClass: ErrorClass | null
  readonly error: string | null
  readonly latencyMs: number
}

/** A delivery has another state. */
export interface StreamedDelivery extends Told<'delivery'>, OfDelivery {
  readonly state: DeliveryState
  readonly attemptCount: number
  readonly errorClass: ErrorClass | null
  readonly nextAttemptAt: number | null
}

export const endpointChanges = [
  'created',
  'changed',
  'deleted',
  'disabled',
  'enabled',
  'paused',
  'recovered',
] as const
export type EndpointChange = (typeof endpointChanges)[number]

export interface StreamedEndpoint extends Told<'endpoint'> {
  readonly endpointId: string
  readonly change: EndpointChange
  /** Of one that was disabled, or that is paused: `paused` by hand, `failing` and `throttled` by itself. */
  readonly reason: DisabledReason | 'failing' | 'throttled' | null
}

/** A job was made, has got on or has ended. */
export interface StreamedJob extends Told<'job'> {
  readonly jobId: string
  readonly jobKind: JobKind
  readonly state: JobState
  readonly total: number | null
  readonly done: number
  readonly skipped: number
  readonly failed: number
}

export type StreamItem = StreamedEvent | StreamedAttempt | StreamedDelivery | StreamedEndpoint | StreamedJob

/**
 * Why a reader was not told of something. `reconnected`: it was away. `too_many`: more happened than it is told in a
 * second, or than it took. `other_process`: another process on the store told less than happened, or was not heard.
 */
export const missedReasons = ['reconnected', 'too_many', 'other_process'] as const
export type MissedReason = (typeof missedReasons)[number]

export interface StreamMissed {
  readonly kind: 'missed'
  readonly at: number
  readonly reason: MissedReason
  /** Null: nobody knows. Of `other_process` it counts all that was not told, whatever the filter wants. */
  readonly count: number | null
}

export interface StreamFilter {
  /** Null: of all tenants. */
  readonly tenantId: string | null
  /** Absent: all. */
  readonly kinds?: readonly StreamKind[] | undefined
  /** As subscriptions have. What has no topic is not told then. */
  readonly topicPattern?: string | undefined
  /** What is of no endpoint, as events and jobs are, is not told then. */
  readonly endpointId?: string | undefined
}

export function isWanted(item: StreamItem, filter: StreamFilter): boolean {
  const { tenantId, kinds, topicPattern, endpointId } = filter
  if (tenantId !== null && item.tenantId !== tenantId) return false
  if (kinds !== undefined && !kinds.includes(item.kind)) return false
  if (topicPattern !== undefined) {
    const topic = 'topic' in item ? item.topic : null
    if (topic === null || !topicIsUnder(topicPattern, topic)) return false
  }
  return endpointId === undefined || ('endpointId' in item && item.endpointId === endpointId)
}

/** Null: another process said something that this one does not know, as a newer one may. */
export function readStreamItem(given: unknown): StreamItem | StreamMissed | null {
  if (typeof given !== 'object' || given === null) return null
  const { kind, at, tenantId } = given as Partial<StreamItem>
  if (typeof at !== 'number') return null
  if ((kind as string) === 'missed') return given as StreamMissed
  const isKnown = typeof tenantId === 'string' && streamKinds.some((one) => one === kind)
  return isKnown ? (given as StreamItem) : null
}
