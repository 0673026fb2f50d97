/** Rows of docs/compatibility.md on events and credentials that are refused. */
import { describe, test } from 'vitest'
import type { CallOptions } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { type Case, checkCase, invalidBody } from '../hostile-case.ts'
import type { OpenScene } from './scene.ts'

const event = { topic: 'a.b', payload: { x: 1 } }

export function describeRefusedEvents(open: OpenScene): void {
  const server = () => open().two
  describe('S1.10 S1.11 publishing', () => {
    const form = 'expected {"topic": string, "payload": object}'
    const required = 'topic and payload are required'
    const body = (value: unknown): CallOptions => ({ body: value })
    const withHeader = (name: string, value: string): CallOptions => ({
      body: event,
      headers: { [name]: value },
    })
    const cases: readonly Case[] = [
      ['no body', 'POST', '/v1/events', {}, invalidBody(form)],
      ['spaces only', 'POST', '/v1/events', body('   '), invalidBody(form)],
      ['half an object', 'POST', '/v1/events', body('{"topic":"a"'), invalidBody(form)],
      ['a trailing comma', 'POST', '/v1/events', body('{"topic":"a","payload":1,}'), invalidBody(form)],
      ['a comment', 'POST', '/v1/events', body('{"topic":"a",/**/"payload":1}'), invalidBody(form)],
      ['single quotes', 'POST', '/v1/events', body("{'topic':'a','payload':1}"), invalidBody(form)],
      ['NaN', 'POST', '/v1/events', body('{"topic":"a","payload":{"x":NaN}}'), invalidBody(form)],
      ['Infinity', 'POST', '/v1/events', body('{"topic":"a","payload":-Infinity}'), invalidBody(form)],
      ['a leading zero', 'POST', '/v1/events', body('{"topic":"a","payload":01}'), invalidBody(form)],
      [
        'a raw line break in text',
        'POST',
        '/v1/events',
        body('{"topic":"a","payload":"\n"}'),
        invalidBody(form),
      ],
      ['a form', 'POST', '/v1/events', body('topic=a&payload=1'), invalidBody(form)],
      ['two values', 'POST', '/v1/events', body('{"topic":"a","payload":1}{}'), invalidBody(form)],
      [
        'a byte order mark',
        'POST',
        '/v1/events',
        body('\ufeff{"topic":"a","payload":1}'),
        invalidBody('byte order mark'),
      ],
      [
        'bytes that are no UTF-8',
        'POST',
        '/v1/events',
        body(Buffer.from('{"topic":"\xff","payload":1}', 'latin1')),
        invalidBody('UTF-8'),
      ],
      [
        'UTF-16',
        'POST',
        '/v1/events',
        body(Buffer.from('{"topic":"a","payload":1}', 'utf16le')),
        invalidBody(form),
      ],
      ['a list', 'POST', '/v1/events', body([event]), invalidBody(form)],
      ['null', 'POST', '/v1/events', body('null'), invalidBody(form)],
      ['text', 'POST', '/v1/events', body('"topic"'), invalidBody(form)],
      ['a deep unclosed nest', 'POST', '/v1/events', body('['.repeat(200_000)), invalidBody(form)],
      ['no topic', 'POST', '/v1/events', body({ payload: 1 }), invalidBody(required)],
      ['a null topic', 'POST', '/v1/events', body({ topic: null, payload: 1 }), invalidBody(required)],
      ['an empty topic', 'POST', '/v1/events', body({ topic: '', payload: 1 }), invalidBody(required)],
      ['no payload', 'POST', '/v1/events', body({ topic: 'a' }), invalidBody(required)],
      ['a number as topic', 'POST', '/v1/events', body({ topic: 1, payload: 1 }), invalidBody(form)],
      ['a list as topic', 'POST', '/v1/events', body({ topic: ['a'], payload: 1 }), invalidBody(form)],
      [
        'a topic with a line break',
        'POST',
        '/v1/events',
        body({ topic: 'a\r\nx: y', payload: 1 }),
        invalidBody('control characters'),
      ],
      [
        'a topic of 256 bytes',
        'POST',
        '/v1/events',
        body({ topic: 'a'.repeat(256), payload: 1 }),
        invalidBody('255 bytes'),
      ],
      [
        'metadata as a list',
        'POST',
        '/v1/events',
        body({ ...event, metadata: [1] }),
        { status: 400, detail: 'metadata must be an object' },
      ],
      [
        'metadata with a line break',
        'POST',
        '/v1/events',
        body({ ...event, metadata: { a: 'x\r\ny: z' } }),
        { status: 400, detail: 'metadata.a must not hold control' },
      ],
      [
        'metadata that names a header',
        'POST',
        '/v1/events',
        body({ ...event, metadata: { 'a: b': 'x' } }),
        { status: 400, detail: 'metadata has the name' },
      ],
      [
        'metadata of 17 members',
        'POST',
        '/v1/events',
        body({
          ...event,
          metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`m${n}`, 'x'])),
        }),
        { status: 400, detail: 'at most 16' },
      ],
      [
        'a payload one byte too large',
        'POST',
        '/v1/events',
        body(`{"topic":"a","payload":"${'x'.repeat(262_143)}"}`),
        { status: 413, title: 'payload too large', detail: 'payload is capped at 256KB' },
      ],
      [
        'a body one byte too large',
        'POST',
        '/v1/events',
        body(' '.repeat(266_241)),
        { status: 413, title: 'payload too large', detail: 'payload is capped at 256KB' },
      ],
      [
        'a compressed body',
        'POST',
        '/v1/events',
        withHeader('content-encoding', 'gzip'),
        { status: 415, detail: 'without Content-Encoding' },
      ],
      [
        'an idempotency key of 256 bytes',
        'POST',
        '/v1/events',
        withHeader('idempotency-key', 'k'.repeat(256)),
        { status: 400, detail: '1 to 255 bytes' },
      ],
      [
        'an ordering key of 257 bytes',
        'POST',
        '/v1/events',
        withHeader('x-hookrail-ordering-key', 'k'.repeat(257)),
        { status: 400, title: 'ordering_key too long', detail: 'exceeds 256 characters' },
      ],
      [
        'two ordering keys that differ',
        'POST',
        '/v1/events',
        { body: { topic: 'a', payload: { ordering_key: 'x' } }, headers: { 'x-hookrail-ordering-key': 'y' } },
        {
          status: 400,
          title: 'ordering_key conflict',
          detail: 'X-Hookrail-Ordering-Key and body.ordering_key differ',
        },
      ],
    ]
    test.each(cases)('%s is refused', (...args) => checkCase(server(), args))
  })

  describe('S1.9 credentials', () => {
    const noCredentials = { status: 401, title: 'missing credentials' }
    const unknown = { status: 401, title: 'invalid credentials' }
    const producerHint = 'Authorization: Bearer <producer key> required'
    const cases: readonly Case[] = [
      [
        'none',
        'POST',
        '/v1/events',
        { token: null, body: event },
        { ...noCredentials, detail: producerHint },
      ],
      [
        'none, for an admin route',
        'GET',
        '/v1/endpoints',
        { token: null },
        { ...noCredentials, detail: '<admin token>' },
      ],
      [
        'another scheme',
        'POST',
        '/v1/events',
        { token: null, headers: { authorization: 'Basic YTpi' } },
        noCredentials,
      ],
      [
        'bearer in lower case',
        'POST',
        '/v1/events',
        { token: null, headers: { authorization: 'bearer x' } },
        noCredentials,
      ],
      [
        'an empty token',
        'POST',
        '/v1/events',
        { token: null, headers: { authorization: 'Bearer ' } },
        noCredentials,
      ],
      [
        'an unknown key',
        'POST',
        '/v1/events',
        { token: 'hk_x', body: event },
        { ...unknown, detail: 'unknown or revoked producer key' },
      ],
      ['a very long key', 'POST', '/v1/events', { token: 'k'.repeat(8000), body: event }, unknown],
      [
        'an unknown admin token',
        'GET',
        '/v1/keys',
        { token: 'hkadm_x' },
        { ...unknown, detail: '<admin token>' },
      ],
      [
        'a stranger with an oversized body',
        'POST',
        '/v1/events',
        { token: 'hk_x', body: 'x'.repeat(300_000) },
        unknown,
      ],
    ]
    test.each(cases)('%s is refused', (...args) => checkCase(server(), args))

    test.each([
      ['GET', '/v1/events'],
      ['GET', '/v1/endpoints'],
      ['POST', '/v1/endpoints'],
      ['GET', '/v1/subscriptions'],
      ['GET', '/v1/deliveries'],
      ['GET', '/v1/dlq'],
      ['POST', '/v1/keys'],
      ['GET', '/v1/keys'],
    ])('a producer key does not open %s %s', async (method, path) => {
      const answer = await server().call(method, path, { token: (await server().producer()).key })
      expectProblem(answer, { status: 403, title: 'insufficient role', detail: 'send an admin token' })
    })
  })
}
