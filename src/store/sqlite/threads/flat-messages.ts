/** Published events, what became of them, and claimed deliveries, as they go between the threads: in flat lists. */
import { addEventFields, nextEventFields } from '../../../core/event-fields.ts'
import type { ClaimedDelivery, NewDelivery, NewEvent, NewIdempotencyKey, PublishResult } from '../../port.ts'
import { type FlatList, FlatReader, SharedTexts } from './flat-list.ts'
import type { BytePacker, ByteUnpacker } from './packed-bytes.ts'

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
