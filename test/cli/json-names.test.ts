/** What `--json` prints is the API's JSON, letter by letter, and people read the same names. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runToEnd } from './run-cli.ts'
import { type StubApi, startStubApi } from './stub-api.ts'

let api: StubApi
let answer: string
beforeAll(async () => {
  api = await startStubApi(() => ({ body: answer }))
})
afterAll(() => api.close())

const run = (...args: string[]) => runToEnd([...args, '--url', api.url, '--token', 'secret-token'])

/** Names of the caller's own, which look like both forms. */
const callers = '{"__proto__":"1","a_b":"2","aB":"3","eventId":"4","x-a":"5","constructor":"6"}'
const endpoint = `{"id":"ep_1","max_in_flight":2,"headers":${callers},"retry_policy":{"max_attempts":3},"new_member":{"of_it":1}}`
const tenant = `{"id":"ten_1","metadata":${callers},"settings":{"retain_events":"30d","retry_policy":{"max_attempts":3}}}`
const event = `{"id":"evt_1","event_id":"evt_1","metadata":${callers},"trace_context":null,"request":{"headers":${callers}}}`
const job = `{"id":"job_1","state":"done","filter":{"endpoint_id":"ep_1","error_class":"http_503"},"failed":0,"ended_at":"x"}`
const page = (item: string) => `{"items":[${item}],"next_cursor":"a_b"}`
/** Commands that go on behind pages that end early end with it. */
const lastPage = (item: string) => `{"items":[${item}],"next_cursor":""}`

const shown: readonly (readonly [string, string])[] = [
  ['endpoints get ep_1', endpoint],
  ['endpoints list', page(endpoint)],
  ['endpoints create https://a.example', endpoint],
  ['endpoints update ep_1 --max-in-flight 3', endpoint],
  ['endpoints pause ep_1', endpoint],
  ['endpoints resume ep_1', endpoint],
  [
    'endpoints test ep_1',
    '{"event_id":"evt_1","succeeded":true,"http_status":200,"response":{"headers":[]}}',
  ],
  ['endpoints backfill ep_1 --since 1h --dry-run', '{"dry_run":true,"matching":1,"skipped":0}'],
  ['tenants get ten_1', tenant],
  ['tenants list', page(tenant)],
  ['tenants update ten_1 --name x', tenant],
  ['events list', lastPage(event)],
  [
    'events get evt_1',
    event.replace(
      /}$/,
      ',"deliveries":[{"id":"dlv_1","delivery_id":"dlv_1","reason":null}],"next_cursor":""}',
    ),
  ],
  ['deliveries list', lastPage('{"id":"dlv_1","next_attempt_at":null}')],
  ['deliveries get dlv_1', '{"id":"dlv_1","error_class":null,"attempts":[{"attempt_no":1}]}'],
  ['deliveries skip dlv_1', '{"delivery_id":"dlv_1","next_head_delivery_id":null}'],
  ['deliveries cancel dlv_1', '{"delivery_id":"dlv_1","state":"cancelled"}'],
  ['dlq list', lastPage('{"delivery_id":"dlv_1","final_error":"http_503"}')],
  ['dlq replay --all', job],
  ['jobs show job_1', job],
  ['keys list', page('{"id":"key_1","rate_limit_rps":null}')],
  ['keys create a', '{"id":"key_1","expires_at":null,"key":"hk_1"}'],
  ['admin-tokens list', page('{"id":"adm_1","last_used_at":null}')],
  ['stats trouble', '{"read_at":"a","items":[{"endpoint_id":"ep_1","recent_latency_ms":{"p50":1,"p99":2}}]}'],
  ['ordered-keys list', page('{"ordering_key":"a_b","head_state":"in_flight"}')],
  ['subscriptions get sub_1', '{"id":"sub_1","topic_patterns":["a_b"],"retry_policy":{"max_attempts":3}}'],
  ['publish a.b 1', '{"id":"evt_1","event_id":"evt_1","delivery_ids":["dlv_1"],"replayed":false}'],
  ['send https://a.example 1', '{"id":"dlv_1","delivery_id":"dlv_1","event_id":"evt_1","replayed":false}'],
]

test.each(shown)('outhook %s --json prints the answer with the names of the API', async (command, text) => {
  answer = text
  const { code, out } = await run(...command.split(' '), '--json')
  expect([code, out]).toEqual([0, JSON.stringify(JSON.parse(text), null, 2)])
})

test('people read the names of the API too, in tables as well', async () => {
  answer = endpoint
  const { out } = await run('endpoints', 'get', 'ep_1')
  const lines = out.split('\n').map((line) => line.split(/ {2,}/))
  expect(Object.fromEntries(lines.map(([name, value]) => [name, value]))).toMatchObject({
    max_in_flight: '2',
    headers: callers,
    retry_policy: '{"max_attempts":3}',
  })
  answer = page('{"id":"sub_1","retry_policy":{"max_attempts":3},"topic_patterns":[]}')
  expect((await run('subscriptions', 'list')).out).toContain('{"max_attempts":3}')
})

test('what is given keeps its names: headers, metadata, and a policy as it is written', async () => {
  answer = '{}'
  await run('endpoints', 'create', 'https://a.example', '--header', 'a_b: 1', '--header', 'aB: 2')
  await run('tenants', 'create', '--meta', 'aB=1', '--retry-policy', '{"max_attempts":2,"retry_on":["5xx"]}')
  expect(api.requests.slice(-2).map(({ body }) => body)).toEqual([
    '{"url":"https://a.example","headers":{"a_b":"1","aB":"2"}}',
    '{"metadata":{"aB":"1"},"settings":{"retry_policy":{"max_attempts":2,"retry_on":["5xx"]}}}',
  ])
})
