import { beforeAll, describe, expect, test } from 'vitest'
import { aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const never = ['**', '*.created', 'a.*.b', 'orders*', '.*']
const advice = 'can never match; a pattern is a topic such as "orders.created", "orders.*"'

let server: TestServer
let endpointId: string
let subscriptionId: string
const closers: (() => unknown)[] = []

beforeAll(async () => {
  const config = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
  server = await aServer({ config, closeWith: (close) => closers.push(close) })
  const endpoint = { uid: 'shop', url: 'http://127.0.0.1:9/', topics: ['a'] }
  endpointId = (await server.call('POST', '/v1/endpoints', { body: endpoint })).json.id
  const subscription = { endpoint_id: endpointId, topic_patterns: ['b'] }
  subscriptionId = (await server.call('POST', '/v1/subscriptions', { body: subscription })).json.id
  return () => Promise.all(closers.map((close) => close()))
})

describe.each(never)(
  'the pattern %s, which can never match, is a 422 that says what a pattern is',
  (pattern) => {
    test.each<[string, string, () => string, object]>([
      [
        'an endpoint’s topics',
        'POST',
        () => '/v1/endpoints',
        { url: 'http://127.0.0.1:9/', topics: ['a', pattern] },
      ],
      [
        'an upsert',
        'POST',
        () => '/v1/endpoints',
        { uid: 'shop', url: 'http://127.0.0.1:9/', topics: [pattern] },
      ],
      ['a change of an endpoint', 'PATCH', () => `/v1/endpoints/${endpointId}`, { topics: [pattern] }],
      ['topic_patterns', 'POST', () => '/v1/subscriptions', { topic_patterns: [pattern] }],
      ['topic_pattern', 'POST', () => '/v1/subscriptions', { topic_pattern: pattern }],
      [
        'a change of topic_patterns',
        'PATCH',
        () => `/v1/subscriptions/${subscriptionId}`,
        { topic_patterns: [pattern] },
      ],
      [
        'a change of topic_pattern',
        'PATCH',
        () => `/v1/subscriptions/${subscriptionId}`,
        { topic_pattern: pattern },
      ],
    ])('in %s', async (_where, method, path, body) => {
      const needsEndpoint = method === 'POST' && path() === '/v1/subscriptions'
      const answer = await server.call(method, path(), {
        body: needsEndpoint ? { endpoint_id: endpointId, ...body } : body,
      })
      expectProblem(answer, { status: 422, detail: advice })
      expect((await server.call('GET', `/v1/endpoints/${endpointId}`)).json.topics).toEqual(['a'])
      const { json } = await server.call('GET', `/v1/subscriptions/${subscriptionId}`)
      expect(json.topic_patterns).toEqual(['b'])
    })
  },
)

test.each(['tp.*', '*', '**', 'a.*.b', 'a*'])(
  'the topic %s, which looks like a pattern, is a 400',
  async (topic) => {
    const body = { topic, payload: 1 }
    expectProblem(await server.call('POST', '/v1/events', { body }), {
      status: 400,
      detail: 'topic must not hold "*"',
    })
    const batch = await server.call('POST', '/v1/events/batch', { body: { events: [body] } })
    expect(batch.json.items).toMatchObject([{ status: 400, detail: expect.stringContaining('"*"') }])
  },
)
