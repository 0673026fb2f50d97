import { beforeAll, describe, expect, test } from 'vitest'
import { aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

let server: TestServer
const closers: (() => unknown)[] = []

beforeAll(async () => {
  const config = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
  server = await aServer({ config, closeWith: (close) => closers.push(close) })
  return () => Promise.all(closers.map((close) => close()))
})

async function anEndpointWithSubscription() {
  const body = { url: 'http://127.0.0.1:9/' }
  const { id } = (await server.call('POST', '/v1/endpoints', { body })).json
  const subscription = { endpoint_id: id, topic_patterns: ['a'] }
  const { json } = await server.call('POST', '/v1/subscriptions', { body: subscription })
  return { endpointId: id as string, subscriptionId: json.id as string }
}

const noObjects = ['null', '[]', '[{}]', '0', 'false', '""', '"x"', ' null ']

describe('POST /v1/endpoints/{id}/rotate-secret', () => {
  test.each(noObjects)('the body %s is a 400, and nothing is rotated', async (body) => {
    const { endpointId } = await anEndpointWithSubscription()
    let rotations = 0
    const { rotateSecret } = server.engine.endpointSecrets
    server.engine.endpointSecrets.rotateSecret = (...args) => {
      rotations++
      return rotateSecret.apply(server.engine.endpointSecrets, args)
    }
    const answer = await server.call('POST', `/v1/endpoints/${endpointId}/rotate-secret`, { body })
    expectProblem(answer, { status: 400, title: 'invalid body', detail: 'the body must be an object' })
    expect(rotations).toBe(0)
  })

  test.each([undefined, '', '{}'])('the body %j rotates', async (body) => {
    const { endpointId } = await anEndpointWithSubscription()
    const { status, json } = await server.call('POST', `/v1/endpoints/${endpointId}/rotate-secret`, { body })
    expect(status).toBe(200)
    expect(json.secret).toMatch(/^whsec_/)
  })
})

describe('routes that take no body', () => {
  test.each([...noObjects, '{"force":true}', '{'])(
    'the body %s is a 400, and nothing happens',
    async (body) => {
      const { endpointId, subscriptionId } = await anEndpointWithSubscription()
      const key = await server.producer()
      const paths = [
        `/v1/endpoints/${endpointId}`,
        `/v1/subscriptions/${subscriptionId}`,
        `/v1/keys/${key.id}`,
      ]
      for (const path of paths) {
        expectProblem(await server.call('DELETE', path, { body }), { status: 400, title: 'invalid body' })
      }
      for (const path of paths.slice(0, 2)) expect((await server.call('GET', path)).status).toBe(200)
      expect((await server.call('GET', '/v1/whoami', { token: key.key })).status).toBe(200)
      const replay = await server.call('POST', `/v1/dlq/dlv_${'0'.repeat(26)}/replay`, { body })
      expectProblem(replay, { status: 400, title: 'invalid body' })
    },
  )

  test.each([undefined, '', '{}'])('the body %j is none', async (body) => {
    const { endpointId, subscriptionId } = await anEndpointWithSubscription()
    const key = await server.producer()
    const paths = [`/v1/subscriptions/${subscriptionId}`, `/v1/endpoints/${endpointId}`, `/v1/keys/${key.id}`]
    for (const path of paths) expect((await server.call('DELETE', path, { body })).status).toBe(204)
    expect((await server.call('POST', `/v1/dlq/dlv_${'0'.repeat(26)}/replay`, { body })).status).toBe(404)
  })
})

describe('routes that need a body', () => {
  test.each(noObjects)('the body %s is a 400 that asks for an object', async (body) => {
    const { endpointId, subscriptionId } = await anEndpointWithSubscription()
    for (const [method, path] of [
      ['POST', '/v1/endpoints'],
      ['PATCH', `/v1/endpoints/${endpointId}`],
      ['POST', '/v1/subscriptions'],
      ['PATCH', `/v1/subscriptions/${subscriptionId}`],
      ['POST', '/v1/keys'],
      ['POST', '/v1/events'],
      ['POST', '/v1/events/batch'],
    ] as const) {
      expectProblem(await server.call(method, path, { body }), { status: 400, detail: /object/ })
    }
  })
})
