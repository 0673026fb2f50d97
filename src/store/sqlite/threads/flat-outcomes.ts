/** Outcomes as they go to the writer, in a flat list. */
import type { HealthObservation } from '../../../core/endpoint-health.ts'
import type { CapturedResponse } from '../../../core/model.ts'
import type { DeliveryOutcome, NewAttempt, NextStep } from '../../port.ts'
import { type FlatList, FlatReader } from './flat-list.ts'
import type { BytePacker, ByteUnpacker } from './packed-bytes.ts'

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
    const { notice, breaker } = outcome
    const isMore = notice !== undefined || breaker !== undefined
    list.push(isMore ? JSON.stringify({ notice, breaker }) : null)
  }
  return list
}

type More = Pick<DeliveryOutcome, 'notice' | 'breaker'>

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
    const outcome = { deliveryId, claimVersion, attempt, next, observation, disableEndpoint }
    const more = from.next<string | null>()
    return more === null ? outcome : { ...outcome, ...(JSON.parse(more) as More) }
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
