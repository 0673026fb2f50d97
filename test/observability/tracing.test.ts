/** With an OpenTelemetry SDK: what is traced, and in which trace. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type OpenOptions, Outhook } from '../../src/index.ts'
import { aServer } from '../api/a-server.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'
import { aTracer, type TestTracer } from './a-tracer.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`
const tracestate = 'shop=abc'

let tracer: TestTracer
beforeAll(() => {
  tracer = aTracer({ registered: true })
})
afterEach(() => tracer.reset())
afterAll(() => tracer.close())

const local = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

async function open(options: Partial<OpenOptions> = {}): Promise<Outhook> {
  const hooks = await Outhook.open({ store: 'memory:', ...local, ...options })
  onTestFinished(() => hooks.close())
  return hooks
}

const ofTrace = (id: string) => (span: { spanContext(): { readonly traceId: string } }) =>
  span.spanContext().traceId === id

describe('an event that is published inside of an active span', () => {
  test('has a publish span as its child, an attempt as the child of that, and a record that is linked to the attempt', async () => {
    const receiver = await aReceiver()
    const hooks = await open()
    await hooks.endpoints.create({ url: `${receiver.url}/succeed`, topics: ['*'] })
    const [outer, id] = await trace.getTracer('test').startActiveSpan('outer', async (span) => {
      const event = await hooks.publish({ topic: 'orders.created', payload: 1 })
      span.end()
      return [span.spanContext(), event.id] as const
    })
    const [attempt] = await tracer.ended('outhook.attempt', 1)
    const [publish] = tracer.spans('outhook.publish')
    const [record] = await tracer.ended('outhook.record', 1)
    expect(publish?.parentSpanContext?.spanId).toBe(outer.spanId)
    expect(publish?.kind).toBe(SpanKind.PRODUCER)
    expect(publish?.attributes).toMatchObject({
      'messaging.system': 'outhook',
      'messaging.destination.name': 'orders.created',
      'messaging.message.id': id,
      'outhook.deliveries': 1,
      'outhook.replayed': false,
    })
    expect(attempt?.spanContext().traceId).toBe(outer.traceId)
    expect(attempt?.parentSpanContext?.spanId).toBe(publish?.spanContext().spanId)
    expect(attempt?.links.map((link) => link.context.spanId)).toEqual([publish?.spanContext().spanId])
    expect(attempt?.kind).toBe(SpanKind.CLIENT)
    expect(attempt?.attributes).toMatchObject({
      'messaging.message.id': id,
      'http.request.method': 'POST',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(receiver.url).port),
      'url.scheme': 'http',
      'http.response.status_code': 200,
      'outhook.attempt_no': 1,
    })
    expect(record?.links.map((link) => link.context.spanId)).toEqual([attempt?.spanContext().spanId])
    expect(record?.attributes['messaging.batch.message_count']).toBe(1)
    const [request] = await receiver.waitFor(1, patienceMs)
    expect(request?.headers.traceparent).toBe(`00-${outer.traceId}-${attempt?.spanContext().spanId}-01`)
  })

  test('keeps the context of the publish span, which the event shows', async () => {
    const hooks = await open()
    const { id } = await hooks.publish({ topic: 'a', payload: 1 })
    const [publish] = tracer.spans('outhook.publish')
    const { traceId: own, spanId } = publish?.spanContext() ?? {}
    expect((await hooks.events.get(id)).traceContext).toEqual({ traceparent: `00-${own}-${spanId}-01` })
  })
})

describe('a direct send inside of an active span', () => {
  test('has a span of its own name as its child, without a topic, and an attempt with its method as the child of that', async () => {
    const receiver = await aReceiver()
    const hooks = await open()
    const [outer, sent] = await trace.getTracer('test').startActiveSpan('outer', async (span) => {
      const receipt = await hooks.send({ url: `${receiver.url}/succeed`, method: 'PUT', payload: 1 })
      span.end()
      return [span.spanContext(), receipt] as const
    })
    const [attempt] = await tracer.ended('outhook.attempt', 1)
    const [send] = tracer.spans('outhook.send')
    expect(tracer.spans('outhook.publish')).toEqual([])
    expect(send?.parentSpanContext?.spanId).toBe(outer.spanId)
    expect(send?.kind).toBe(SpanKind.PRODUCER)
    expect(send?.attributes).toMatchObject({
      'messaging.system': 'outhook',
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'send',
      'messaging.message.id': sent.eventId,
      'outhook.deliveries': 1,
      'outhook.replayed': false,
    })
    expect(send?.attributes).not.toHaveProperty('messaging.destination.name')
    expect(attempt?.parentSpanContext?.spanId).toBe(send?.spanContext().spanId)
    expect(attempt?.attributes).toMatchObject({
      'messaging.message.id': sent.eventId,
      'outhook.delivery.id': sent.deliveryId,
      'http.request.method': 'PUT',
      'http.response.status_code': 200,
    })
    const [request] = await receiver.waitFor(1, patienceMs)
    expect(request?.headers.traceparent).toBe(`00-${outer.traceId}-${attempt?.spanContext().spanId}-01`)
  })

  test('says that it was replayed, and ends with the code of what refused it', async () => {
    const hooks = await open()
    const given = { url: 'http://127.0.0.1:1/', payload: 1, delay: '1h', idempotencyKey: 'k' }
    const { eventId } = await hooks.send(given)
    await hooks.send(given)
    await expect(hooks.send({ ...given, payload: 2 })).rejects.toThrow()
    const [, again, refused] = tracer.spans('outhook.send')
    expect(again?.attributes).toMatchObject({ 'messaging.message.id': eventId, 'outhook.replayed': true })
    expect(refused?.attributes['error.type']).toBe('idempotency_conflict')
    expect(refused?.status.code).toBe(SpanStatusCode.ERROR)
  })
})

describe('the trace that the publisher names', () => {
  test('is that of the publish span, with its tracestate', async () => {
    const receiver = await aReceiver()
    const hooks = await open()
    await hooks.endpoints.create({ url: `${receiver.url}/succeed`, topics: ['*'] })
    await hooks.publish({ topic: 'a', payload: 1, traceparent, tracestate })
    const [request] = await receiver.waitFor(1, patienceMs)
    expect(request?.headers.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
    expect(request?.headers.traceparent).not.toBe(traceparent)
    expect(request?.headers.tracestate).toBe(tracestate)
    expect(tracer.spans('outhook.publish')[0]?.parentSpanContext).toMatchObject({ traceId, isRemote: true })
  })

  test('wins over an active span of another trace, and not over one of its own', async () => {
    const hooks = await open()
    const other = trace.getTracer('test').startSpan('other')
    await context.with(trace.setSpan(context.active(), other), () =>
      hooks.publish({ topic: 'a', payload: 1, traceparent }),
    )
    const remote = { traceId, spanId: '00f067aa0ba902b7', traceFlags: 1, isRemote: true }
    const within = trace.setSpanContext(context.active(), remote)
    const server = trace.getTracer('test').startSpan('server', {}, within)
    await context.with(trace.setSpan(context.active(), server), () =>
      hooks.publish({ topic: 'a', payload: 1, traceparent }),
    )
    const parents = tracer.spans('outhook.publish').map((span) => span.parentSpanContext?.spanId)
    expect(parents).toEqual(['00f067aa0ba902b7', server.spanContext().spanId])
  })

  test.each(['/v1/events', '/v1/events/batch'])('comes as a header of POST %s', async (path) => {
    const receiver = await aReceiver()
    const server = await aServer({ dispatch: true, config: local })
    await server.call('POST', '/v1/endpoints', { body: { url: `${receiver.url}/succeed`, topics: ['*'] } })
    const event = { topic: 'a', payload: 1 }
    const body = path.endsWith('batch') ? { events: [event, event] } : event
    await server.call('POST', path, { body, headers: { traceparent, tracestate } })
    const requests = await receiver.waitFor(path.endsWith('batch') ? 2 : 1, patienceMs)
    for (const { headers } of requests) {
      expect(headers.traceparent).toContain(`00-${traceId}-`)
      expect(headers.tracestate).toBe(tracestate)
    }
    await tracer.ended('outhook.publish', requests.length)
  })
})

test('the trace that a caller of POST /v1/deliveries names goes with the direct send', async () => {
  const receiver = await aReceiver()
  const server = await aServer({ dispatch: true, config: local })
  const body = { url: `${receiver.url}/succeed`, payload: 1 }
  await server.call('POST', '/v1/deliveries', { body, headers: { traceparent, tracestate } })
  const [request] = await receiver.waitFor(1, patienceMs)
  expect(request?.headers.traceparent).toContain(`00-${traceId}-`)
  expect(request?.headers.tracestate).toBe(tracestate)
  await tracer.ended('outhook.send', 1, ofTrace(traceId))
})

describe('retries', () => {
  test('are attempts of their own in the same trace, linked to the publish span after a restart and a replay too', async () => {
    const receiver = await aReceiver()
    const directory = mkdtempSync(join(tmpdir(), 'outhook-tracing-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const store = `sqlite:${join(directory, 'hooks.db')}`
    const retryPolicy = { max_attempts: 2, delays: ['1ms'], jitter: 'none' as const }
    const before = await open({ store, dispatch: false, onMasterKeyCreated: () => {} })
    await before.endpoints.create({ url: `${receiver.url}/status/503`, topics: ['*'], retryPolicy })
    const { id, deliveryIds } = await before.publish({ topic: 'a', payload: 1, traceparent })
    await before.close()

    const after = await open({ store })
    const dead = new Promise((resolve) => after.on('deadLetter', resolve))
    await dead
    await after.deadLetters.replay(deliveryIds[0] as string)
    const ofEvent = (span: ReadableSpan) => span.attributes['messaging.message.id'] === id
    const attempts = await tracer.ended('outhook.attempt', 4, ofEvent)
    const publish = tracer.spans('outhook.publish').find(ofEvent)?.spanContext()
    for (const attempt of attempts) {
      expect(attempt.spanContext().traceId).toBe(traceId)
      expect(attempt.links.map((link) => link.context.spanId)).toEqual([publish?.spanId])
      expect(attempt.status).toEqual({ code: SpanStatusCode.ERROR, message: 'http_503' })
    }
    const numbers = attempts.map(({ attributes }) => attributes['http.request.resend_count'] ?? 0)
    expect(numbers).toEqual([0, 1, 0, 1])
    const claims = await tracer.ended('outhook.claim', 4, ({ links }) =>
      links.some((link) => link.context.spanId === publish?.spanId),
    )
    for (const { links } of claims) {
      expect(links.map((link) => link.context.spanId)).toEqual([publish?.spanId])
    }
  })
})

describe('what goes wrong', () => {
  test('a refused event ends its span with the code of the error', async () => {
    const hooks = await open()
    await hooks.publish({ topic: 'a', payload: 1, idempotencyKey: 'k' })
    await expect(hooks.publish({ topic: 'a', payload: 2, idempotencyKey: 'k' })).rejects.toThrow()
    const [, refused] = tracer.spans('outhook.publish')
    expect(refused?.attributes['error.type']).toBe('idempotency_conflict')
    expect(refused?.status.code).toBe(SpanStatusCode.ERROR)
  })

  test('a receiver that cannot be reached is an error of the attempt', async () => {
    const hooks = await open()
    await hooks.endpoints.create({ url: 'http://127.0.0.1:1/', topics: ['*'] })
    await hooks.publish({ topic: 'a', payload: 1 })
    const [attempt] = await tracer.ended('outhook.attempt', 1)
    expect(attempt?.attributes['error.type']).toBe('connection')
    expect(attempt?.attributes).not.toHaveProperty('http.response.status_code')
  })
})

test('with --trace-headers drop receivers get no trace, and attempts are traced all the same', async () => {
  const receiver = await aReceiver()
  const hooks = await open({ traceHeaders: 'drop' })
  await hooks.endpoints.create({ url: `${receiver.url}/succeed`, topics: ['*'] })
  await hooks.publish({ topic: 'a', payload: 1, traceparent, tracestate })
  const [request] = await receiver.waitFor(1, patienceMs)
  expect(request?.headers).not.toHaveProperty('traceparent')
  expect(request?.headers).not.toHaveProperty('tracestate')
  await tracer.ended('outhook.attempt', 1, ofTrace(traceId))
})
