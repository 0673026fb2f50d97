/** The adapters in real frameworks, over real sockets, and each example as it stands. */
import { createServer, request as httpRequest, type Server } from 'node:http'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  createVerifier,
  expressWebhook,
  fastifyWebhook,
  honoWebhook,
  type ReceiverOptions,
  type VerifiedWebhook,
  VerifierUsageError,
  verifyNodeRequest,
  verifyRequest,
  webhookHandler,
  webhookOf,
} from '../../src/verify/index.ts'
import { runExample } from '../sender/run-example.ts'
import { otherSecret, secret, signed, signedAt } from './a-signed-request.ts'

/** A receiver with a route `/webhooks` that tells what it got, and one beside it that parses JSON. */
interface Framework {
  readonly name: string
  start(options: ReceiverOptions, onWebhook: (webhook: VerifiedWebhook) => void): Promise<string>
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

const frameworks: readonly Framework[] = [
  {
    name: 'Express',
    async start(options, onWebhook) {
      const app = express()
      app.post('/webhooks', expressWebhook(options), (request, response) => {
        onWebhook(webhookOf(request))
        response.sendStatus(204)
      })
      app.post('/unverified', (request, response) => {
        response.json(webhookOf(request).json())
      })
      app.use(express.json())
      app.post('/orders', (request, response) => {
        response.json(request.body)
      })
      app.use((_error: unknown, _request: unknown, response: express.Response, _next: unknown) => {
        response.sendStatus(500)
      })
      const server = app.listen(0, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      onTestFinished(() => void server.close())
      return urlOf(server)
    },
  },
  {
    name: 'Fastify',
    async start(options, onWebhook) {
      const app = fastify()
      app.register(async (scope) => {
        scope.register(fastifyWebhook(options))
        scope.post('/webhooks', async (request, reply) => {
          onWebhook(webhookOf(request))
          return reply.code(204).send()
        })
      })
      app.post('/orders', async (request) => request.body)
      app.post('/unverified', async (request) => webhookOf(request).json())
      onTestFinished(() => app.close())
      return app.listen({ port: 0, host: '127.0.0.1' })
    },
  },
  {
    name: 'Hono',
    async start(options, onWebhook) {
      const app = new Hono()
      app.onError((_error, c) => c.body(null, 500))
      app.post('/webhooks', honoWebhook(options), async (c) => {
        onWebhook(webhookOf(c.req.raw))
        // Hono keeps the bytes for whoever reads the body again.
        expect(await c.req.text()).toBe(webhookOf(c.req.raw).text())
        return c.body(null, 204)
      })
      app.post('/orders', async (c) => c.json(await c.req.json()))
      app.post('/unverified', (c) => c.json(webhookOf(c.req.raw).json() as object))
      return new Promise((resolve) => {
        const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
          resolve(`http://127.0.0.1:${port}`),
        )
        onTestFinished(() => void server.close())
      })
    },
  },
]

describe.each(frameworks)('$name', (framework) => {
  const post = (url: string, request: { headers: Record<string, string>; body: Uint8Array | string }) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...request.headers },
      body: request.body,
    })

  test('gives a route the verified webhook with its exact bytes, and other routes their parsed bodies', async () => {
    const got: VerifiedWebhook[] = []
    const url = await framework.start({ secrets: secret, now: () => signedAt }, (webhook) =>
      got.push(webhook),
    )
    const text = '{ "name":"José 😀", "n": 1.0 }\n'
    for (const type of [
      'application/json',
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/cbor',
    ]) {
      const { headers, body } = signed('standard', [secret], text)
      const { status } = await post(`${url}/webhooks`, {
        headers: { ...headers, 'content-type': type },
        body,
      })
      expect(status, type).toBe(204)
    }
    expect(got.map((webhook) => [webhook.id, webhook.text()])).toEqual(
      Array(4).fill(['msg_p5jXN8AQM9LWM0D4loKWxJek', text]),
    )
    expect(await (await post(`${url}/orders`, { headers: {}, body: '{"a":1}' })).json()).toEqual({ a: 1 })
  })

  test('answers 401 and why to what does not verify, and the route never sees it', async () => {
    const got: VerifiedWebhook[] = []
    const url = await framework.start({ secrets: secret, now: () => signedAt }, (webhook) =>
      got.push(webhook),
    )
    const good = signed('standard', [secret])
    const table: readonly (readonly [Parameters<typeof post>[1], string])[] = [
      [{ headers: {}, body: '{}' }, 'missing_header'],
      [{ ...good, body: '{"test":2432232314}' }, 'no_match'],
      [{ ...good, body: '' }, 'no_match'],
      [signed('standard', [otherSecret]), 'no_match'],
      [signed('standard', [secret], '{}', signedAt - 301), 'too_old'],
      [signed('standard', [secret], '{}', signedAt + 301), 'in_the_future'],
      [{ ...good, headers: { ...good.headers, 'webhook-timestamp': 'x' } }, 'malformed_header'],
    ]
    for (const [request, code] of table) {
      const answer = await post(`${url}/webhooks`, request)
      expect([answer.status, await answer.json()]).toEqual([401, { error: code }])
    }
    expect(got).toEqual([])
  })

  test('takes any of several secrets, and the other schemes', async () => {
    const url = await framework.start({ secrets: [otherSecret, secret], scheme: 'github' }, () => {})
    expect((await post(`${url}/webhooks`, signed('github', [secret]))).status).toBe(204)
  })

  test('answers 413 to a body beyond the limit, also where its length is not said', async () => {
    const url = await framework.start({ secrets: secret, maxBodyBytes: 100, now: () => signedAt }, () => {})
    const large = signed('standard', [secret], `"${'x'.repeat(99)}"`)
    expect((await post(`${url}/webhooks`, large)).status).toBe(413)
    expect(await postInChunks(`${url}/webhooks`, large)).toBe(413)
    const fits = signed('standard', [secret], `"${'x'.repeat(98)}"`)
    expect(await postInChunks(`${url}/webhooks`, fits)).toBe(204)
  })

  test('a route without the adapter cannot take a request for verified', async () => {
    const url = await framework.start({ secrets: secret }, () => {})
    expect((await post(`${url}/unverified`, { headers: {}, body: '{}' })).status).toBe(500)
  })
})

/** Without `content-length`. */
function postInChunks(
  url: string,
  { headers, body }: { headers: Record<string, string>; body: Uint8Array },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
    })
    request.on('error', reject).on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.write(body.subarray(0, 10))
    request.end(body.subarray(10))
  })
}

describe('a body that was parsed before', () => {
  test('in Express is said to be, rather than taken for a wrong signature', async () => {
    const app = express()
    app.use(express.json())
    app.post('/webhooks', expressWebhook({ secrets: secret }), (_request, response) => {
      response.sendStatus(204)
    })
    const errors: unknown[] = []
    app.use((error: unknown, _request: unknown, response: express.Response, _next: unknown) => {
      errors.push(error)
      response.sendStatus(500)
    })
    const server = app.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    onTestFinished(() => void server.close())
    const { headers, body } = signed('standard', [secret])
    const { status } = await fetch(`${urlOf(server)}/webhooks`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    })
    expect(status).toBe(500)
    expect(errors).toEqual([expect.any(VerifierUsageError)])
    expect(errors[0]).toMatchObject({
      code: 'body_not_raw',
      message: expect.stringContaining('express.json()'),
    })
  })

  test('in Express by express.raw or express.text is taken', async () => {
    for (const parser of [express.raw({ type: '*/*' }), express.text({ type: '*/*' })]) {
      const app = express()
      app.use(parser)
      app.post(
        '/webhooks',
        expressWebhook({ secrets: secret, now: () => signedAt }),
        (_request, response) => {
          response.sendStatus(204)
        },
      )
      const server = app.listen(0, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      onTestFinished(() => void server.close())
      const { status } = await fetch(`${urlOf(server)}/webhooks`, {
        method: 'POST',
        ...signed('standard', [secret]),
      })
      expect(status).toBe(204)
    }
  })

  test('of a plain Request is said to be', async () => {
    const request = new Request('http://a.example', { method: 'POST', ...signed('standard', [secret]) })
    await request.text()
    await expect(verifyRequest(request, createVerifier({ secrets: secret }))).rejects.toMatchObject({
      code: 'body_not_raw',
    })
  })
})

describe('a plain Request', () => {
  const aRequest = (body?: string | ReadableStream) =>
    new Request('http://a.example/webhooks', {
      method: 'POST',
      headers: signed('standard', [secret]).headers,
      ...(body !== undefined && { body, duplex: 'half' }),
    } as RequestInit)

  test('is verified before the handler gets it, with whatever else the runtime passes', async () => {
    const handle = webhookHandler(
      { secrets: () => secret, now: () => signedAt },
      async (webhook, request: Request, context: { readonly id: number }) =>
        Response.json([webhook.json(), request.method, context.id]),
    )
    const answer = await handle(aRequest('{"test": 2432232314}'), { id: 7 })
    expect(await answer.json()).toEqual([{ test: 2432232314 }, 'POST', 7])
    expect((await handle(aRequest('{}'), { id: 7 })).status).toBe(401)
    expect((await handle(aRequest(), { id: 7 })).status).toBe(401)
  })

  test('is not read beyond the limit', async () => {
    let pulled = 0
    const endless = new ReadableStream({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(1000))
      },
    })
    const handle = webhookHandler({ secrets: secret, maxBodyBytes: 5000 }, () => new Response())
    const answer = await handle(aRequest(endless))
    expect([answer.status, await answer.json()]).toEqual([413, { error: 'body_too_large' }])
    expect(pulled).toBeLessThan(10)
  })

  test('a handler without a secret is made, as in a build, and fails with the first request', async () => {
    const handle = webhookHandler({ secrets: '' }, () => new Response())
    await expect(handle(aRequest('{}'))).rejects.toBeInstanceOf(VerifierUsageError)
  })
})

test('a request of node:http is verified from its stream', async () => {
  const verifier = createVerifier({ secrets: secret, now: () => signedAt })
  const server = createServer((request, response) => {
    verifyNodeRequest(request, verifier).then(
      (webhook) => response.end(webhook.id),
      (error) => response.writeHead(401).end(error.code),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const good = signed('standard', [secret])
  const answer = await fetch(urlOf(server), { method: 'POST', ...good })
  expect(await answer.text()).toBe('msg_p5jXN8AQM9LWM0D4loKWxJek')
  const bad = await fetch(urlOf(server), { method: 'POST', headers: good.headers, body: '{}' })
  expect([bad.status, await bad.text()]).toEqual([401, 'no_match'])
})

const received = 'received evt_1: {"order":"o_1"}'
test.each([
  ['verify-with-express.ts', [received, 'answered 204', 'answered 401']],
  ['verify-with-fastify.ts', [received, 'answered 204', 'answered 401']],
  ['verify-with-hono.ts', [received, 'answered 204', 'answered 401']],
  ['verify-a-request.ts', ['answered 401 {"error":"too_old"}', received, 'answered 204']],
])('examples/%s takes what is signed and refuses what is forged', async (name, lines) => {
  expect((await runExample(name)).trim().split('\n')).toEqual(lines)
})
