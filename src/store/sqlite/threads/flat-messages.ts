/**
 * What goes between the threads for every delivery, as flat lists: to clone an object with its member names costs a
 * thread twice as much as its values in a row. Larger bytes travel apart (`packed-bytes.ts`), in the same order.
 */
import type { HealthObservation } from '../../../core/endpoint-health.ts'
import { addEventFields, nextEventFields } from '../../../core/event-fields.ts'
import type { CapturedResponse } from '../../../core/model.ts'
import type {
  ClaimedDelivery,
  DeliveryOutcome,
  NewAttempt,
  NewDelivery,
  NewEvent,
  NewIdempotencyKey,
  NextStep,
  PublishResult,
} from '../../port.ts'
import type { BytePacker, ByteUnpacker } from './packed-bytes.ts'

export type FlatList = unknown[]

/** Takes the values of a list one by one. */
export class FlatReader {
  readonly #list: FlatList
  #at = 0

  constructor(list: FlatList) {
    this.#list = list
  }

  next<Value>(): Value {
    return this.#list[this.#at++] as Value
  }

  /** A list within the list: its length, then its items. */
  many<Item>(read: () => Item): Item[] {
    const items: Item[] = []
    for (let left = this.next<number>(); left > 0; left--) items.push(read())
    return items
  }
}

export function flattenEvents(batch: readonly NewEvent[], bytes: BytePacker): FlatList {
  const list: FlatList = [batch.length]
  for (const event of batch) {
    const { idempotency, deliveries } = event
    addEventFields(list, event)
    list.push(event.id, event.tenantId, event.topic, event.routingVersion, idempotency !== null)
    bytes.add(event.payload)
    if (idempotency !== null) {
      list.push(idempotency.scope, idempotency.key, idempotency.ttlMs)
      bytes.add(idempotency.hash)
    }
    list.push(event.receivers !== undefined)
    if (event.receivers !== undefined) bytes.add(event.receivers)
    list.push(deliveries.length)
    for (const delivery of deliveries) {
      list.push(delivery.id, delivery.subscriptionId, delivery.endpointId, delivery.targetId)
      list.push(delivery.rateLimitRps, delivery.handOff, delivery.ordered, delivery.parked)
    }
  }
  return list
}

export function readEvents(list: FlatList, bytes: ByteUnpacker): readonly NewEvent[] {
  const from = new FlatReader(list)
  return from.many(() => {
    const event = {
      ...nextEventFields(from),
      id: from.next<string>(),
      tenantId: from.next<string>(),
      topic: from.next<string | null>(),
      routingVersion: from.next<number>(),
    }
    const hasKey = from.next<boolean>()
    const payload = bytes.next()
    const idempotency = hasKey ? readIdempotency(from, bytes) : null
    const isForMany = from.next<boolean>()
    return {
      ...event,
      payload,
      idempotency,
      ...(isForMany && { receivers: bytes.next() }),
      deliveries: from.many(() => readDelivery(from)),
    }
  })
}

function readIdempotency(from: FlatReader, bytes: ByteUnpacker): NewIdempotencyKey {
  return { scope: from.next(), key: from.next(), ttlMs: from.next(), hash: bytes.next() }
}

function readDelivery(from: FlatReader): NewDelivery {
  return {
    id: from.next(),
    subscriptionId: from.next(),
    endpointId: from.next(),
    targetId: from.next(),
    rateLimitRps: from.next(),
    handOff: from.next(),
    ordered: from.next(),
    parked: from.next(),
  }
}

/** Of the usual result a flag for each delivery; every other one as it is. */
export function flattenPublished(results: readonly PublishResult[]): FlatList {
  const list: FlatList = [results.length]
  for (const result of results) {
    if (result.kind === 'published') list.push(result.handedOff.length, ...result.handedOff)
    else list.push(result)
  }
  return list
}

export function readPublished(list: FlatList): readonly PublishResult[] {
  const from = new FlatReader(list)
  return from.many(() => {
    const first = from.next<number | PublishResult>()
    if (typeof first !== 'number') return first
    const handedOff: boolean[] = []
    for (let left = first; left > 0; left--) handedOff.push(from.next())
    return { kind: 'published', handedOff }
  })
}

/** A success that nothing more is to be said of goes as the five values that differ, and its answer. */
export function flattenOutcomes(outcomes: readonly DeliveryOutcome[], bytes: BytePacker): FlatList {
  const list: FlatList = [outcomes.length]
  for (const outcome of outcomes) {
    const { deliveryId, claimVersion, attempt, next, observation, disableEndpoint } = outcome
    const success = plainSuccessOf(outcome)
    list.push(deliveryId, claimVersion, success !== null)
    if (success !== null) {
      const { attemptNo, httpStatus, latencyMs, startedAt, response } = success
      list.push(attemptNo, httpStatus, latencyMs, startedAt)
      flattenResponse(response, list, bytes)
      continue
    }
    list.push(next.state, disableEndpoint)
    if (next.state === 'retry_scheduled') list.push(next.delayMs)
    else if (next.state === 'dead_lettered') list.push(next.finalError)
    list.push(observation !== null)
    if (observation !== null) {
      const { contact, succeeded, startedAt, throttleMs } = observation
      list.push(contact, succeeded, startedAt, throttleMs)
    }
    list.push(attempt !== null)
    if (attempt !== null) flattenAttempt(attempt, list, bytes)
  }
  return list
}

interface PlainSuccess extends NewAttempt {
  readonly response: CapturedResponse
}

/** Its attempt; null: it is another outcome. */
function plainSuccessOf(outcome: DeliveryOutcome): PlainSuccess | null {
  const { next, attempt, observation, disableEndpoint } = outcome
  if (next.state !== 'succeeded' || disableEndpoint !== null || attempt === null || observation === null) {
    return null
  }
  const { contact, succeeded, startedAt, throttleMs } = observation
  const isPlain =
    contact === 'reached' &&
    succeeded &&
    throttleMs === null &&
    startedAt === attempt.startedAt &&
    attempt.status === 'success' &&
    attempt.errorClass === null &&
    attempt.error === null &&
    attempt.response !== null
  return isPlain ? (attempt as PlainSuccess) : null
}

function readPlainSuccess(from: FlatReader, bytes: ByteUnpacker) {
  const attemptNo = from.next<number>()
  const httpStatus = from.next<number | null>()
  const latencyMs = from.next<number>()
  const startedAt = from.next<number>()
  const response = readResponse(from, bytes)
  return {
    attempt: {
      attemptNo,
      status: 'success',
      httpStatus,
      errorClass: null,
      error: null,
      latencyMs,
      startedAt,
      response,
    },
    next: { state: 'succeeded' },
    observation: { contact: 'reached', succeeded: true, startedAt, throttleMs: null },
    disableEndpoint: null,
  } as const
}

function flattenAttempt(attempt: NewAttempt, list: FlatList, bytes: BytePacker): void {
  const { response } = attempt
  list.push(attempt.attemptNo, attempt.status, attempt.httpStatus, attempt.errorClass, attempt.error)
  list.push(attempt.latencyMs, attempt.startedAt, response !== null)
  if (response !== null) flattenResponse(response, list, bytes)
}

function flattenResponse(response: CapturedResponse, list: FlatList, bytes: BytePacker): void {
  bytes.add(response.body)
  list.push(response.truncated, response.headers.length)
  for (const [name, value] of response.headers) list.push(name, value)
}

export function readOutcomes(list: FlatList, bytes: ByteUnpacker): readonly DeliveryOutcome[] {
  const from = new FlatReader(list)
  return from.many(() => {
    const deliveryId = from.next<string>()
    const claimVersion = from.next<number>()
    if (from.next<boolean>()) return { deliveryId, claimVersion, ...readPlainSuccess(from, bytes) }
    const state = from.next<NextStep['state']>()
    const disableEndpoint = from.next<DeliveryOutcome['disableEndpoint']>()
    const next = readNext(state, from)
    const observation = from.next<boolean>() ? readObservation(from) : null
    const attempt = from.next<boolean>() ? readAttempt(from, bytes) : null
    return { deliveryId, claimVersion, attempt, next, observation, disableEndpoint }
  })
}

function readNext(state: NextStep['state'], from: FlatReader): NextStep {
  switch (state) {
    case 'succeeded':
      return { state }
    case 'retry_scheduled':
      return { state, delayMs: from.next() }
    case 'dead_lettered':
      return { state, finalError: from.next() }
  }
}

function readObservation(from: FlatReader): HealthObservation {
  return {
    contact: from.next(),
    succeeded: from.next(),
    startedAt: from.next(),
    throttleMs: from.next(),
  }
}

function readAttempt(from: FlatReader, bytes: ByteUnpacker): NewAttempt {
  const attempt = {
    attemptNo: from.next<number>(),
    status: from.next<NewAttempt['status']>(),
    httpStatus: from.next<number | null>(),
    errorClass: from.next<NewAttempt['errorClass']>(),
    error: from.next<string | null>(),
    latencyMs: from.next<number>(),
    startedAt: from.next<number>(),
  }
  return { ...attempt, response: from.next<boolean>() ? readResponse(from, bytes) : null }
}

function readResponse(from: FlatReader, bytes: ByteUnpacker): CapturedResponse {
  const truncated = from.next<boolean>()
  const headers = from.many(() => [from.next<string>(), from.next<string>()] as const)
  return { headers, body: bytes.next(), truncated }
}

export function flattenClaimed(deliveries: readonly ClaimedDelivery[], bytes: BytePacker): FlatList {
  const list: FlatList = [deliveries.length]
  for (const delivery of deliveries) {
    list.push(delivery.id, delivery.tenantId, delivery.eventId, delivery.subscriptionId, delivery.endpointId)
    list.push(delivery.targetId, delivery.topic, delivery.metadata, delivery.traceContext, delivery.request)
    list.push(delivery.claimVersion, delivery.attemptCount, delivery.lostClaims, delivery.createdAt)
    bytes.add(delivery.payload)
  }
  return list
}

export function readClaimed(list: FlatList, bytes: ByteUnpacker): readonly ClaimedDelivery[] {
  const from = new FlatReader(list)
  return from.many(() => ({
    id: from.next(),
    tenantId: from.next(),
    eventId: from.next(),
    subscriptionId: from.next(),
    endpointId: from.next(),
    targetId: from.next(),
    topic: from.next(),
    metadata: from.next(),
    traceContext: from.next(),
    request: from.next(),
    claimVersion: from.next(),
    attemptCount: from.next(),
    lostClaims: from.next(),
    createdAt: from.next(),
    payload: bytes.next(),
  }))
}
