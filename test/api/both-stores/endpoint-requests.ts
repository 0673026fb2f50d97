/** What requests to an endpoint are like: method, headers, content type, timeout. */
import { expect, test } from 'vitest'
import { atOnce } from './outcomes.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

const media = 'application/cloudevents+json; charset=utf-8'

const secretNames = [
  ...['Authorization', 'X-Auth', 'X-Auth-Token', 'x-access-token', 'X-Webhook-Secret', 'client_secret'],
  ...['X-Password', 'x-passwd', 'Cookie', 'Set-Cookie', 'X-Credential', 'X-Api-Key', 'apikey', 'X_API_KEY'],
  'X-Access-Key',
]
const reservedNames = [
  ...['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Keep-Alive', 'Upgrade', 'TE', 'Trailer'],
  ...['HTTP2-Settings', 'Expect', 'Proxy-Connection', 'Proxy-Authenticate', 'outhook-attempt', 'webhook-id'],
]
const controls = [...Array.from({ length: 32 }, (_, code) => code), 127, 128, 133, 159, 0x2028]

export function describeEndpointRequests(scene: SendingScene): void {
  test.each(['POST', 'PUT', 'PATCH'])('S3.10 an endpoint of the method %s gets the body', async (method) => {
    const { id, endpoint } = await scene.deliver(`${scene.receiver.url}/fail/1`, {
      method,
      retry_policy: atOnce,
    })
    expect(endpoint).toMatchObject({ method })
    for (const request of await scene.arrived(id, 2)) {
      expect(request).toMatchObject({ method, headers: { 'content-type': 'application/json' } })
      expect(Buffer.from(request.body).toString()).toBe('{"id":1}')
    }
  })

  test.each(['GET', 'DELETE'])(
    'S3.10 an endpoint of the method %s gets no body and no type of it, and a signature over nothing',
    async (method) => {
      const settings = { method, signing_schemes: ['github'], headers: { 'x-a': 'b' } }
      const { id } = await scene.deliver(`${scene.receiver.url}/hook`, settings)
      const [request] = await scene.arrived(id)
      expect(request).toMatchObject({ method, headers: { 'x-a': 'b' } })
      expect(request?.body).toHaveLength(0)
      expect(request?.headers).not.toHaveProperty('content-type')
      expect(request?.headers).toHaveProperty('x-hub-signature-256')
    },
  )

  test('an endpoint’s method is changed, and is that of direct sends to it that name none', async () => {
    const { endpoint } = await scene.deliver(`${scene.receiver.url}/hook`, { method: 'PUT', timeout: '45s' })
    const send = async (more: object) => {
      const body = { endpoint_id: endpoint.id, payload: 1, ...more }
      const { json } = await scene.server.call('POST', '/v1/deliveries', { body })
      const [request] = await scene.arrived(json.delivery_id)
      const kept = (await scene.server.call('GET', `/v1/events/${json.event_id}`)).json.request
      return [request?.method, kept.method, kept.timeout]
    }
    expect(await send({})).toEqual(['PUT', 'PUT', '45s'])
    expect(await send({ method: 'PATCH', timeout: '2s' })).toEqual(['PATCH', 'PATCH', '2s'])
    const change = { body: { method: 'POST', timeout: null } }
    await scene.server.call('PATCH', `/v1/endpoints/${endpoint.id}`, change)
    expect(await send({})).toEqual(['POST', 'POST', null])
  })

  test('bodies have the content type that the endpoint asks for, and JSON’s where it asks for none', async () => {
    const { id, endpoint } = await scene.deliver(`${scene.receiver.url}/hook`, { content_type: media })
    expect((await scene.arrived(id))[0]?.headers['content-type']).toBe(media)
    const path = `/v1/endpoints/${endpoint.id}`
    const both = await scene.server.call('PATCH', path, { body: { headers: { 'Content-Type': 'text/x' } } })
    expect([both.status, both.json.detail]).toEqual([422, expect.stringMatching(/^content_type and headers/)])
    const changed = await scene.server.call('PATCH', path, {
      body: { content_type: null, headers: { 'Content-Type': 'text/x' } },
    })
    expect(changed.json).toMatchObject({ content_type: null, headers: { 'content-type': 'text/x' } })
    const again = await scene.server.call('PATCH', path, { body: { content_type: media } })
    expect(again.status).toBe(422)
    const send = { body: { endpoint_id: endpoint.id, payload: 1 } }
    const { json } = await scene.server.call('POST', '/v1/deliveries', send)
    expect((await scene.arrived(json.delivery_id))[0]?.headers['content-type']).toBe('text/x')
  })

  test('headers of a subscription win over those of its endpoint, on every attempt as they are then', async () => {
    const { url } = scene.receiver
    const topic = aName('headed')
    const endpoint = { url: `${url}/fail/1`, headers: { 'X-A': 'endpoint', 'x-b': 'endpoint' } }
    const made = await scene.server.call('POST', '/v1/endpoints', {
      body: { ...endpoint, content_type: media, retry_policy: { ...atOnce, max_attempts: 1 } },
    })
    const headers = { 'X-B': 'subscription', 'x-c': 'subscription', 'Content-Type': 'text/x' }
    const subscription = await scene.server.call('POST', '/v1/subscriptions', {
      body: { endpoint_id: made.json.id, topic_patterns: [topic], headers },
    })
    const stored = { 'x-b': 'subscription', 'x-c': 'subscription', 'content-type': 'text/x' }
    expect(subscription.json.headers).toEqual(stored)
    const published = await scene.server.call('POST', '/v1/events', { body: { topic, payload: 1 } })
    const [id] = published.json.delivery_ids
    const [first] = await scene.arrived(id)
    expect(first?.headers).toMatchObject({ ...stored, 'x-a': 'endpoint' })
    await scene.attempted(id)
    const path = `/v1/subscriptions/${subscription.json.id}`
    const changed = await scene.server.call('PATCH', path, { body: { headers: { 'x-c': 'later' } } })
    expect(changed.json.headers).toEqual({ 'x-c': 'later' })
    await scene.server.call('POST', `/v1/dlq/${id}/replay`)
    const [, replayed] = await scene.arrived(id, 2)
    expect(replayed?.headers).toMatchObject({ 'x-b': 'endpoint', 'x-c': 'later', 'content-type': media })
    const endpointPath = `/v1/endpoints/${made.json.id}`
    await scene.server.call('PATCH', endpointPath, { body: { enabled: false } })
    const parked = await scene.server.call('POST', '/v1/events', { body: { topic, payload: 2 } })
    await scene.server.call('PATCH', path, { body: { headers: { 'x-c': 'claimed' } } })
    await scene.server.call('PATCH', endpointPath, { body: { enabled: true } })
    const [claimed] = await scene.arrived(parked.json.delivery_ids[0])
    expect(claimed?.headers).toMatchObject({ 'x-a': 'endpoint', 'x-c': 'claimed' })
  })

  test('two subscriptions of one endpoint that an event matches make a delivery each, with the headers of its own', async () => {
    const topic = aName('twice')
    const { url } = scene.receiver
    const endpoint = await scene.server.call('POST', '/v1/endpoints', { body: { url: `${url}/hook` } })
    for (const which of ['one', 'two', undefined]) {
      const headers = which === undefined ? {} : { 'x-which': which }
      const body = { endpoint_id: endpoint.json.id, topic_patterns: [topic], headers }
      expect((await scene.server.call('POST', '/v1/subscriptions', { body })).status).toBe(201)
    }
    const { json } = await scene.server.call('POST', '/v1/events', { body: { topic, payload: 1 } })
    expect(json.delivery_ids).toHaveLength(3)
    const which = await Promise.all(
      json.delivery_ids.map(async (id: string) => (await scene.arrived(id))[0]?.headers['x-which']),
    )
    expect(which.sort()).toEqual(['one', 'two', undefined])
  })

  test('S3.11 the credential wins over every header of one’s own, and what the sender makes wins over both', async () => {
    const topic = aName('won')
    const credential = await scene.server.call('POST', '/v1/credentials', {
      body: { name: topic, kind: 'custom_header', header_name: 'X-Shop', header_value: 'credential' },
    })
    const endpoint = await scene.server.call('POST', '/v1/endpoints', {
      body: {
        url: `${scene.receiver.url}/hook`,
        headers: { 'x-shop': 'endpoint', 'user-agent': 'endpoint' },
        credential_id: credential.json.id,
      },
    })
    const headers = { 'x-shop': 'subscription', 'user-agent': 'subscription', traceparent: 'subscription' }
    await scene.server.call('POST', '/v1/subscriptions', {
      body: { endpoint_id: endpoint.json.id, topic_patterns: [topic], headers },
    })
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const body = { topic, payload: 1 }
    const { json } = await scene.server.call('POST', '/v1/events', { body, headers: { traceparent } })
    const [request] = await scene.arrived(json.delivery_ids[0])
    expect(request?.headers).toMatchObject({ 'x-shop': 'credential', 'user-agent': 'subscription' })
    expect(request?.headers.traceparent).toMatch(/^00-a{32}-/)
  })

  test('S3.15 headers of endpoints and subscriptions that look like secrets, that the sender makes or that break a line are refused', async () => {
    const { endpoint } = await scene.deliver(`${scene.receiver.url}/hook`)
    const listed = await scene.server.call('GET', `/v1/subscriptions?endpoint_id=${endpoint.id}`)
    const [own] = listed.json.items
    const bad: [object, RegExp][] = [
      ...secretNames.map((name): [object, RegExp] => [
        { [name]: 'x' },
        /looks like a secret.*make a credential/,
      ]),
      ...reservedNames.map((name): [object, RegExp] => [{ [name]: 'x' }, /is set by the sender itself/]),
      ...controls.map((code): [object, RegExp] => [
        { 'x-a': `a${String.fromCharCode(code)}b` },
        /visible ASCII/,
      ]),
      ...controls.map((code): [object, RegExp] => [
        { [`x${String.fromCharCode(code)}a`]: 'b' },
        /is not a header name/,
      ]),
      [{ 'x-a': 'a\r\nx-b: c' }, /visible ASCII/],
      [{ 'x-a: b\r\nx-c': 'a' }, /is not a header name/],
      [{ 'x-a': '1', 'X-A': '2' }, /stands there twice/],
    ]
    const { url } = scene.receiver
    for (const [headers, message] of bad) {
      const answers = await Promise.all([
        scene.server.call('POST', '/v1/endpoints', { body: { url, headers } }),
        scene.server.call('PATCH', `/v1/endpoints/${endpoint.id}`, { body: { headers } }),
        scene.server.call('POST', '/v1/subscriptions', {
          body: { endpoint_id: endpoint.id, topic_patterns: ['a'], headers },
        }),
        scene.server.call('PATCH', `/v1/subscriptions/${own.id}`, { body: { headers } }),
      ])
      for (const { status, json } of answers) {
        expect([headers, status, json.detail]).toEqual([headers, 422, expect.stringMatching(message)])
      }
    }
    const after = await scene.server.call('GET', `/v1/subscriptions?endpoint_id=${endpoint.id}`)
    expect(after.json.items).toEqual([own])
  })

  test.each([
    ['a method that is none', { method: 'post' }, /^method must be/],
    ['a method that is not sent', { method: 'TRACE' }, /^method must be/],
    ['a timeout below a second', { timeout: '999ms' }, /^timeout must be .* from 1s to 60s/],
    ['a timeout above a minute', { timeout: 60_001 }, /^timeout must be .* from 1s to 60s/],
    ['a timeout in another form', { timeout: 'soon' }, /^timeout must be/],
    ['a content type that is none', { content_type: 'json' }, /^content_type must be a media type/],
    ['a content type that breaks the line', { content_type: 'a/b; c=d\r\nx-e: f' }, /^content_type must be/],
    ['a content type that is too long', { content_type: `a/${'b'.repeat(254)}` }, /^content_type must be/],
    [
      'both ways to name the content type',
      { content_type: 'a/b', headers: { 'content-type': 'a/b' } },
      /^content_type and headers\["content-type"\] cannot both stand/,
    ],
  ])(
    'an endpoint with %s is refused, when it is made and when it is changed',
    async (_, settings, detail) => {
      const { endpoint } = await scene.deliver(`${scene.receiver.url}/hook`)
      const path = `/v1/endpoints/${endpoint.id}`
      const before = (await scene.server.call('GET', path)).json
      const body = { url: `${scene.receiver.url}/hook`, ...settings }
      for (const answer of [
        await scene.server.call('POST', '/v1/endpoints', { body }),
        await scene.server.call('PATCH', path, { body: settings }),
      ]) {
        expect([answer.status, answer.json.detail ?? answer.text]).toEqual([
          expect.toBeOneOf([400, 422]),
          expect.stringMatching(detail),
        ])
      }
      // The delivery of before may still be in flight, or not.
      const after = (await scene.server.call('GET', path)).json
      expect(after).toEqual({ ...before, in_flight: after.in_flight })
    },
  )

  test('an endpoint’s timeout ends its attempts, whatever the server’s, and is from a second to a minute', async () => {
    for (const [timeout, shown] of [
      ['60s', '1m'],
      [60_000, '1m'],
      ['1500ms', '1500ms'],
      ['1s', '1s'],
    ]) {
      const body = { url: `${scene.receiver.url}/hook`, timeout }
      expect((await scene.server.call('POST', '/v1/endpoints', { body })).json.timeout).toBe(shown)
    }
    const { id } = await scene.deliver(`${scene.receiver.url}/timeout`, { timeout: '1s' })
    const [attempt] = await scene.attempted(id)
    expect(attempt).toMatchObject({ errorClass: 'timeout' })
    expect(attempt?.latencyMs).toBeGreaterThanOrEqual(1000)
    expect((await scene.shown(id)).last_error).toContain('within 1000 ms')
  })
}
