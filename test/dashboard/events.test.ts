import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { deliveryStates, plainErrorClasses } from '../../src/core/model.ts'
import { curlOf } from '../../src/dashboard/curl.ts'
import { explainError, plainErrorWords } from '../../src/dashboard/error-words.ts'
import { indentJson } from '../../src/dashboard/indent-json.ts'
import { describeDelivery } from '../../src/dashboard/pages/deliveries/delivery-words.ts'
import { showBody } from '../../src/dashboard/pages/deliveries/show-body.ts'
import { checkJson } from '../../src/dashboard/pages/events/check-json.ts'
import { decodePayload, dumpBytes, publishBody } from '../../src/dashboard/pages/events/payload-text.ts'
import { timelineOf } from '../../src/dashboard/pages/events/timeline.ts'

test('every class of error has a sentence on what happened and one on what to do, of its own', () => {
  expect(Object.keys(plainErrorWords).toSorted()).toEqual([...plainErrorClasses].toSorted())
  const unknown = explainError('of a newer server')
  const statuses = Array.from({ length: 900 }, (_, n) => `http_${n + 100}`)
  for (const errorClass of [...plainErrorClasses, ...statuses]) {
    const { what, todo } = explainError(errorClass)
    expect([errorClass, what]).toEqual([errorClass, expect.stringMatching(/^[A-Z].*\w\.$/s)])
    expect([errorClass, todo]).toEqual([errorClass, expect.stringMatching(/^[A-Z].*\w\.$/s)])
    expect([errorClass, what]).not.toEqual([errorClass, unknown.what])
  }
  expect(explainError('constructor')).toEqual(unknown)
})

const aDelivery = {
  reason: null,
  attemptCount: 3,
  errorClass: 'http_503',
  lastHttpStatus: 503,
  lastError: null,
  nextAttemptAt: null,
} as const

test('a delivery of each state is told in a sentence, with what comes next or what to do', () => {
  for (const state of deliveryStates) {
    const { now, next, todo } = describeDelivery({ ...aDelivery, state })
    expect([state, now]).toEqual([state, expect.stringMatching(/^(It|An) .*\.$/)])
    if (state !== 'succeeded') expect([state, next ?? todo]).not.toEqual([state, null])
  }
  const reasons = ['endpoint_paused', 'endpoint_disabled', 'rate_limited', 'scheduled', 'behind_head']
  const told = reasons.map((reason) => describeDelivery({ ...aDelivery, state: 'pending', reason }).now)
  expect(new Set(told).size).toBe(reasons.length)
  const dead = describeDelivery({ ...aDelivery, state: 'dead_lettered' })
  expect(dead.now).toContain('after 3 attempts')
  expect(dead.todo).toContain('replay')
})

test('a line of curl names a file where its body is longer than an argument may be', () => {
  const lineOf = (body: string) =>
    curlOf({ method: 'POST', url: 'http://127.0.0.1/', headers: [], body, bodyFile: 'evt_1.json' })
  // In bytes, of which each of these letters has two.
  expect(lineOf('é'.repeat(65_536))).toMatch(/ --data-binary '@evt_1\.json'$/)
  const longest = 'é'.repeat(65_535)
  expect(lineOf(longest)).toContain(` --data-raw '${longest}'`)
  const run = `env true ${lineOf(longest)}`
  expect(execFileSync('sh', { input: run }).toString()).toBe('')
})

test('a line of curl sends what it says, whatever stands in it', () => {
  const hostile = `@/etc/passwd '"\`id\` $(id) $HOME \\ \n{a,b}[1-2];`
  const line = curlOf({
    method: 'POST',
    url: `http://127.0.0.1/{a,b}'$(id)`,
    headers: [
      { name: 'x-said', value: `it's $(id) \`id\`` },
      { name: 'x-empty', value: '' },
    ],
    body: hostile,
    bodyFile: 'unused.json',
  })
  // The shell's own view of the words.
  const words = execFileSync('sh', ['-c', `curl() { for one; do printf '%s\\0' "$one"; done; }; ${line}`])
    .toString()
    .split('\0')
    .slice(0, -1)
  expect(words).toEqual([
    '--globoff',
    '--request',
    'POST',
    `http://127.0.0.1/{a,b}'$(id)`,
    '--header',
    `x-said: it's $(id) \`id\``,
    '--header',
    'x-empty;',
    '--data-raw',
    hostile,
  ])
})

test('JSON is indented with every token as it was written', () => {
  const text = '{"a":[1.0,12345678901234567890,{}],"a":"x, {y}: \\"[z]","b":[[],null,true]}'
  const pretty = indentJson(text) as string
  expect(pretty.split('\n').length).toBeGreaterThan(8)
  expect(pretty).toContain('  "a": "x, {y}: \\"[z]"')
  expect(pretty.replace(/\n */g, '').replaceAll('": ', '":')).toBe(text)
  expect(indentJson('{"a":')).toBeNull()
  expect(indentJson('3')).toBe('3')
  // Lines would be longer than any memory.
  expect(indentJson('['.repeat(100_000) + ']'.repeat(100_000))).toBeNull()
  expect(indentJson(JSON.stringify('x'.repeat(250_000)))).toHaveLength(250_002)
})

test('the body of an answer is shown by its type, and said to be what it is', () => {
  const of = (type: string, body: string, more: object = {}) =>
    showBody({
      headers: [{ name: 'content-type', value: type }],
      body,
      encoding: 'utf8',
      truncated: false,
      ...more,
    })
  expect(of('application/problem+json; charset=utf-8', '{"a":1}').text).toBe('{\n  "a": 1\n}')
  expect(of('application/json', '{"a":1', { truncated: true }).text).toBe('{"a":1')
  expect(of('text/html', '<b>{"a":1}</b>')).toEqual({ title: ', text/html', text: '<b>{"a":1}</b>' })
  expect(of('image/png', 'AAEC', { encoding: 'base64' }).title).toContain('base64')
  expect(of('text/plain', '').text).toBe('(empty)')
})

test('a payload is shown byte by byte, and published again byte for byte', () => {
  const bytes = new TextEncoder().encode('{"n":1.0, "é":"x"}')
  expect(dumpBytes(bytes).split('\n')).toEqual([
    '00000000  7b 22 6e 22 3a 31 2e 30 2c 20 22 c3 a9 22 3a 22  {"n":1.0, "..":"',
    '00000010  78 22 7d                                         x"}',
  ])
  expect(decodePayload(Uint8Array.of(0xff, 0xfe))).toBeNull()
  const text = decodePayload(bytes) as string
  const body = publishBody({ topic: 'a"b', metadata: { x: 'y' }, orderingKey: 'k' }, text)
  expect(body).toContain('"payload":{"n":1.0, "é":"x"},')
  expect(JSON.parse(body)).toEqual({
    topic: 'a"b',
    payload: { n: 1, é: 'x' },
    metadata: { x: 'y' },
    ordering_key: 'k',
  })
})

test('what is typed is said to be JSON or not, and when it is too long', () => {
  expect(checkJson('{"a": [1]}')).toBeNull()
  expect(checkJson('{"a": [1}')).toMatch(/^Not JSON yet: /)
  expect(checkJson(' ')).toContain('Empty')
  expect(checkJson(JSON.stringify('é'.repeat(140_000)))).toContain('280002 bytes')
})

test('the timeline goes from accepted to the end of each delivery, and has an end itself', () => {
  const at = (second: number) => new Date(Date.UTC(2026, 0, 31, 9, 0, second)).toISOString()
  const attempt = (attemptNo: number, second: number, httpStatus: number) => ({
    attemptNo,
    startedAt: at(second),
    latencyMs: 500,
    status: httpStatus < 300 ? 'success' : 'retryable_failure',
    httpStatus,
    errorClass: httpStatus < 300 ? null : `http_${httpStatus}`,
  })
  const anEvent = (deliveries: readonly object[]) =>
    ({ createdAt: at(0), deliverAt: null, deliveries }) as unknown as Parameters<typeof timelineOf>[0]
  const two = anEvent([
    { id: 'a', state: 'succeeded', updatedAt: at(9), attempts: [attempt(1, 1, 503), attempt(2, 8, 200)] },
    { id: 'b', state: 'pending', updatedAt: at(3), attempts: [] },
    { id: 'c', state: 'cancelled', updatedAt: at(2), attempts: [] },
  ])
  expect(timelineOf(two).entries.map(({ text, is, delivery }) => [delivery?.id ?? '', text, is])).toEqual([
    ['', 'accepted', 'plain'],
    ['a', 'attempt 1: answered 503, after 500 ms', 'bad'],
    ['c', 'cancelled', 'plain'],
    ['a', 'attempt 2: answered 200, after 500 ms', 'good'],
    ['a', 'arrived', 'good'],
  ])
  const many = timelineOf(
    anEvent(Array.from({ length: 1000 }, () => ({ state: 'succeeded', updatedAt: at(1), attempts: [] }))),
  )
  expect([many.entries.length, many.leftOut]).toEqual([200, 801])
})
