/** What people see on 80 columns: tables, short ids, waits, plurals, and what is said of what goes nowhere. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { counted } from '../../src/cli/counted.ts'
import { shortenId } from '../../src/cli/short-id.ts'
import { renderTable } from '../../src/cli/table.ts'
import { wrap } from '../../src/cli/wrap.ts'
import { formatWait } from '../../src/core/duration.ts'
import { noServer, runToEnd } from './run-cli.ts'
import { type StubAnswer, type StubApi, type StubRequest, startStubApi } from './stub-api.ts'

let api: StubApi
let answer: (request: StubRequest) => StubAnswer
beforeEach(async () => {
  answer = () => ({ body: { items: [], next_cursor: '' } })
  api = await startStubApi((request) => answer(request))
})
afterEach(() => api.close())

const run = (...args: string[]) => runToEnd([...args, '--url', api.url, '--token', 'secret-token'])
const id = (prefix: string, last: string) => `${prefix}_01m80y84v4fxz8pjab7can9t${last}`
const inAMonth = () => new Date(Date.now() + 30 * 86_400_000 + 3_600_000).toISOString()
const long = 'a.very.long.topic.with.many.parts.that.nobody.would.write.but.somebody.does.anyway'

const rows: Readonly<Record<string, object>> = {
  deliveries: {
    id: id('dlv', 'f7'),
    topic: long,
    state: 'retry_scheduled',
    reason: 'endpoint_disabled',
    attempt_count: 100,
    error_class: 'redirect_rejected',
    next_attempt_at: inAMonth(),
  },
  dlq: {
    delivery_id: id('dlv', 'f7'),
    endpoint_id: id('ep', 'f8'),
    topic: long,
    final_error: 'attempts_exhausted',
    attempt_count: 100,
    dead_at: '2026-01-01T00:00:00.000Z',
  },
  events: {
    id: id('evt', 'f7'),
    topic: long,
    payload_bytes: 262_144,
    created_at: '2026-01-01T00:00:00.000Z',
  },
  endpoints: {
    id: id('ep', 'f7'),
    uid: 'the-billing-system-of-the-northern-branch',
    url: `https://example.com/${long}`,
    topics: ['orders.created', 'orders.paid', long],
    subscription_count: 1,
    state: 'throttled',
    resumes_at: inAMonth(),
  },
  subscriptions: {
    id: id('sub', 'f7'),
    endpoint_id: id('ep', 'f7'),
    topic_patterns: ['orders.*', long],
    retry_policy: { max_attempts: 5, delays: ['5s', '1m'], jitter: 'none', retry_on: ['5xx'] },
    active: true,
  },
  keys: {
    id: id('key', 'f7'),
    kind: 'producer',
    name: `the checkout service of the shop in ${long}`,
    created_at: '2026-01-01T00:00:00.000Z',
    revoked_at: '2026-01-02T00:00:00.000Z',
  },
}

describe('tables', () => {
  test.each(Object.keys(rows))(
    'the table of %s fits 80 columns, with ids shortened, and --json has all',
    async (name) => {
      const page = { items: [rows[name]], next_cursor: '' }
      answer = () => ({ body: page })
      const { out, code } = await run(name, 'list')
      expect(code).toBe(0)
      const lines = out.split('\n')
      expect(lines).toHaveLength(2)
      for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(80)
      expect(lines[1]).toContain('_…7can9tf7')
      expect(JSON.parse((await run(name, 'list', '--json')).out)).toEqual(page)
    },
  )

  test('what is longest gives way first, and only where it is needed', () => {
    const columns = [
      { title: 'A', kind: 'text' as const, value: (row: { a: string }) => row.a },
      { title: 'B', kind: 'text' as const, value: () => 'short text' },
    ]
    const table = (a: string, width: number) =>
      renderTable(columns, [{ a }], { colour: false, width }).split('\n')[1]
    expect(table('one two three four', 30)).toBe('one two three four  short text')
    expect(table('one two three four', 29)).toBe('one two three fo…  short text')
    expect(table('😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀', 29)).toBe(
      '😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀…  short text',
    )
  })

  test('times are how long ago and until, in two units', () => {
    const now = Date.parse('2026-01-01T00:00:00Z')
    const at = (kind: 'age' | 'due', ms: number) =>
      renderTable([{ title: 'T', kind, value: () => new Date(now + ms).toISOString() }], [{}], {
        colour: false,
        now,
      }).split('\n')[1]
    expect(at('due', 286_000)).toBe('in 4m 46s')
    expect(at('due', -1)).toBe('now')
    expect(at('age', -7_260_000)).toBe('2h 1m ago')
  })
})

test.each([
  [0, '0ms'],
  [480, '480ms'],
  [999.6, '1000ms'],
  [1000, '1s'],
  [59_400, '59s'],
  [59_700, '1m'],
  [286_000, '4m 46s'],
  [7_200_000, '2h'],
  [7_205_000, '2h'],
  [7_260_000, '2h 1m'],
  [90_000_000, '1d 1h'],
])('a wait of %d ms is %s', (ms, text) => {
  expect(formatWait(ms)).toBe(text)
})

test.each([
  [0, '0 problems'],
  [1, '1 problem'],
  [2, '2 problems'],
])('%d of a thing is "%s"', (count, text) => {
  expect(counted(count, 'problem')).toBe(text)
})

test('doctor counts one problem as one, and breaks its lines between words', async () => {
  const found = 'a finding with so many words that it does not fit a line of eighty characters at all'
  const server = {
    ...noServer,
    examineStore: async () => [
      { level: 'problem' as const, check: 'schema', found, advice: `${found}, and its advice` },
      { level: 'warning' as const, check: 'file', found: 'short', advice: null },
    ],
  }
  const { out, code } = await runToEnd(['doctor'], { server, width: 80 })
  expect(code).toBe(1)
  expect(out).toMatch(/\n1 problem, 1 warning$/)
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  expect(out.replace(/\s+/g, ' ')).toContain(`schema ${found} → ${found}, and its advice`)
})

test('text is broken between words only, and a word that is longer stands whole', () => {
  expect(wrap('aaa bbb ccc', { width: 7, indent: 2 })).toBe('aaa bbb\n  ccc')
  expect(wrap('aaaaaaaaaaaa b', { width: 5 })).toBe('aaaaaaaaaaaa\nb')
  expect(wrap('  0  done', { width: 80 })).toBe('  0  done')
})

describe('short ids', () => {
  test('only whole ids are shortened', () => {
    expect(shortenId(id('dlv', 'f7'))).toBe('dlv_…7can9tf7')
    expect(shortenId('dlv_1')).toBe('dlv_1')
  })

  const page = (...ids: string[]) => ({ body: { items: ids.map((one) => ({ id: one })), next_cursor: '' } })

  test.each([
    [['deliveries', 'get', 'dlv_…7can9tf7'], '/v1/deliveries', '/v1/deliveries/', 'dlv'],
    [['dlq', 'replay', 'dlv_...7can9tf7'], '/v1/deliveries', '/v1/dlq/', 'dlv'],
    [['events', 'get', 'evt_…7can9tf7'], '/v1/events', '/v1/events/', 'evt'],
    [['endpoints', 'delete', 'ep_…7can9tf7'], '/v1/endpoints', '/v1/endpoints/', 'ep'],
    [['subscriptions', 'get', 'sub_…7can9tf7'], '/v1/subscriptions', '/v1/subscriptions/', 'sub'],
    [['keys', 'revoke', 'key_…7can9tf7'], '/v1/keys', '/v1/keys/', 'key'],
  ])('%j takes the id as tables show it', async (args, list, target, prefix) => {
    answer = ({ url }) =>
      url.startsWith(`${list}?`)
        ? page(id(prefix, 'f8'), id(prefix, 'f7'))
        : {
            body: { id: 'x', attempts: [], deliveries: [], next_cursor: '', state: 'fanned_out', topic: 'a' },
          }
    expect((await run(...args)).code).toBe(0)
    expect(api.requests.map(({ url }) => url.replace('/replay', ''))).toEqual([
      expect.stringContaining(`${list}?limit=200`),
      `${target}${id(prefix, 'f7')}`,
    ])
  })

  test('one that fits several, and one that fits none, are exit code 3 and say what to do', async () => {
    const [one, other] = [id('dlv', 'f7'), id('dlv', 'f7').replace('01m8', '01m9')]
    answer = () => page(one, other)
    const several = await run('deliveries', 'get', 'dlv_…7can9tf7')
    expect([several.code, several.err]).toEqual([
      3,
      expect.stringContaining(`may be any of ${one}, ${other}; give the whole id`),
    ])
    answer = () => page()
    const none = await run('deliveries', 'get', 'dlv_…7can9tf7')
    expect([none.code, none.err]).toEqual([
      3,
      expect.stringContaining('nothing among the newest 2000 is called'),
    ])
  })
})

describe('endpoints by uid', () => {
  beforeEach(() => {
    answer = ({ url }) =>
      url === '/v1/endpoints?uid=billing'
        ? { body: { items: [{ id: 'ep_1' }], next_cursor: '' } }
        : { body: { id: 'ep_1', items: [], next_cursor: '' } }
  })

  test.each([
    [['endpoints', 'get', 'billing'], 'GET', '/v1/endpoints/ep_1'],
    [['endpoints', 'update', 'billing', '--max-in-flight', '2'], 'PATCH', '/v1/endpoints/ep_1'],
    [['endpoints', 'disable', 'billing'], 'PATCH', '/v1/endpoints/ep_1'],
    [['endpoints', 'delete', 'billing'], 'DELETE', '/v1/endpoints/ep_1'],
    [['endpoints', 'rotate-secret', 'billing'], 'POST', '/v1/endpoints/ep_1/rotate-secret'],
    [['subscriptions', 'list', '--endpoint', 'billing'], 'GET', '/v1/subscriptions?endpoint_id=ep_1'],
    [['subscriptions', 'create', 'billing', '--topic', 'a'], 'POST', '/v1/subscriptions'],
    [['deliveries', 'list', '--endpoint', 'billing'], 'GET', '/v1/deliveries?endpoint_id=ep_1'],
    [['dlq', 'list', '--endpoint', 'billing'], 'GET', '/v1/dlq?endpoint_id=ep_1'],
  ])('%j', async (args, method, url) => {
    expect((await run(...args)).code).toBe(0)
    expect(api.requests.at(-1)).toMatchObject({ method, url })
  })

  test('a name that nobody has is exit code 3', async () => {
    const { code, err } = await run('endpoints', 'get', 'crm')
    expect([code, err]).toEqual([3, expect.stringContaining('no endpoint has the id or uid crm')])
  })
})

describe('what goes nowhere says so', () => {
  test('an event without a receiver, when it is published and when it is looked at', async () => {
    answer = ({ method }) =>
      method === 'POST'
        ? { status: 202, body: { event_id: 'evt_1', delivery_ids: [] } }
        : { body: { id: 'evt_1', topic: 'a.b', state: 'fanned_out', deliveries: [], next_cursor: '' } }
    for (const args of [
      ['publish', 'a.b', '1'],
      ['events', 'get', 'evt_1'],
      ['publish', 'a.b', '1', '--wait'],
    ]) {
      const { out, code } = await run(...args)
      expect(code).toBe(0)
      expect(out).toContain('No delivery: no endpoint was subscribed to a.b when it was published.')
      expect(JSON.parse((await run(...args, '--json')).out)).toBeTypeOf('object')
    }
  })

  test('an endpoint without topics, when it is made and in the list', async () => {
    const endpoint = { id: 'ep_1', uid: 'billing', topics: null, state: 'active', subscription_count: 0 }
    answer = ({ method }) =>
      method === 'POST' ? { status: 201, body: endpoint } : { body: { items: [endpoint], next_cursor: '' } }
    expect((await run('endpoints', 'create', 'https://example.com/')).out.replace(/\s+/g, ' ')).toContain(
      'It is subscribed to no topic, and gets nothing: "outhook endpoints update billing --topic',
    )
    expect((await run('endpoints', 'list')).out).toMatch(/TOPICS {2}STATE[\s\S]*none/)
  })

  test('an endpoint that is paused or disabled says so in the list, with its end or its reason', async () => {
    const until = new Date(Date.now() + 286_500).toISOString()
    const items = [
      { id: 'ep_1', topics: ['*'], subscription_count: 1, state: 'paused', resumes_at: until },
      { id: 'ep_2', topics: null, subscription_count: 2, state: 'disabled', disabled_reason: 'gone' },
    ]
    answer = () => ({ body: { items, next_cursor: '' } })
    const [, first, second] = (await run('endpoints', 'list')).out.split('\n')
    expect(first).toMatch(/paused +in 4m 4\ds$/)
    expect(second).toMatch(/2 subscriptions {2}disabled: gone +-$/)
  })
})
