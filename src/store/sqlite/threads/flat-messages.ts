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

/**
 * Texts that come again and again in one list, such as the ids of a tenant and its endpoints: each goes once, and is a
 * number after that. The thread that reads them has one string for all, whose hash it works out once.
 */
class SharedTexts {
  readonly #numbers = new Map<string, number>()

  push(list: FlatList, text: string | null): void {
    const number = text === null ? undefined : this.#numbers.get(text)
    if (text !== null && number === undefined) this.#numbers.set(text, this.#numbers.size)
    list.push(number ?? text)
  }
}

/** Takes the values of a list one by one. */
export class FlatReader {
  readonly #list: FlatList
  readonly #texts: string[] = []
  #at = 0

  constructor(list: FlatList) {
    this.#list = list
  }

  next<Value>(): Value {
    return this.#list[this.#at++] as Value
  }

  /** What `SharedTexts` put there. */
  nextText<Text extends string | null>(): Text {
    const value = this.next<Text | number>()
    if (typeof value === 'number') return this.#texts[value] as Text
    if (value !== null) this.#texts.push(value)
    return value
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
  const texts = new SharedTexts()
  for (const event of batch) {
    const { idempotency, deliveries } = event
    addEventFields(list, event)
    list.push(event.id)
    texts.push(list, event.tenantId)
    texts.push(list, event.topic)
    list.push(event.routingVersion, idempotency !== null)
    bytes.add(event.payload)
    if (idempotency !== null) {
      list.push(idempotency.scope, idempotency.key, idempotency.ttlMs)
      bytes.add(idempotency.hash)
    }
    list.push(event.receivers !== undefined)
    if (event.receivers !== undefined) bytes.add(event.receivers)
    list.push(deliveries.length)
    for (const delivery of deliveries) {
      list.push(delivery.id)
      texts.push(list, delivery.subscriptionId)
      texts.push(list, delivery.endpointId)
      texts.push(list, delivery.targetId)
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
      tenantId: from.nextText<string>(),
      topic: from.nextText<string | null>(),
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
    subscriptionId: from.nextText(),
    endpointId: from.nextText(),
    targetId: from.nextText(),
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
  const responses = new ResponseWriter(list, bytes)
  for (const outcome of outcomes) {
    const { deliveryId, claimVersion, attempt, next, observation, disableEndpoint } = outcome
    const success = plainSuccessOf(outcome)
    list.push(deliveryId, claimVersion, success !== null)
    if (success !== null) {
      const { attemptNo, httpStatus, latencyMs, startedAt, response } = success
      list.push(attemptNo, httpStatus, latencyMs, startedAt)
      responses.add(response)
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
    if (attempt !== null) flattenAttempt(attempt, list, responses)
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

function readPlainSuccess(from: FlatReader, responses: ResponseReader) {
  const attemptNo = from.next<number>()
  const httpStatus = from.next<number | null>()
  const latencyMs = from.next<number>()
  const startedAt = from.next<number>()
  const response = responses.next()
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

function flattenAttempt(attempt: NewAttempt, list: FlatList, responses: ResponseWriter): void {
  const { response } = attempt
  list.push(attempt.attemptNo, attempt.status, attempt.httpStatus, attempt.errorClass, attempt.error)
  list.push(attempt.latencyMs, attempt.startedAt, response !== null)
  if (response !== null) responses.add(response)
}

/** Headers go along when they are others than those of the answer before. */
class ResponseWriter {
  readonly #list: FlatList
  readonly #bytes: BytePacker
  #headers: CapturedResponse['headers'] | null = null

  constructor(list: FlatList, bytes: BytePacker) {
    this.#list = list
    this.#bytes = bytes
  }

  add({ headers, body, truncated }: CapturedResponse): void {
    this.#bytes.add(body)
    const isAsBefore = headers === this.#headers
    this.#list.push(truncated, isAsBefore)
    if (isAsBefore) return
    this.#headers = headers
    this.#list.push(headers.length)
    for (const [name, value] of headers) this.#list.push(name, value)
  }
}

export function readOutcomes(list: FlatList, bytes: ByteUnpacker): readonly DeliveryOutcome[] {
  const from = new FlatReader(list)
  const responses = new ResponseReader(from, bytes)
  return from.many(() => {
    const deliveryId = from.next<string>()
    const claimVersion = from.next<number>()
    if (from.next<boolean>()) return { deliveryId, claimVersion, ...readPlainSuccess(from, responses) }
    const state = from.next<NextStep['state']>()
    const disableEndpoint = from.next<DeliveryOutcome['disableEndpoint']>()
    const next = readNext(state, from)
    const observation = from.next<boolean>() ? readObservation(from) : null
    const attempt = from.next<boolean>() ? readAttempt(from, responses) : null
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

function readAttempt(from: FlatReader, responses: ResponseReader): NewAttempt {
  const attempt = {
    attemptNo: from.next<number>(),
    status: from.next<NewAttempt['status']>(),
    httpStatus: from.next<number | null>(),
    errorClass: from.next<NewAttempt['errorClass']>(),
    error: from.next<string | null>(),
    latencyMs: from.next<number>(),
    startedAt: from.next<number>(),
  }
  return { ...attempt, response: from.next<boolean>() ? responses.next() : null }
}

class ResponseReader {
  readonly #from: FlatReader
  readonly #bytes: ByteUnpacker
  #headers: CapturedResponse['headers'] = []

  constructor(from: FlatReader, bytes: ByteUnpacker) {
    this.#from = from
    this.#bytes = bytes
  }

  next(): CapturedResponse {
    const from = this.#from
    const truncated = from.next<boolean>()
    const isAsBefore = from.next<boolean>()
    if (!isAsBefore) this.#headers = from.many(() => [from.next<string>(), from.next<string>()] as const)
    return { headers: this.#headers, body: this.#bytes.next(), truncated }
  }
}

export function flattenClaimed(deliveries: readonly ClaimedDelivery[], bytes: BytePacker): FlatList {
  const list: FlatList = [deliveries.length]
  const texts = new SharedTexts()
  for (const delivery of deliveries) {
    list.push(delivery.id, delivery.eventId)
    texts.push(list, delivery.tenantId)
    texts.push(list, delivery.subscriptionId)
    texts.push(list, delivery.endpointId)
    texts.push(list, delivery.targetId)
    texts.push(list, delivery.topic)
    list.push(delivery.metadata, delivery.traceContext, delivery.request)
    list.push(delivery.claimVersion, delivery.attemptCount, delivery.lostClaims, delivery.createdAt)
    bytes.add(delivery.payload)
  }
  return list
}

export function readClaimed(list: FlatList, bytes: ByteUnpacker): readonly ClaimedDelivery[] {
  const from = new FlatReader(list)
  return from.many(() => ({
    id: from.next(),
    eventId: from.next(),
    tenantId: from.nextText(),
    subscriptionId: from.nextText(),
    endpointId: from.nextText(),
    targetId: from.nextText(),
    topic: from.nextText(),
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
