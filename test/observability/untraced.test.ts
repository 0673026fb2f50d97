/** Without an OpenTelemetry SDK: the publisher's trace is passed on, and nothing else happens. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { type OpenOptions, Outhook } from '../../src/index.ts'
import { traceSender } from '../../src/trace-parts.ts'
import { adminToken, aServer } from '../api/a-server.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'
import { aTracer } from './a-tracer.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`
const tracestate = 'shop=abc,other=1'
const local = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

async function open(options: Partial<OpenOptions> = {}): Promise<Outhook> {
  const hooks = await Outhook.open({ store: 'memory:', ...local, ...options })
  onTestFinished(() => hooks.close())
  return hooks
}

test('the publisher’s trace context is kept with the event, shown, and sent with each attempt as it is', async () => {
  const receiver = await aReceiver()
  const hooks = await open()
  const retryPolicy = { max_attempts: 2, delays: ['1ms'], jitter: 'none' as const }
  await hooks.endpoints.create({ url: `${receiver.url}/status/503`, topics: ['*'], retryPolicy })
  const { id } = await hooks.publish({ topic: 'a', payload: 1, traceparent, tracestate })
  const requests = await receiver.waitFor(2, patienceMs)
  for (const { headers } of requests) expect(headers).toMatchObject({ traceparent, tracestate })
  expect((await hooks.events.get(id)).traceContext).toEqual({ traceparent, tracestate })
})

test('a request without a trace is sent without one', async () => {
  const receiver = await aReceiver()
  const hooks = await open()
  await hooks.endpoints.create({ url: `${receiver.url}/succeed`, topics: ['*'] })
  await hooks.publish({ topic: 'a', payload: 1 })
  await hooks.publish({ topic: 'a', payload: 1, traceparent: 'nonsense', tracestate })
  for (const { headers } of await receiver.waitFor(2, patienceMs)) {
    expect(headers).not.toHaveProperty('traceparent')
    expect(headers).not.toHaveProperty('tracestate')
  }
})

test('with trace-headers drop it stays with the event and is not sent', async () => {
  const receiver = await aReceiver()
  const hooks = await open({ traceHeaders: 'drop' })
  await hooks.endpoints.create({ url: `${receiver.url}/succeed`, topics: ['*'] })
  const { id } = await hooks.publish({ topic: 'a', payload: 1, traceparent, tracestate })
  const [request] = await receiver.waitFor(1, patienceMs)
  expect(request?.headers).not.toHaveProperty('traceparent')
  expect(request?.headers).not.toHaveProperty('tracestate')
  expect((await hooks.events.get(id)).traceContext).toEqual({ traceparent, tracestate })
})

test('traceparent that is no text is an error of the program', async () => {
  const hooks = await open()
  const wrong = { topic: 'a', payload: 1, traceparent: 7 } as never
  await expect(hooks.publish(wrong)).rejects.toMatchObject({
    code: 'invalid_request',
    message: 'traceparent must be a string',
  })
})

test.each([
  ['the short way', {}],
  ['the framework’s way', { expect100: true }],
])('over HTTP the trace comes in headers, on %s', async (_, { expect100 }: { expect100?: boolean }) => {
  const server = await aServer()
  // A body of unknown length does not go the short way.
  const body = JSON.stringify({ topic: 'a', payload: 1 })
  const response = await fetch(`${server.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, traceparent, tracestate },
    ...(expect100 === true ? { body: new Blob([body]).stream(), duplex: 'half' as const } : { body }),
  })
  const { id } = (await response.json()) as { readonly id: string }
  const shown = (await server.call('GET', `/v1/events/${id}`)).json
  expect(shown.trace_context).toEqual({ traceparent, tracestate })
})

test('an event without a trace says so over HTTP, and a malformed header is no error', async () => {
  const server = await aServer()
  for (const headers of [{}, { traceparent: 'x', tracestate }, { traceparent: `${traceparent}-more` }]) {
    const { status, json } = await server.call('POST', '/v1/events', {
      body: { topic: 'a', payload: 1 },
      headers: headers as Record<string, string>,
    })
    expect(status).toBe(202)
    expect((await server.call('GET', `/v1/events/${json.id}`)).json.trace_context).toBeNull()
  }
})

test('a tracer provider that is given to open traces without being registered', async () => {
  const tracer = aTracer({ registered: false })
  onTestFinished(() => tracer.close())
  const receiver = await aReceiver()
  const hooks = await open({ tracerProvider: tracer.provider })
  await hooks.endpoints.create({ url: `${receiver.url}/succeed`, topics: ['*'] })
  await hooks.publish({ topic: 'a', payload: 1, traceparent })
  const [attempt] = await tracer.ended('outhook.attempt', 1)
  expect(attempt?.spanContext().traceId).toBe(traceId)
})

test('nothing stands between the engine and its sender where nobody traces, so a delivery costs what it did', () => {
  const sender = {
    attempt: () => Promise.reject(new Error('none')),
    totalTimeoutMs: 1,
    close: async () => {},
  }
  expect(traceSender(sender, { tracing: null, passesTrace: true })).toBe(sender)
})

test('nothing of OpenTelemetry is loaded where no SDK is registered', async () => {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
    const { Outhook } = await import(${JSON.stringify(resolve(import.meta.dirname, '../../src/index.ts'))})
    const hooks = await Outhook.open({ store: 'memory:' })
    await hooks.publish({ topic: 'a', payload: 1, traceparent: ${JSON.stringify(traceparent)} })
    await hooks.close()
    console.log(loaded.length > 50, loaded.filter((url) => url.includes('opentelemetry')).length)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect(stdout.trim()).toBe('true 0')
})
