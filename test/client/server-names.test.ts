/** Names of the client's members against a real server, beside the JSON that the server itself answers. */
import { beforeAll, expect, test } from 'vitest'
import { type Client, createClient } from '../../src/client/index.ts'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { runToEnd } from '../cli/run-cli.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { camelOf } from './named-values.ts'

let server: TestServer
let client: Client
const closers: (() => unknown)[] = []
beforeAll(async () => {
  server = await aServer({
    dispatch: true,
    config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'] },
    closeWith: (close) => closers.push(close),
  })
  client = createClient({ url: server.url, token: adminToken })
  return () => Promise.all(closers.map((close) => close()))
})

async function rawAnswer(path: string): Promise<unknown> {
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${adminToken}` } })
  return response.json()
}

/** Every name, but for those in these members. */
function inCamelCase(value: unknown, kept: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => inCamelCase(item, kept))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      camelOf(name),
      kept.includes(name) ? inner : inCamelCase(inner, kept),
    ]),
  )
}

/** Names of the caller's own, of those that the server takes. */
const callers = { a_b: '1', a__c: '2', 'x-a_d': '3' }

test('tenants, endpoints and subscriptions are made, listed and changed by names in camel case', async () => {
  const tenant = await client.tenants.create({
    uid: 'named',
    metadata: callers,
    settings: { retainEvents: '30d', retryPolicy: { maxAttempts: 2, delays: ['1s'] }, maxEndpoints: 5 },
  })
  expect(tenant).toMatchObject({ metadata: callers, settings: { retainEvents: '30d', maxEndpoints: 5 } })
  const options = { tenant: tenant.id }
  const endpoint = await client.endpoints.create(
    { url: 'http://127.0.0.1:1/', headers: callers, maxInFlight: 3, signingSchemes: ['hookrail'] },
    options,
  )
  expect(endpoint).toMatchObject({ headers: callers, maxInFlight: 3, rateLimitRps: null })
  const changed = await client.endpoints.update(endpoint.id, { rateLimitRps: 5 }, options)
  expect([changed.rateLimitRps, changed.maxInFlight]).toEqual([5, 3])
  const subscription = await client.subscriptions.create(
    { endpointId: endpoint.id, topicPatterns: ['a_b.*'], retryPolicy: { base: '1s', maxAttempts: 4 } },
    options,
  )
  const { items } = await client.subscriptions.list(
    { endpointId: endpoint.id, includeDeleted: true },
    options,
  )
  expect(items).toEqual([subscription])
  expect(subscription.retryPolicy).toMatchObject({ base: '1s', maxAttempts: 4 })
  for (const [path, shown] of [
    [`/v1/tenants/${tenant.id}`, await client.tenants.get(tenant.id)],
    ['/v1/endpoints?tenant=named', await client.endpoints.list({}, options)],
    [`/v1/subscriptions/${subscription.id}`, subscription],
  ] as const) {
    expect(shown).toEqual(inCamelCase(await rawAnswer(path), ['headers', 'metadata']))
  }
})

test('an event comes back with what its publisher made of it, and a direct send with its policy', async () => {
  const receiver = await aReceiver()
  const { eventId } = await client.sendDirect({
    url: receiver.url,
    payload: { any_name: 1, anyName: 2 },
    headers: callers,
    metadata: { 'a-b': '1' },
    retry: { maxAttempts: 2, delays: ['1s'] },
  })
  const event = await client.waitUntilDelivered(eventId)
  expect(event).toEqual(inCamelCase(await rawAnswer(`/v1/events/${eventId}`), ['headers', 'metadata']))
  expect(event.request).toMatchObject({ headers: callers, retry: { maxAttempts: 2, delays: ['1s'] } })
  expect(event.deliveries[0]?.attempts[0]).toMatchObject({ attemptNo: 1, httpStatus: 200 })
  expect(receiver.received.map(({ body }) => Buffer.from(body ?? []).toString())).toEqual([
    '{"any_name":1,"anyName":2}',
  ])
})

test.each(['tenants list', 'endpoints list --tenant named', 'events list', 'deliveries list'])(
  'outhook %s --json is what the server answers',
  async (command) => {
    const path = `/v1/${command.split(' ')[0]}${command.includes('--tenant') ? '?tenant=named' : ''}`
    const { out } = await runToEnd([
      ...command.split(' '),
      '--json',
      '--url',
      server.url,
      '--token',
      adminToken,
    ])
    expect(out).toBe(JSON.stringify(await rawAnswer(path), null, 2))
  },
)
