import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aServer, type CallOptions, type TestServer } from './a-server.ts'
import type { ExpectedProblem } from './expect-problem.ts'
import { type Case, checkCase, invalidBody } from './hostile-case.ts'

let server: TestServer

beforeAll(async () => {
  server = await aServer({ closeWith: () => undefined })
})
afterAll(() => server.close())

const event = { topic: 'a.b', payload: { x: 1 } }
const unknownId = 'evt_01arz3ndektsv4rrffq69g5fav'

describe('batches', () => {
  const batch = (value: unknown): CallOptions => ({ body: value })
  const cases: readonly Case[] = [
    ['no body', 'POST', '/v1/events/batch', {}, invalidBody('the body is empty')],
    ['no events', 'POST', '/v1/events/batch', batch({}), invalidBody('"events" must be a list')],
    ['an empty list', 'POST', '/v1/events/batch', batch({ events: [] }), invalidBody('1 to 1000')],
    [
      '1001 events',
      'POST',
      '/v1/events/batch',
      batch({ events: Array(1001).fill(event) }),
      invalidBody('1 to 1000'),
    ],
    [
      'an unknown member',
      'POST',
      '/v1/events/batch',
      batch({ events: [event], x: 1 }),
      invalidBody('x is not known'),
    ],
    [
      'a body beyond 4 MiB',
      'POST',
      '/v1/events/batch',
      batch(' '.repeat(4 * 1024 * 1024 + 1)),
      { status: 413, title: 'payload too large' },
    ],
  ]
  test.each(cases)('%s is refused', (...args) => checkCase(server, args))

  test('each bad item says what is wrong with it, and none hinders the good one', async () => {
    const items = [
      event,
      { ...event, topic: '' },
      { ...event, idempotencyKey: 'x' },
      'text',
      { topic: 'a' },
      { ...event, idempotency_key: 1 },
      { ...event, payload: 'x'.repeat(262_143) },
    ]
    const answer = await server.call('POST', '/v1/events/batch', { body: { events: items } })
    expect(answer.status).toBe(200)
    expect(answer.json.items).toMatchObject([
      { status: 202, delivery_ids: [], replayed: false },
      { status: 400, detail: 'events[1]: topic and payload are required' },
      {
        status: 400,
        detail: expect.stringContaining('events[2].idempotencyKey is not known; allowed: topic'),
      },
      { status: 400, detail: 'events[3] must be an object' },
      { status: 400, detail: 'events[4]: topic and payload are required' },
      { status: 400, detail: 'events[5].idempotency_key must be a string' },
      { status: 413, title: 'payload too large' },
    ])
  })
})

describe('paths and queries', () => {
  const badQuery = (detail: string | RegExp): ExpectedProblem => ({
    status: 400,
    title: 'invalid request',
    detail,
  })
  const missing = (title: string): ExpectedProblem => ({ status: 404, title })
  const cases: readonly Case[] = [
    ['an unknown path', 'GET', '/v2/events', {}, { status: 404, title: 'not found', detail: '/v2/events' }],
    ['an unknown path with a broken body', 'POST', '/nope', { body: '{' }, { status: 404 }],
    ['another case', 'GET', '/V1/events', {}, { status: 404 }],
    ['a path out of the tree', 'GET', '/docs/static/..%2f..%2fpackage.json', {}, { status: 404 }],
    ['a broken escape', 'GET', '/v1/events/%E0%A4%A', {}, badQuery('percent escape')],
    ['a very long part', 'GET', `/v1/events/${'x'.repeat(801)}`, {}, { status: 414, title: 'uri too long' }],
    [
      'PUT of events',
      'PUT',
      '/v1/events',
      { body: event },
      { status: 405, detail: 'takes GET, HEAD, POST, not PUT' },
    ],
    [
      'DELETE of an event',
      'DELETE',
      `/v1/events/${unknownId}`,
      {},
      { status: 405, detail: 'takes GET, HEAD' },
    ],
    [
      'an unknown event',
      'GET',
      `/v1/events/${unknownId}`,
      {},
      { ...missing('event not found'), detail: 'no event with that id' },
    ],
    ['a ULID as event id', 'GET', '/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAV', {}, missing('event not found')],
    [
      'an endpoint id as event id',
      'GET',
      '/v1/events/ep_01arz3ndektsv4rrffq69g5fav',
      {},
      missing('event not found'),
    ],
    ['an id with a null byte', 'GET', '/v1/events/evt_%00', {}, missing('event not found')],
    ['an id with SQL', 'GET', "/v1/deliveries/dlv_'%20or%201=1--", {}, missing('delivery not found')],
    [
      'the payload of an unknown event',
      'GET',
      `/v1/events/${unknownId}/payload`,
      {},
      missing('event not found'),
    ],
    [
      'an unknown endpoint',
      'GET',
      '/v1/endpoints/ep_01arz3ndektsv4rrffq69g5fav',
      {},
      missing('endpoint not found'),
    ],
    [
      'change of an unknown endpoint',
      'PATCH',
      '/v1/endpoints/x',
      { body: {} },
      missing('endpoint not found'),
    ],
    ['deletion of an unknown endpoint', 'DELETE', '/v1/endpoints/x', {}, missing('endpoint not found')],
    [
      'a new secret for an unknown endpoint',
      'POST',
      '/v1/endpoints/x/rotate-secret',
      {},
      missing('endpoint not found'),
    ],
    ['an unknown subscription', 'GET', '/v1/subscriptions/x', {}, missing('subscription not found')],
    ['replay of an unknown delivery', 'POST', '/v1/dlq/x/replay', {}, missing('delivery not found')],
    ['an unknown key', 'DELETE', '/v1/keys/x', {}, missing('key not found')],
    ['a limit of 0', 'GET', '/v1/events?limit=0', {}, badQuery('limit must be from 1 to 200')],
    ['a limit of 201', 'GET', '/v1/deliveries?limit=201', {}, badQuery('limit must be from 1 to 200')],
    ['a limit of 1e2', 'GET', '/v1/dlq?limit=1e2', {}, badQuery('limit must be an integer')],
    ['an empty limit', 'GET', '/v1/keys?limit=', {}, badQuery('limit must be an integer')],
    ['two limits', 'GET', '/v1/endpoints?limit=1&limit=2', {}, badQuery('limit is given more than once')],
    ['a made-up cursor', 'GET', '/v1/deliveries?cursor=abc', {}, { status: 400, title: 'bad cursor' }],
    [
      'a cursor beside the uid of endpoints',
      'GET',
      '/v1/endpoints?uid=a&cursor=AAAAAAAAAAAAAAAAAAAAAA',
      {},
      { status: 400, title: 'bad cursor' },
    ],
    [
      'a cursor beside the uid of tenants',
      'GET',
      '/v1/tenants?uid=a&cursor=AAAAAAAAAAAAAAAAAAAAAA',
      {},
      { status: 400, title: 'bad cursor' },
    ],
    [
      'a cursor of control characters',
      'GET',
      '/v1/endpoints?cursor=%00%ff',
      {},
      { status: 400, title: 'bad cursor' },
    ],
    ['an unknown state', 'GET', '/v1/deliveries?state=dead', {}, badQuery('state must be "pending"')],
    [
      'an unknown filter',
      'GET',
      '/v1/deliveries?status=dead',
      {},
      badQuery('status is not known; allowed: limit'),
    ],
    [
      'a filter by no id',
      'GET',
      '/v1/deliveries?endpoint_id=5',
      {},
      badQuery('endpoint_id must be an id that begins with "ep_"'),
    ],
    ...['/v1/events', '/v1/deliveries', '/v1/dlq'].map(
      (path) =>
        [
          `a time that ends before it begins, of ${path}`,
          'GET',
          `${path}?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z`,
          {},
          badQuery('since must be before until'),
        ] as const,
    ),
    ['a day as time', 'GET', '/v1/dlq?since=2026-01-01', {}, badQuery('since must be an RFC 3339 time')],
    [
      'a day that does not exist',
      'GET',
      '/v1/events?until=2026-02-30T00:00:00Z',
      {},
      badQuery('until must be'),
    ],
    [
      'a flag that is no boolean',
      'GET',
      '/v1/endpoints?include_deleted=1',
      {},
      badQuery('include_deleted must be a boolean'),
    ],
  ]
  test.each(cases)('%s is refused', (...args) => checkCase(server, args))
})
