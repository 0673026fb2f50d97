/** Calls and results that go between the threads of a SQLite store come out as they went in. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { retryProfiles } from '../../src/core/retry-policy.ts'
import type { ClaimedDelivery, DeliveryOutcome, NewEvent, PublishResult } from '../../src/store/port.ts'
import { BytePacker, ByteUnpacker } from '../../src/store/sqlite/threads/packed-bytes.ts'
import {
  type Call,
  packCall,
  packResult,
  type Result,
  unpackCall,
  unpackResult,
} from '../../src/store/sqlite/threads/tick.ts'

/** Some come several times, and go once. */
const text = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('one', 'two'))
const bytes = fc.uint8Array({ maxLength: 5 })
const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null })
const strings = fc.dictionary(text, text, { noNullPrototype: true })

const aRequest = fc.record({
  url: text,
  method: fc.constantFrom('PUT' as const, 'GET' as const),
  headers: strings,
  timeoutMs: orNull(fc.nat()),
  retryPolicy: fc.constant(retryProfiles.dograh),
})

const anEvent: fc.Arbitrary<NewEvent> = fc.record({
  id: text,
  tenantId: text,
  topic: orNull(text),
  payload: bytes,
  metadata: orNull(strings),
  traceContext: orNull(fc.record({ traceparent: text, tracestate: text })),
  request: orNull(aRequest),
  filteredSubscriptions: orNull(fc.nat()),
  hasIdempotencyKey: fc.boolean(),
  orderingKey: orNull(text),
  producerKeyId: orNull(text),
  deliverAt: orNull(fc.nat()),
  idempotency: orNull(fc.record({ scope: text, key: text, hash: bytes, ttlMs: fc.nat() })),
  routingVersion: fc.nat(),
  deliveries: fc.array(
    fc.record({
      id: text,
      subscriptionId: orNull(text),
      endpointId: orNull(text),
      targetId: text,
      rateLimitRps: orNull(fc.double({ min: 0, noNaN: true })),
      handOff: fc.boolean(),
      ordered: fc.boolean(),
      parked: orNull(fc.constant('endpoint_disabled' as const)),
    }),
    { maxLength: 3 },
  ),
  receivers: bytes,
})

/** One list for many answers. */
const sameHeaders = [['server', 'one']] as const
const aResponse = fc.record({
  headers: fc.oneof(fc.array(fc.tuple(text, text), { maxLength: 3 }), fc.constant(sameHeaders)),
  body: bytes,
  truncated: fc.boolean(),
})

/** As nearly all outcomes are; one thing about it may be out of the ordinary. */
const aSuccess: fc.Arbitrary<DeliveryOutcome> = fc
  .record({
    deliveryId: text,
    claimVersion: fc.nat(),
    attemptNo: fc.nat(),
    httpStatus: fc.nat(),
    latencyMs: fc.nat(),
    startedAt: fc.nat(),
    response: aResponse,
    odd: fc.constantFrom(
      '',
      'throttled',
      'disabled',
      'later',
      'silent',
      'unobserved',
      'failed',
      'not reached',
    ),
  })
  .map(({ deliveryId, claimVersion, attemptNo, httpStatus, latencyMs, startedAt, response, odd }) => ({
    deliveryId,
    claimVersion,
    attempt: {
      attemptNo,
      status: 'success',
      httpStatus,
      errorClass: null,
      error: odd === 'failed' ? 'it broke off' : null,
      latencyMs,
      startedAt,
      response: odd === 'silent' ? null : response,
    },
    next: { state: 'succeeded' },
    observation:
      odd === 'unobserved'
        ? null
        : {
            contact: odd === 'not reached' ? 'none' : 'reached',
            succeeded: true,
            startedAt: odd === 'later' ? startedAt + 1 : startedAt,
            throttleMs: odd === 'throttled' ? 1000 : null,
          },
    disableEndpoint: odd === 'disabled' ? 'gone' : null,
  }))

const anyOutcome: fc.Arbitrary<DeliveryOutcome> = fc.record({
  deliveryId: text,
  claimVersion: fc.nat(),
  attempt: orNull(
    fc.record({
      attemptNo: fc.nat(),
      status: fc.constantFrom('success', 'retryable_failure', 'permanent_failure'),
      httpStatus: orNull(fc.nat()),
      errorClass: orNull(fc.constantFrom('timeout', 'http_500')),
      error: orNull(text),
      latencyMs: fc.double({ min: 0, noNaN: true }),
      startedAt: fc.nat(),
      response: orNull(aResponse),
    }),
  ),
  next: fc.oneof(
    fc.constant({ state: 'succeeded' as const }),
    fc.record({ state: fc.constant('retry_scheduled' as const), delayMs: fc.nat() }),
    fc.record({ state: fc.constant('dead_lettered' as const), finalError: fc.constant('timeout' as const) }),
  ),
  observation: orNull(
    fc.record({
      contact: fc.constantFrom('none', 'reached', 'transport_failure'),
      succeeded: fc.boolean(),
      startedAt: fc.nat(),
    }),
  ),
  disableEndpoint: orNull(fc.constantFrom('gone', 'failing')),
}) as fc.Arbitrary<DeliveryOutcome>

const anOutcome = fc.oneof(anyOutcome, aSuccess)

const aPublished: fc.Arbitrary<PublishResult> = fc.oneof(
  fc.record({ kind: fc.constant('published' as const), handedOff: fc.array(fc.boolean(), { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('replayed' as const),
    eventId: text,
    deliveryIds: fc.array(text, { maxLength: 3 }),
    state: fc.constantFrom('accepted' as const, 'fanned_out' as const),
    filteredSubscriptions: fc.nat(),
  }),
  fc.record({ kind: fc.constant('conflict' as const), eventId: text }),
  fc.constant({ kind: 'stale_routing' as const }),
)

const aClaimed: fc.Arbitrary<ClaimedDelivery> = fc.record({
  id: text,
  tenantId: text,
  eventId: text,
  subscriptionId: orNull(text),
  endpointId: orNull(text),
  targetId: text,
  topic: orNull(text),
  metadata: orNull(strings),
  traceContext: orNull(fc.record({ traceparent: text, tracestate: text })),
  request: orNull(aRequest),
  payload: bytes,
  claimVersion: fc.nat(),
  attemptCount: fc.nat(),
  lostClaims: fc.nat(),
  createdAt: fc.nat(),
})

const aPublish = fc
  .array(anEvent, { maxLength: 3 })
  .map((batch) => ({ name: 'publish', args: [batch, { leaseMs: 1 }] }))
const aRecord = fc
  .array(anOutcome, { maxLength: 3 })
  .map((outcomes) => ({ name: 'recordOutcomes', args: [outcomes, {}] }))
const another = fc.constant({ name: 'revokeApiKey', args: ['a', 'b'] })

test('calls, several in one message', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(aPublish, aRecord, another), { maxLength: 3 }), (made) => {
      const calls = made.map((call) => ({ kind: 'write', ...call }) as Call)
      const packer = new BytePacker()
      const sent = structuredClone({
        calls: calls.map((call) => packCall(call, packer)),
        bytes: packer.pack(),
      })
      const unpacker = new ByteUnpacker(sent.bytes)
      for (const call of sent.calls) unpackCall(call, unpacker)
      expect(sent.calls).toEqual(calls)
    }),
  )
})

test('results, refusals among them', () => {
  const results = fc.oneof(
    fc.array(aPublished, { maxLength: 3 }).map((value) => ({ name: 'publish', value })),
    fc
      .record({ deliveries: fc.array(aClaimed, { maxLength: 3 }), nextDueMs: orNull(fc.nat()) })
      .map((value) => ({ name: 'claim', value })),
    fc.constant({ name: 'ping', value: undefined }),
    fc.constant({ name: 'publish', value: null }),
  )
  fc.assert(
    fc.property(fc.array(results, { maxLength: 3 }), (made) => {
      const calls = made.map(({ name }) => ({ kind: 'write', name, args: [] }) as unknown as Call)
      const before = made.map(
        ({ value }): Result =>
          value === null
            ? { ok: false, failure: { code: 'store_refused', message: 'no', fault: undefined } }
            : { ok: true, value },
      )
      const packer = new BytePacker()
      const packed = structuredClone(before)
      for (const [index, call] of calls.entries()) packResult(call, packed[index] as Result, packer)
      const sent = structuredClone({ results: packed, bytes: packer.pack() })
      const unpacker = new ByteUnpacker(sent.bytes)
      for (const [index, call] of calls.entries()) unpackResult(call, sent.results[index] as Result, unpacker)
      expect(sent.results).toEqual(before)
    }),
  )
})
