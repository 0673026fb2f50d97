import { beforeAll, describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../src/core/errors.ts'
import { defaultTenantId, type KeyAbility } from '../../src/core/model.ts'
import { startReceiver } from '../../src/testing/receiver.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { aServer, type CallOptions, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

let server: TestServer
const closers: (() => unknown)[] = []
beforeAll(async () => {
  server = await aServer({
    dispatch: true,
    config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'] },
    closeWith: (close) => closers.push(close),
  })
  return () => Promise.all(closers.map((close) => close()))
})

const send = (body: unknown, options: Omit<CallOptions, 'body'> = {}) =>
  server.call('POST', '/v1/deliveries', { ...options, body })
const nowhere = { url: 'http://127.0.0.1:1/', delay: '1h' }
const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

async function settled(id: string, state = 'succeeded') {
  const get = async () => (await server.call('GET', `/v1/deliveries/${id}`)).json
  await expect.poll(async () => (await get()).state).toBe(state)
  return get()
}

test('POST /v1/deliveries makes one delivery of exactly the bytes of its payload', async () => {
  const receiver = await aReceiver()
  const { status, json } = await send(
    `{"payload": {"b":1, "a":12345678901234567890 }, "url":"${receiver.url}/x", "method":"PATCH",
      "headers":{"X-A":"1"}, "metadata":{"run":"7"}, "retry":"dograh", "timeout":"5s"}`,
  )
  expect(status).toBe(202)
  expect(json).toEqual({ id: json.id, delivery_id: json.id, event_id: expect.stringMatching(/^evt_/) })
  expect(await settled(json.id)).toMatchObject({
    topic: null,
    endpoint_id: null,
    subscription_id: null,
    event_id: json.event_id,
  })
  const [request] = receiver.received
  expect(request).toMatchObject({ method: 'PATCH', path: '/x', deliveryId: json.id })
  expect(textOf(request?.body)).toBe('{"b":1, "a":12345678901234567890 }')
  expect(request?.headers).toMatchObject({ 'x-a': '1', 'outhook-meta-run': '7' })
  const event = (await server.call('GET', `/v1/events/${json.event_id}`)).json
  expect(event).toMatchObject({
    topic: null,
    metadata: { run: '7' },
    request: {
      url: `${receiver.url}/x`,
      method: 'PATCH',
      headers: { 'content-type': 'application/json', 'x-a': '1' },
      timeout: '5s',
      retry: { max_attempts: 5, base: '30s', cap: '10m' },
    },
    deliveries: [{ id: json.id, attempts: [{ http_status: 200 }] }],
  })
  const listed = (await server.call('GET', '/v1/events')).json.items
  expect(listed).toContainEqual(expect.objectContaining({ id: json.event_id, topic: null }))
})

test('a body of another type is sent as it is, given as text or base64, and read back as bytes', async () => {
  const receiver = await aReceiver()
  const text = await send({
    url: receiver.url,
    body: 'a=1&b=ü',
    content_type: 'application/x-www-form-urlencoded',
  })
  await settled(text.json.id)
  const bytes = Buffer.from([0, 255, 10])
  const raw = { body: bytes.toString('base64'), encoding: 'base64', content_type: 'application/octet-stream' }
  await settled((await send({ url: receiver.url, ...raw })).json.id)
  const [first, second] = receiver.received
  expect(textOf(first?.body)).toBe('a=1&b=ü')
  expect(first?.headers['content-type']).toBe('application/x-www-form-urlencoded')
  expect(Buffer.from(second?.body ?? [])).toEqual(bytes)
  const payload = await server.call('GET', `/v1/events/${text.json.event_id}/payload`)
  expect(payload.text).toBe('a=1&b=ü')
  // Whoever opens it in a browser gets a file, not a page.
  expect(payload.headers.get('content-type')).toBe('application/octet-stream')
})

describe('an idempotency key', () => {
  test('as a header or a member gives the first answer again, marked, and makes no second row', async () => {
    const receiver = await startReceiver()
    closers.push(() => receiver.close())
    const body = { url: receiver.url, payload: { n: 1 } }
    const headers = { 'idempotency-key': 'run-7:node-2' }
    const first = await send(body, { headers })
    const again = await send({ ...body, idempotency_key: 'run-7:node-2' })
    expect(again).toMatchObject({ status: 202, json: first.json })
    expect([first, again].map(({ headers }) => headers.get('idempotent-replay'))).toEqual([null, 'true'])
    await settled(first.json.id)
    expect(receiver.received).toHaveLength(1)
    expectProblem(await send({ ...body, payload: { n: 2 } }, { headers }), {
      status: 409,
      code: 'idempotency_conflict',
    })
    expectProblem(await send({ ...body, idempotency_key: 'x' }, { headers }), {
      status: 400,
      code: 'invalid_request',
    })
  })

  test('is each producer key’s own', async () => {
    const keys = await Promise.all(['a', 'b'].map(() => aKey(['send'])))
    const ids = await Promise.all(
      keys.map(({ token }) =>
        send({ ...nowhere, idempotency_key: 'same' }, { token }).then(({ json }) => json.id),
      ),
    )
    expect(new Set(ids).size).toBe(2)
  })
})

async function aKey(abilities: readonly KeyAbility[], scopes = ['*']) {
  const { key, token } = await server.engine.apiKeys.create(defaultTenantId, {
    name: 'sender',
    abilities,
    scopes,
  })
  return { id: key.id, token }
}

describe('who may send', () => {
  test('a producer key that was given the ability, whatever its topics; it reads what it sent', async () => {
    const { id, token } = await aKey(['send'], ['orders.*'])
    const { status, json } = await send({ ...nowhere, payload: 1 }, { token })
    expect(status).toBe(202)
    const event = await server.call('GET', `/v1/events/${json.event_id}`, { token })
    expect(event).toMatchObject({ status: 200, json: { producer_key_id: id, topic: null } })
    const other = await aKey(['send'])
    expect((await server.call('GET', `/v1/events/${json.event_id}`, { token: other.token })).status).toBe(404)
  })

  test('not one that publishes, and nothing is recorded', async () => {
    const { token } = await aKey(['publish', 'read'])
    const before = (await server.call('GET', '/v1/events?limit=1')).text
    const refused = await send({ ...nowhere, payload: 1 }, { token })
    expectProblem(refused, { status: 403, code: 'forbidden' })
    expect(refused.json.detail).toContain('requires the ability send')
    expect((await server.call('GET', '/v1/events?limit=1')).text).toBe(before)
  })
})

test('a tenant’s endpoint does not exist for another one', async () => {
  const tenant = (await server.call('POST', '/v1/tenants', { body: { uid: 'sends' } })).json.id
  const made = await server.call('POST', '/v1/endpoints', {
    body: { url: 'http://127.0.0.1:1/', topics: ['x'] },
  })
  const body = { endpoint_id: made.json.id, payload: 1, delay: '1h' }
  const path = `/v1/deliveries?tenant=${tenant}`
  expectProblem(await server.call('POST', path, { body }), { status: 409, code: 'endpoint_not_available' })
  expect((await send(body)).status).toBe(202)
})

test.each<[string, unknown, number, ErrorCode, string]>([
  ['no body', undefined, 400, 'invalid_body', 'the body is empty'],
  ['a body that is no JSON', '{', 400, 'invalid_body', 'not JSON'],
  ['a list', [], 400, 'invalid_body', 'not a JSON object'],
  ['an unknown member', { ...nowhere, topic: 'a.b' }, 400, 'invalid_body', 'topic is not known'],
  ['neither place', { payload: 1 }, 422, 'unprocessable', 'give url or endpoint_id'],
  ['a URL that is no text', { url: 1 }, 400, 'invalid_body', 'url must be'],
  ['a private address', { url: 'http://10.0.0.1/' }, 422, 'url_rejected', '--allow-network'],
  [
    'a credential',
    { ...nowhere, credential_id: 'crd_1' },
    422,
    'unprocessable',
    'credential_id must be the id of a credential',
  ],
  ['another method', { ...nowhere, method: 'HEAD' }, 400, 'invalid_body', 'method must be'],
  [
    'a reserved header',
    { ...nowhere, headers: { host: 'x' } },
    422,
    'unprocessable',
    'is set by the sender itself',
  ],
  [
    'a broken header',
    { ...nowhere, headers: { 'x-a': 'a\r\nb' } },
    422,
    'unprocessable',
    'without line breaks',
  ],
  [
    'a header that is no text',
    { ...nowhere, headers: { 'x-a': 1 } },
    400,
    'invalid_body',
    'headers.x-a must be a string',
  ],
  ['payload and body', { ...nowhere, payload: 1, body: '1' }, 400, 'invalid_body', 'both given'],
  ['an encoding of nothing', { ...nowhere, encoding: 'base64' }, 400, 'invalid_body', 'leave it out'],
  [
    'a body that is no base64',
    { ...nowhere, body: '?', encoding: 'base64' },
    400,
    'invalid_body',
    'is not base64',
  ],
  ['a policy that is none', { ...nowhere, retry: 'often' }, 422, 'unprocessable', 'retry'],
  ['a timeout that is too long', { ...nowhere, timeout: '1h' }, 422, 'unprocessable', '--total-timeout 15s'],
  [
    'a type that is none',
    { ...nowhere, content_type: 'x' },
    422,
    'unprocessable',
    'content_type must be a media type',
  ],
  ['a time that is none', { url: nowhere.url, deliver_at: 'soon' }, 400, 'invalid_request', 'deliver_at'],
  ['too much', { ...nowhere, payload: 'x'.repeat(262_145) }, 413, 'payload_too_large', '256KB'],
  ['far too much', { ...nowhere, payload: 'x'.repeat(600_000) }, 413, 'payload_too_large', '256KB'],
])('refuses %s, in the words of the API', async (_what, body, status, code, detail) => {
  const refused = await send(body)
  expectProblem(refused, { status, code })
  expect(refused.json.detail).toContain(detail)
})
