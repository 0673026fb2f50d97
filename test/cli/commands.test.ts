import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeDevFile } from '../../src/cli/dev-file.ts'
import { runToEnd } from './run-cli.ts'
import type { StubAnswer, StubApi, StubRequest } from './stub-api.ts'
import { startStubApi } from './stub-api.ts'

let api: StubApi
let directory: string
let answer: (request: StubRequest) => StubAnswer

beforeEach(async () => {
  answer = () => ({ body: {} })
  api = await startStubApi((request) => answer(request))
  directory = mkdtempSync(join(tmpdir(), 'outhook-cli-'))
})
afterEach(async () => {
  await api.close()
  rmSync(directory, { recursive: true })
})

const run = (...args: string[]) => runToEnd([...args, '--url', api.url, '--token', 'secret-token'])

const delivery = {
  id: 'dlv_1',
  event_id: 'evt_1',
  endpoint_id: 'ep_1',
  topic: 'orders.created',
  state: 'succeeded',
  reason: null,
  attempt_count: 2,
  next_attempt_at: null,
  last_http_status: 200,
  error_class: null,
}

describe('what a command asks the server', () => {
  const cases: readonly [args: string[], method: string, url: string, body?: unknown][] = [
    [
      ['events', 'list', '--topic', 'a.b', '--limit', '2', '--since', '2026-01-01T00:00:00Z'],
      'GET',
      '/v1/events?limit=2&topic=a.b&since=2026-01-01T00%3A00%3A00.000Z',
    ],
    [['endpoints', 'list', '--cursor', 'abc'], 'GET', '/v1/endpoints?cursor=abc'],
    [['endpoints', 'get', 'ep_b?c/d'], 'GET', '/v1/endpoints/ep_b%3Fc%2Fd'],
    [['endpoints', 'get', 'ep_1', '--include-deleted'], 'GET', '/v1/endpoints/ep_1?include_deleted=true'],
    [['endpoints', 'list', '--uid', 'billing'], 'GET', '/v1/endpoints?uid=billing'],
    [
      ['endpoints', 'create', 'https://x.test/hook', '--topic', 'a.*', '--topic', 'b', '--header', 'x-a: 1'],
      'POST',
      '/v1/endpoints',
      { url: 'https://x.test/hook', topics: ['a.*', 'b'], headers: { 'x-a': '1' } },
    ],
    [
      ['endpoints', 'create', 'https://x.test/', 'https://y.test/', '--fail-over', '--method', 'PUT'],
      'POST',
      '/v1/endpoints',
      { urls: ['https://x.test/', 'https://y.test/'], fail_over: true, method: 'PUT' },
    ],
    [
      ['endpoints', 'upsert', 'billing', 'https://x.test/', 'https://y.test/', '--timeout', '45s'],
      'POST',
      '/v1/endpoints',
      { uid: 'billing', urls: ['https://x.test/', 'https://y.test/'], timeout: 45_000 },
    ],
    [
      ['endpoints', 'update', 'ep_1', '--to', 'https://y.test/', '--to', 'https://z.test/', '--no-fail-over'],
      'PATCH',
      '/v1/endpoints/ep_1',
      { urls: ['https://y.test/', 'https://z.test/'], fail_over: false },
    ],
    [
      ['endpoints', 'update', 'ep_1', '--content-type', 'default', '--timeout', 'default'],
      'PATCH',
      '/v1/endpoints/ep_1',
      { content_type: null, timeout: null },
    ],
    [
      ['endpoints', 'update', 'ep_1', '--content-type', 'application/cloudevents+json'],
      'PATCH',
      '/v1/endpoints/ep_1',
      { content_type: 'application/cloudevents+json' },
    ],
    [
      ['subscriptions', 'create', 'ep_1', '--topic', 'a', '--header', 'x-a: 1', '--header', 'X-B:2'],
      'POST',
      '/v1/subscriptions',
      { endpoint_id: 'ep_1', topic_patterns: ['a'], headers: { 'x-a': '1', 'X-B': '2' } },
    ],
    [
      ['endpoints', 'create', 'https://x.test/', '--kind', 'slack', '--settings', '{"template":"{{id}}"}'],
      'POST',
      '/v1/endpoints',
      { url: 'https://x.test/', kind: 'slack', settings: { template: '{{id}}' } },
    ],
    [
      ['endpoints', 'update', 'ep_1', '--settings', 'none'],
      'PATCH',
      '/v1/endpoints/ep_1',
      { settings: null },
    ],
    [
      ['endpoints', 'upsert', 'billing', 'https://x.test/', '--max-in-flight', '3'],
      'POST',
      '/v1/endpoints',
      { uid: 'billing', url: 'https://x.test/', max_in_flight: 3 },
    ],
    [
      ['endpoints', 'update', 'ep_1', '--rate-limit', '0.5'],
      'PATCH',
      '/v1/endpoints/ep_1',
      { rate_limit_rps: 0.5 },
    ],
    [
      ['endpoints', 'upsert', 'billing', 'https://x.test/', '--rate-limit', 'none'],
      'POST',
      '/v1/endpoints',
      { uid: 'billing', url: 'https://x.test/', rate_limit_rps: null },
    ],
    [
      ['endpoints', 'update', 'ep_1', '--to', 'https://y.test/', '--retry-policy', '{"max_attempts":2}'],
      'PATCH',
      '/v1/endpoints/ep_1',
      { url: 'https://y.test/', retry_policy: { max_attempts: 2 } },
    ],
    [
      ['endpoints', 'update', 'ep_1', '--header', 'none', '--retry-policy', 'default'],
      'PATCH',
      '/v1/endpoints/ep_1',
      { headers: {}, retry_policy: null },
    ],
    [
      ['subscriptions', 'update', 'sub_1', '--header', 'none', '--retry-policy', 'default'],
      'PATCH',
      '/v1/subscriptions/sub_1',
      { headers: {}, retry_policy: null },
    ],
    [['endpoints', 'enable', 'ep_1'], 'POST', '/v1/endpoints/ep_1/enable', {}],
    [['endpoints', 'disable', 'ep_1'], 'PATCH', '/v1/endpoints/ep_1', { enabled: false }],
    [['endpoints', 'delete', 'ep_1'], 'DELETE', '/v1/endpoints/ep_1'],
    [
      ['endpoints', 'rotate-secret', 'ep_1', '--grace', '2h'],
      'POST',
      '/v1/endpoints/ep_1/rotate-secret',
      { grace: 7_200_000 },
    ],
    [
      ['subscriptions', 'create', 'ep_1', '--topic', 'a.*', '--retry-policy', 'hookrail'],
      'POST',
      '/v1/subscriptions',
      { endpoint_id: 'ep_1', topic_patterns: ['a.*'], retry_policy: 'hookrail' },
    ],
    [['deliveries', 'list', '--error', 'http_503'], 'GET', '/v1/deliveries?error_class=http_503'],
    [['dlq', 'list', '--error', 'timeout'], 'GET', '/v1/dlq?error_class=timeout'],
    [['subscriptions', 'list', '--endpoint', 'ep_1'], 'GET', '/v1/subscriptions?endpoint_id=ep_1'],
    [['subscriptions', 'disable', 'sub_1'], 'PATCH', '/v1/subscriptions/sub_1', { active: false }],
    [['subscriptions', 'delete', 'sub_1'], 'DELETE', '/v1/subscriptions/sub_1'],
    [
      ['deliveries', 'list', '--state', 'dead_lettered', '--event', 'evt_1'],
      'GET',
      '/v1/deliveries?state=dead_lettered&event_id=evt_1',
    ],
    [
      ['deliveries', 'list', '--endpoint-id', 'ep_1', '--subscription-id', 'sub_1', '--topic', 'a'],
      'GET',
      '/v1/deliveries?endpoint_id=ep_1&subscription_id=sub_1&topic=a',
    ],
    [
      ['deliveries', 'list', '--since', '2026-01-01T00:00:00Z', '--until', '2026-01-02T00:00:00Z'],
      'GET',
      '/v1/deliveries?since=2026-01-01T00%3A00%3A00.000Z&until=2026-01-02T00%3A00%3A00.000Z',
    ],
    [['dlq', 'list', '--endpoint', 'ep_1', '--topic', 'a'], 'GET', '/v1/dlq?endpoint_id=ep_1&topic=a'],
    [['subscriptions', 'list', '--include-deleted'], 'GET', '/v1/subscriptions?include_deleted=true'],
    [['keys', 'list', '--kind', 'admin'], 'GET', '/v1/keys?kind=admin'],
    [['dlq', 'replay', 'dlv_1'], 'POST', '/v1/dlq/dlv_1/replay'],
    [['keys', 'create', 'shop'], 'POST', '/v1/keys', { name: 'shop', kind: 'producer' }],
    [['keys', 'create', 'ops', '--admin'], 'POST', '/v1/keys', { name: 'ops', kind: 'admin' }],
    [['keys', 'revoke', 'key_1'], 'DELETE', '/v1/keys/key_1'],
    [
      [
        'keys',
        'create',
        'shop',
        '--scope',
        'a.*',
        '--scope',
        'b',
        '--ability',
        'read',
        '--rate-limit',
        '2.5',
      ],
      'POST',
      '/v1/keys',
      { name: 'shop', kind: 'producer', scopes: ['a.*', 'b'], abilities: ['read'], rate_limit_rps: 2.5 },
    ],
    [
      ['keys', 'create', 'shop', '--expires', '90d'],
      'POST',
      '/v1/keys',
      { name: 'shop', kind: 'producer', expires_in: '90d' },
    ],
    [['keys', 'get', 'key_1'], 'GET', '/v1/keys/key_1'],
    [
      ['keys', 'update', 'key_1', '--name', 'till', '--rate-limit', 'none', '--expires', 'never'],
      'PATCH',
      '/v1/keys/key_1',
      { name: 'till', rate_limit_rps: null, expires_at: null },
    ],
    [['keys', 'rotate', 'key_1', '--grace', '1h'], 'POST', '/v1/keys/key_1/rotate', { grace: 3_600_000 }],
    [
      ['admin-tokens', 'create', 'ops', '--role', 'viewer', '--expires', '2099-01-01T00:00:00Z'],
      'POST',
      '/v1/admin-tokens',
      { role: 'viewer', label: 'ops', expires_at: '2099-01-01T00:00:00Z' },
    ],
    [['admin-tokens', 'list', '--tenant', 'acme'], 'GET', '/v1/admin-tokens?tenant=acme'],
    [['admin-tokens', 'get', 'adm_1'], 'GET', '/v1/admin-tokens/adm_1'],
    [['admin-tokens', 'revoke', 'adm_1'], 'DELETE', '/v1/admin-tokens/adm_1'],
    [['endpoints', 'list', '--tenant', 'acme'], 'GET', '/v1/endpoints?tenant=acme'],
    [['deliveries', 'list', '--topic', 'a', '--tenant', 'a&b'], 'GET', '/v1/deliveries?topic=a&tenant=a%26b'],
    [['tenants', 'list', '--uid', 'acme'], 'GET', '/v1/tenants?uid=acme'],
    [['tenants', 'create', '--name', 'Acme'], 'POST', '/v1/tenants', { name: 'Acme' }],
    [
      ['tenants', 'upsert', 'acme', '--meta', 'plan=pro', '--ingest-rate', '2.5', '--max-endpoints', '3'],
      'POST',
      '/v1/tenants',
      { uid: 'acme', metadata: { plan: 'pro' }, settings: { ingest_rate: 2.5, max_endpoints: 3 } },
    ],
    [
      [
        'tenants',
        'update',
        'ten_1',
        '--retain-payloads',
        '7d',
        '--retry-policy',
        'default',
        '--max-endpoints',
        '4',
      ],
      'PATCH',
      '/v1/tenants/ten_1',
      { settings: { retain_payloads: 604_800_000, retry_policy: null, max_endpoints: 4 } },
    ],
  ]
  test.each(cases)('%j', async (args, method, url, body) => {
    answer = () =>
      args[1] === 'list' ? { body: { items: [], next_cursor: '' } } : { body: { enabled: true } }
    expect((await run(...args)).code).toBe(0)
    expect(api.requests).toHaveLength(1)
    const [request] = api.requests
    expect(request).toMatchObject({ method, url, authorization: 'Bearer secret-token' })
    expect(request?.body === '' ? undefined : JSON.parse(request?.body ?? '')).toEqual(body)
  })
})

test.each([
  ['endpoints', 'update', 'ep_1', '--description', 'moved'],
  ['endpoints', 'disable', 'ep_1'],
  ['endpoints', 'delete', 'ep_1'],
  ['subscriptions', 'update', 'sub_1', '--topic', 'a'],
  ['subscriptions', 'enable', 'sub_1'],
  ['subscriptions', 'disable', 'sub_1'],
  ['subscriptions', 'delete', 'sub_1'],
  ['tenants', 'update', 'ten_1', '--name', 'Acme'],
  ['tenants', 'delete', 'ten_1'],
  ['keys', 'update', 'key_1', '--name', 'shop'],
  ['keys', 'revoke', 'key_1'],
  ['admin-tokens', 'revoke', 'adm_1'],
])('%s %s makes its change only of the version that --if-match names', async (...args) => {
  const detail = 'somebody has changed it meanwhile, so nothing was done'
  const problem = { status: 412, code: 'version_conflict', title: 'changed meanwhile', detail }
  answer = () => ({ status: 412, body: problem })
  const { code, err } = await run(...args, '--if-match', 'v1')
  expect(api.requests.at(-1)?.headers['if-match']).toBe('"v1"')
  expect(code).toBe(1)
  expect(err).toContain(detail)
  await run(...args)
  expect(api.requests.at(-1)?.headers).not.toHaveProperty('if-match')
})

describe('publish', () => {
  beforeEach(() => {
    answer = () => ({ status: 202, body: { id: 'evt_1', event_id: 'evt_1', delivery_ids: ['dlv_1'] } })
  })

  test('sends the payload byte for byte', async () => {
    const payload = '{"b": 1.0,  "a":12345678901234567890, "a":"\\u00e9" }'
    expect((await run('publish', 'orders.created', payload)).code).toBe(0)
    expect(api.requests[0]?.body).toBe(`{"topic":"orders.created","payload":${payload}}`)
  })

  test('reads the payload from standard input and from a file', async () => {
    const path = join(directory, 'payload.json')
    writeFileSync(path, '[1]')
    await runToEnd(['publish', 't', '--url', api.url], { input: '[2]' })
    await runToEnd(['publish', 't', '--file', path, '--url', api.url])
    expect(api.requests.map(({ body }) => JSON.parse(body).payload)).toEqual([[2], [1]])
  })

  test('sends keys, of any script, and metadata beside the payload', async () => {
    await run('publish', 't', '1', '--idempotency-key', 'ключ', '--ordering-key', 'o1', '--meta', 'a=b=c')
    expect(JSON.parse(api.requests[0]?.body ?? '')).toEqual({
      topic: 't',
      metadata: { a: 'b=c' },
      idempotency_key: 'ключ',
      ordering_key: 'o1',
      payload: 1,
    })
  })

  test('with --wait asks until every delivery is at an end', async () => {
    const states = ['in_flight', 'in_flight', 'succeeded']
    answer = ({ method }) =>
      method === 'POST'
        ? { status: 202, body: { event_id: 'evt_1', delivery_ids: ['dlv_1'] } }
        : {
            body: {
              id: 'evt_1',
              state: 'fanned_out',
              deliveries: [{ ...delivery, state: states.shift() }],
              next_cursor: '',
            },
          }
    const { code, out } = await run('publish', 't', '1', '--wait')
    expect(code).toBe(0)
    expect(out).toContain('succeeded')
    expect(states).toEqual([])
  })

  test('says that the deliveries of an event for many are still being made', async () => {
    answer = () => ({
      status: 202,
      body: { id: 'evt_1', event_id: 'evt_1', delivery_ids: [], state: 'accepted' },
    })
    const { code, out } = await run('publish', 't', '1')
    expect(code).toBe(0)
    expect(out).toContain('accepted')
    expect(out).toContain('Its deliveries are being made just now')
    expect(out).not.toContain('No delivery')
  })

  test('with --wait goes through all pages of an event, and names how many did not succeed', async () => {
    const pageOf = (state: string, nextCursor: string, eventState = 'fanned_out') => ({
      body: { id: 'evt_1', state: eventState, deliveries: [{ ...delivery, state }], next_cursor: nextCursor },
    })
    const pages = [
      pageOf('in_flight', 'second', 'accepted'),
      pageOf('succeeded', 'second', 'accepted'),
      pageOf('succeeded', '', 'accepted'),
      pageOf('dead_lettered', ''),
    ]
    answer = ({ method }) =>
      method === 'POST'
        ? { status: 202, body: { event_id: 'evt_1', delivery_ids: [], state: 'accepted' } }
        : (pages.shift() ?? pageOf('dead_lettered', ''))
    const { code, err } = await run('publish', 't', '1', '--wait', '10s')
    expect(api.requests.slice(1).map(({ url }) => url)).toEqual([
      '/v1/events/evt_1',
      '/v1/events/evt_1',
      '/v1/events/evt_1?cursor=second',
      '/v1/events/evt_1?cursor=second',
    ])
    expect(code).toBe(1)
    expect(err).toBe('outhook: 1 of 2 deliveries did not succeed: dead_lettered')
  })

  test('with --wait fails when a delivery was given up', async () => {
    answer = ({ method }) =>
      method === 'POST'
        ? { status: 202, body: { event_id: 'evt_1', delivery_ids: ['dlv_1'] } }
        : {
            body: {
              id: 'evt_1',
              state: 'fanned_out',
              deliveries: [{ ...delivery, state: 'dead_lettered' }],
              next_cursor: '',
            },
          }
    const { code, err } = await run('publish', 't', '1', '--wait', '10s')
    expect(code).toBe(1)
    expect(err).toBe('outhook: 1 of 1 delivery did not succeed: dead_lettered')
  })
})

describe('what is printed', () => {
  test('a list is a table for people', async () => {
    answer = () => ({ body: { items: [delivery], next_cursor: 'next-page' } })
    const { out, err } = await run('deliveries', 'list', '--limit', '1')
    expect(out.split('\n')).toEqual([
      'DELIVERY  TOPIC           STATE      TRIES  LAST  NEXT  WAITS FOR',
      'dlv_1     orders.created  succeeded  2      200   -     -',
    ])
    expect(err).toBe('there are more: --cursor next-page')
  })

  test('a list is the page as it came with --json, and nothing else', async () => {
    const page = { items: [delivery], next_cursor: 'next-page' }
    answer = () => ({ body: page })
    const { out, err } = await run('deliveries', 'list', '--limit', '1', '--json')
    expect(JSON.parse(out)).toEqual(page)
    expect(err).toBe('')
  })

  test.each([
    ['events', { id: 'evt_1' }],
    ['deliveries', delivery],
    ['dlq', { delivery_id: 'dlv_1' }],
  ])(
    '%s list goes on where pages end early, also without an item, until it has as many as asked for',
    async (resource, item) => {
      const pages: Record<string, object> = {
        '': { items: [], next_cursor: 'a' },
        a: { items: [item], next_cursor: 'b' },
        b: { items: [], next_cursor: 'c' },
        c: { items: [item], next_cursor: 'd' },
      }
      answer = ({ url }) => ({ body: pages[/cursor=(\w)/.exec(url)?.[1] ?? ''] })
      const { out } = await run(resource, 'list', '--limit', '2', '--topic', 'rare', '--json')
      expect(JSON.parse(out)).toEqual({ items: [item, item], next_cursor: 'd' })
      const asked = api.requests.slice(-4).map(({ url }) => url.replace(/^[^?]*\?/, ''))
      expect(asked).toEqual([
        'limit=2&topic=rare',
        'limit=2&cursor=a&topic=rare',
        'limit=1&cursor=b&topic=rare',
        'limit=1&cursor=c&topic=rare',
      ])
    },
  )

  test('a list of which nothing matches says so once the last page is read', async () => {
    answer = ({ url }) => ({ body: { items: [], next_cursor: url.includes('cursor=') ? '' : 'a' } })
    expect((await run('deliveries', 'list', '--topic', 'rare')).out).toBe('none')
  })

  test('a new key is shown with the advice to keep it, and as plain JSON with --json', async () => {
    answer = () => ({ status: 201, body: { id: 'key_1', kind: 'producer', name: 'shop', key: 'hk_abc' } })
    expect((await run('keys', 'create', 'shop')).out).toMatch(/key {3}hk_abc[\s\S]*not shown again/)
    expect(JSON.parse((await run('keys', 'create', 'shop', '--json')).out).key).toBe('hk_abc')
  })

  test('the payload of an event is its exact bytes', async () => {
    const bytes = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])
    answer = () => ({ body: bytes })
    expect((await run('events', 'payload', 'evt_1')).bytes).toEqual(bytes)
  })

  test('what a receiver answered cannot move the cursor', async () => {
    const hostile = { ...delivery, error_class: '\u001b[2Jgone\nfake row' }
    answer = () => ({ body: { items: [hostile], next_cursor: '' } })
    const { out } = await run('deliveries', 'list')
    expect(out).not.toContain('\u001b')
    expect(out.split('\n')).toHaveLength(2)
  })
})

describe('which server and which token', () => {
  const page = { body: { items: [], next_cursor: '' } }

  test('a flag wins over the environment', async () => {
    answer = () => page
    const env = { OUTHOOK_URL: 'http://127.0.0.1:1', OUTHOOK_TOKEN: 'from-env' }
    await runToEnd(['events', 'list', '--url', api.url, '--token', 'from-flag'], { env })
    expect(api.requests[0]?.authorization).toBe('Bearer from-flag')
  })

  test('the environment wins over dev.json', async () => {
    answer = () => page
    writeDevFile(directory, { url: 'http://127.0.0.1:1', adminToken: 'from-dev', producerKey: 'hk_1' })
    const env = { OUTHOOK_URL: api.url, OUTHOOK_TOKEN: 'from-env', OUTHOOK_DATA_DIR: directory }
    await runToEnd(['events', 'list'], { env })
    expect(api.requests[0]?.authorization).toBe('Bearer from-env')
  })

  test('dev.json is taken when nothing else is given', async () => {
    answer = () => page
    writeDevFile(directory, { url: api.url, adminToken: 'from-dev', producerKey: 'hk_1' })
    expect((await runToEnd(['events', 'list', '--data-dir', directory])).code).toBe(0)
    expect(api.requests[0]?.authorization).toBe('Bearer from-dev')
  })

  test('the token of dev.json goes to no other server', async () => {
    answer = () => page
    writeDevFile(directory, { url: 'http://127.0.0.1:1', adminToken: 'from-dev', producerKey: 'hk_1' })
    await runToEnd(['events', 'list', '--data-dir', directory, '--url', api.url])
    expect(api.requests[0]?.authorization).toBeUndefined()
  })

  test('redirects are not followed with the token', async () => {
    answer = () => ({ status: 302, headers: { location: `${api.url}/elsewhere` } })
    expect((await run('events', 'list')).code).not.toBe(0)
    expect(api.requests).toHaveLength(1)
  })
})
