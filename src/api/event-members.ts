/**
 * From the members of one event's JSON to what is published; the order of checks is part of the compatible surface. The
 * idempotency key and the ordering key of an event that comes alone may come as headers too; a producer that sends both
 * has to mean the same, because a key that were ignored would double its events.
 */
import type { IncomingMessage } from 'node:http'
import { OuthookError } from '../core/errors.ts'
import { fromHeaderValue } from '../core/header-value.ts'
import { effectiveOrderingKey, hookrailOrderingHeader, orderingKeyConflict } from '../core/idempotency.ts'
import { parseMetadata } from '../core/metadata.ts'
import { limits } from '../core/model.ts'
import { type Schedule, toSchedule } from '../core/schedule.ts'
import { checkProducerTopic, topicMatches } from '../core/topics.ts'
import { readTraceContext, type TraceContext } from '../core/trace-context.ts'
import type { Principal } from '../engine/principal.ts'
import type { PublishRequest } from '../engine/publish.ts'
import { parseTime } from './rfc3339.ts'

const idempotencyHeader = 'idempotency-key'
/** Our own name first; the other one is what hookrail's clients send. */
const orderingHeaders = ['Outhook-Ordering-Key', hookrailOrderingHeader].map((name) => ({
  name,
  lower: name.toLowerCase(),
}))

type Members = Readonly<Record<string, unknown>>

/** Who publishes. */
export interface Caller extends Pick<PublishRequest, 'tenantId' | 'producerKeyId'> {
  /** Patterns of the topics that it may publish; null: all. */
  readonly scopes: readonly string[] | null
}

/** An admin token leaves no trace in the event, and publishes every topic. */
export function callerOf(principal: Principal, tenantId: string): Caller {
  if (principal.kind !== 'producer') return { tenantId, producerKeyId: null, scopes: null }
  return { tenantId, producerKeyId: principal.keyId, scopes: principal.scopes }
}

export interface GivenEvent {
  readonly topic: string
  readonly members: Members
  readonly payload: Uint8Array
  /** Of an event that comes alone; null in a batch. */
  readonly request: IncomingMessage | null
  /** Of the request, also where that brings many events. */
  readonly traceContext: TraceContext | null
  /** Where in the body its members stand, such as `events[3].`; empty for one that comes alone. */
  readonly at: string
}

export function toPublishRequest(event: GivenEvent, caller: Caller): PublishRequest {
  const { topic, members, payload, at } = event
  if (payload.length > limits.maxPayloadBytes) {
    throw new OuthookError('payload_too_large', 'payload is capped at 256KB')
  }
  if (event.request !== null) refuseMisspelledKeys(members)
  const orderingKey = orderingKeyOf(event)
  const { tenantId, producerKeyId, scopes } = caller
  const idempotency = idempotencyOf(event, producerKeyId)
  const metadata = parseMetadata(members.metadata, `${at}metadata`)
  // Before the idempotency key is looked up: what is refused here is never a replay.
  if (scopes !== null) refuseOutOfScope(checkProducerTopic(topic), scopes)
  return {
    tenantId,
    producerKeyId,
    topic,
    payload,
    metadata,
    orderingKey,
    traceContext: event.traceContext,
    idempotency,
    schedule: scheduleOf(event),
  }
}

function refuseOutOfScope(topic: string, scopes: readonly string[]): void {
  if (scopes.some((pattern) => topicMatches(pattern, topic))) return
  throw new OuthookError('forbidden', 'this producer key is not authorized to publish to this topic', {
    title: 'topic not permitted',
  })
}

/** Null when it is due at once. */
export function scheduleOf({ members, at }: Pick<GivenEvent, 'members' | 'at'>): Schedule | null {
  const { deliver_at: time, delay } = members
  if (time === undefined && delay === undefined) return null
  const names = { at: `${at}deliver_at`, after: `${at}delay` }
  const text = textMember(time, names.at)
  return toSchedule(
    { at: text === null ? undefined : parseTime(text, names.at), after: delay === '' ? undefined : delay },
    names,
  )
}

/** W3C's headers; what is malformed counts as none. */
export function traceContextOf({ headers }: IncomingMessage): TraceContext | null {
  const { traceparent } = headers
  return traceparent === undefined ? null : readTraceContext(traceparent, headers.tracestate)
}

/** Null when neither header nor body has one. */
export function idempotencyOf(
  given: Pick<GivenEvent, 'request' | 'members' | 'at'>,
  producerKeyId: string | null,
): PublishRequest['idempotency'] {
  const key = idempotencyKeyOf(given)
  // Admin tokens share one scope: a rotated token must not make old keys new again.
  return key === null ? null : { scope: producerKeyId ?? '', key }
}

function idempotencyKeyOf({
  request,
  members,
  at,
}: Pick<GivenEvent, 'request' | 'members' | 'at'>): string | null {
  const inHeader = request === null ? null : headerText(request, idempotencyHeader)
  const inBody = idempotencyMember(members.idempotency_key, `${at}idempotency_key`)
  if (inHeader !== null && inBody !== null && inHeader !== inBody) {
    throw new OuthookError(
      'invalid_request',
      'the header Idempotency-Key and the body’s idempotency_key differ; give one of them, or the same text twice',
    )
  }
  return inHeader ?? inBody
}

/** Null when neither header, body nor payload has one. */
function orderingKeyOf({ request, members, at }: GivenEvent): string | null {
  const member = `${at}ordering_key`
  const inBody = textMember(members.ordering_key, member)
  let first: NamedKey | null = null
  if (request !== null) {
    for (const { name, lower } of orderingHeaders) first = join(first, name, headerText(request, lower))
  }
  first = join(first, member, inBody)
  return effectiveOrderingKey(first?.key, members.payload, first?.name ?? member)
}

interface NamedKey {
  readonly name: string
  readonly key: string
}

function join(first: NamedKey | null, name: string, key: string | null): NamedKey | null {
  if (key === null) return first
  if (first !== null && first.key !== key) throw orderingKeyConflict(first.name, name)
  return first ?? { name, key }
}

/** One key for many events says of none of them what it is for. */
export function refuseKeyHeaders(request: IncomingMessage): void {
  for (const [header, member] of [
    [idempotencyHeader, 'idempotency_key'] as const,
    ...orderingHeaders.map(({ lower }) => [lower, 'ordering_key'] as const),
  ]) {
    if (headerText(request, header) === null) continue
    throw new OuthookError(
      'invalid_request',
      `the header ${header} is one event's; in a batch give each event its own ${member}`,
    )
  }
}

const otherSpellings = Object.entries({
  idempotencyKey: 'idempotency_key',
  'idempotency-key': 'idempotency_key',
  'Idempotency-Key': 'idempotency_key',
  orderingKey: 'ordering_key',
  'ordering-key': 'ordering_key',
  deliverAt: 'deliver_at',
  'deliver-at': 'deliver_at',
})

/** Unknown members of an event are ignored, but not those that mean to be a key. */
function refuseMisspelledKeys(members: Members): void {
  for (const [spelling, name] of otherSpellings) {
    if (Object.hasOwn(members, spelling)) {
      throw new OuthookError('invalid_body', `${spelling} is not known; the member is ${name}`)
    }
  }
}

/** Null when absent. Empty is a key, and refused as one: a variable that was not set must not publish twice. */
function idempotencyMember(value: unknown, path: string): string | null {
  return value === '' ? '' : textMember(value, path)
}

/** Null when absent or empty. */
export function textMember(value: unknown, path: string): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string') return value
  throw new OuthookError('invalid_body', `${path} must be a string`)
}

/** Null when absent or empty. Twice is refused: which of the two was meant nobody can say. */
export function headerText(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  if (typeof value !== 'string' || value === '') return null
  if (value.includes(',') && (request.headersDistinct[name]?.length ?? 1) > 1) {
    throw new OuthookError('invalid_request', `the header ${name} is given more than once; give it once`)
  }
  const text = fromHeaderValue(value)
  if (text !== null) return text
  throw new OuthookError('invalid_request', `the header ${name} is not UTF-8; send its text encoded as UTF-8`)
}
