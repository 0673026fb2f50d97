import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDeadlines } from '../../src/api/deadlines.ts'
import { problemOf, renderProblem, toProblem } from '../../src/api/problem.ts'
import { formatTime, parseTime } from '../../src/api/rfc3339.ts'
import { toDeliveryDetail } from '../../src/api/views/deliveries.ts'
import { OuthookError } from '../../src/core/errors.ts'
import type { CapturedResponse } from '../../src/core/model.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

test('a time that is written is read back the same', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 253_402_300_799_999 }),
      (ms) => parseTime(formatTime(ms), 'since') === ms,
    ),
  )
})

test.each([
  ['2026-01-31T00:00:00Z', '2026-01-31T00:00:00.000Z'],
  ['2026-01-31t00:00:00z', '2026-01-31T00:00:00.000Z'],
  ['2026-01-31T01:30:00+01:30', '2026-01-31T00:00:00.000Z'],
  ['2026-01-30T19:00:00-05:00', '2026-01-31T00:00:00.000Z'],
  ['2026-01-31T00:00:00.1234Z', '2026-01-31T00:00:00.124Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
])('%s is %s', (text, expected) => {
  expect(formatTime(parseTime(text, 'since'))).toBe(expected)
})

test.each([
  '',
  'now',
  '0',
  '2026-01-31',
  '2026-01-31T00:00:00',
  '2026-1-31T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T00:60:00Z',
  '2026-01-31T00:00:00+24:00',
  '2026-01-31 00:00:00Z',
])('%j is no time', (text) => {
  expect(() => parseTime(text, 'since')).toThrow('since must be an RFC 3339 time')
})

test.each([
  [undefined, 1],
  [0, 1],
  [0.2, 1],
  [3.1, 4],
  [3600, 10],
])('a wait of %s seconds is told as %i', (retryAfterSeconds, expected) => {
  const error = new OuthookError(
    'rate_limited',
    'too many; wait',
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
  )
  expect(toProblem(error).retryAfterSeconds).toBe(expected)
})

test.each([
  new Error('password=hunter2'),
  new OuthookError('internal', 'password=hunter2'),
  'hunter2',
  null,
  undefined,
])('what went wrong inside is not told: %s', (error) => {
  const problem = toProblem(error)
  expect(problem.status).toBe(500)
  expect(renderProblem(problem)).not.toContain('hunter2')
})

test('a problem has hookrail’s four members, in order, then its code, and a newline', () => {
  expect(renderProblem(problemOf('not_found', 'x'))).toBe(
    '{"type":"/docs/errors/not_found","title":"not found","status":404,"detail":"x","code":"not_found"}\n',
  )
})

function shown(body: Uint8Array, truncated = false) {
  const response: CapturedResponse = {
    headers: [
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
    ],
    body,
    truncated,
  }
  const attempt = {
    deliveryId: 'd',
    attemptNo: 1,
    claimVersion: 1,
    status: 'success' as const,
    httpStatus: 200,
    errorClass: null,
    error: null,
    latencyMs: 1.6,
    request: null,
    startedAt: 0,
    response,
  }
  const nothing = {
    subscriptionId: null,
    endpointId: null,
    topic: null,
    reason: null,
    headDeliveryId: null,
    nextAttemptAt: null,
    lastHttpStatus: null,
    errorClass: null,
    lastError: null,
    orderingKey: null,
  }
  const delivery = {
    id: 'd',
    tenantId: 't',
    eventId: 'e',
    targetId: 't',
    state: 'succeeded' as const,
    attemptCount: 1,
    claimVersion: 1,
    createdAt: 0,
    updatedAt: 0,
    ...nothing,
  }
  return toDeliveryDetail({ ...delivery, attempts: [attempt] }).attempts[0]
}

test('a captured body is text when it is UTF-8, else base64; repeated headers stay apart', () => {
  expect(shown(Buffer.from('\ufeffé'))?.response).toEqual({
    headers: [
      { name: 'set-cookie', value: 'a' },
      { name: 'set-cookie', value: 'b' },
    ],
    body: '\ufeffé',
    encoding: 'utf8',
    truncated: false,
  })
  expect(shown(Buffer.from([0xff, 0]))?.response).toMatchObject({ body: '/wA=', encoding: 'base64' })
})

test('a body that was cut inside a character is text without it', () => {
  const cut = Buffer.from('aé').subarray(0, 2)
  expect(shown(cut, true)?.response).toMatchObject({ body: 'a', encoding: 'utf8' })
  expect(shown(cut, false)?.response).toMatchObject({ encoding: 'base64' })
})

test('a latency is a whole number, because clients read it as one', () => {
  expect(shown(new Uint8Array())?.latency_ms).toBe(2)
})

test('a deadline calls once, between one and two limits, and not what was done before', async () => {
  const clock = createManualClock()
  const deadlines = createDeadlines(clock, 100)
  const late: string[] = []
  deadlines.watch(() => late.push('a'))
  const done = deadlines.watch(() => late.push('b'))
  done()
  await clock.advance(99)
  deadlines.watch(() => late.push('c'))
  await clock.advance(1)
  expect(late).toEqual([])
  await clock.advance(100)
  expect(late).toEqual(['a', 'c'])
  await clock.advance(1000)
  expect(late).toEqual(['a', 'c'])
})
