import { connect } from 'node:net'
import { fastify } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import {
  type EventStream,
  maxUnreadStreamBytes,
  openEventStream,
  openedAfterMs,
} from '../../src/api/event-stream.ts'
import { toFrame } from '../../src/api/views/stream.ts'
import type { Clock } from '../../src/core/clock.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import type { StreamItem } from '../../src/core/stream-item.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

async function aStream(clock: Clock) {
  const app = fastify()
  // Fastify measures only for somebody who asks at the end.
  app.addHook('onResponse', (_request, _reply, done) => done())
  const opened = Promise.withResolvers<EventStream>()
  const state = { ended: 0, unread: () => 0, openedAfterMs: (): number | undefined => undefined }
  app.get('/', (request, reply) => {
    const onEnd = () => void state.ended++
    state.unread = () => reply.raw.writableLength
    state.openedAfterMs = () => openedAfterMs(request.raw)
    opened.resolve(openEventStream(request, reply, { clock, onEnd }))
  })
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(url.port), url.hostname)
  socket.on('error', () => undefined)
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  onTestFinished(async () => {
    socket.destroy()
    await app.close()
  })
  return { stream: await opened.promise, state, socket, app }
}

test('a reader that does not read is cut off once too much waits for it, and what is kept for it is bounded', async () => {
  const { stream, state } = await aStream(createSystemClock())
  const text = `data: ${'x'.repeat(16 * 1024)}\n\n`
  let written = 0
  let most = 0
  while (state.ended === 0 && written < 100 * 1024 * 1024) {
    stream.write(text)
    written += text.length
    if (state.ended === 0) most = Math.max(most, state.unread())
    // The system takes what it has room for.
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(state.ended).toBe(1)
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(maxUnreadStreamBytes)
  stream.write(text)
  stream.end('late')
  expect([state.ended, state.unread()]).toEqual([1, 0])
})

test('a comment comes every 15 seconds, until it ends', async () => {
  const clock = createManualClock()
  const { stream, socket, state } = await aStream(clock)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  socket.resume()
  const comments = () => text.split(':\n\n').length - 1
  await expect.poll(() => text).toContain('retry: 1000')
  expect(comments()).toBe(0)
  await clock.advance(14_999)
  stream.write('data: 1\n\n')
  await expect.poll(() => text).toContain('data: 1')
  expect(comments()).toBe(0)
  await clock.advance(1)
  await expect.poll(comments).toBe(1)
  stream.end('data: 2\n\n')
  await clock.advance(60_000)
  await expect.poll(() => text).toContain('data: 2')
  expect([comments(), state.ended]).toEqual([1, 1])
})

test('a reader that goes ends it', async () => {
  const { socket, state } = await aStream(createSystemClock())
  socket.destroy()
  await expect.poll(() => state.ended).toBe(1)
})

test('what is measured of it is how soon it began, however long it lasts', async () => {
  const { stream, state } = await aStream(createSystemClock())
  const before = state.openedAfterMs()
  expect(before).toBeGreaterThan(0)
  stream.end('data: 1\n\n')
  await expect.poll(() => state.ended).toBe(1)
  expect(state.openedAfterMs()).toBe(before)
})

test('what a receiver answered is in an attempt only for those who may see it', () => {
  const ids = {
    tenantId: 'ten_a',
    eventId: 'evt_a',
    deliveryId: 'dlv_a',
    endpointId: null,
    subscriptionId: null,
  }
  const attempt: StreamItem = {
    kind: 'attempt',
    at: 0,
    ...ids,
    topic: null,
    url: 'http://a',
    attemptNo: 1,
    status: 'retryable_failure',
    httpStatus: 503,
    errorClass: 'http_503',
    error: 'HTTP 503: the answer',
    latencyMs: 1,
  }
  expect(toFrame(attempt)).toContain('"error":"HTTP 503: the answer"')
  expect(toFrame(attempt, false)).toContain('"error":"HTTP 503"')
  expect(toFrame(attempt, false)).not.toContain('the answer')
})
