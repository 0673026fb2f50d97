/**
 * hookrail's own client for Python, as its index has it, against a running server (S1.1 to S1.6, S1.17, S1.18, S1.50), and
 * the verifiers of three packages on deliveries that a receiver captured.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ReceivedRequest, type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { createPythonEnvironment, type PythonEnvironment } from './python-environment.ts'
import { aDirectory, adminToken, startServer } from './server-process.ts'

let python: PythonEnvironment
let receiver: Receiver
let postgres: PostgresServer

beforeAll(async () => {
  const newest = testedServers().at(-1)
  if (newest === undefined) throw new Error('no server to test on')
  postgres = await newest.start()
  receiver = await startReceiver()
  python = await createPythonEnvironment(['hookrail==0.1.0', 'standardwebhooks==1.1.0', 'svix==2.9.1'])
}, 600_000)
afterAll(async () => {
  python?.remove()
  await receiver?.close()
  await postgres?.stop()
})

const stores: readonly (readonly [string, () => string])[] = [
  ['SQLite', () => join(aDirectory(), 'outhook.db')],
  ['PostgreSQL', () => `${postgres.url}?schema=outhook_python_${process.pid}`],
]
const env = { OUTHOOK_MASTER_KEY: 'ab'.repeat(32) }

/** What stands before the server: passes on what it does not answer itself, and keeps what came. */
async function startFront(target: string) {
  const seen = new Map<string, { readonly body: string; readonly key: string | undefined }[]>()
  const server = createServer(async (request, response) => {
    const [, name = '', ...rest] = (request.url ?? '').split('/')
    const body = await buffer(request)
    const requests = seen.get(name) ?? []
    seen.set(name, requests)
    requests.push({ body: body.toString(), key: request.headers['idempotency-key'] as string | undefined })
    await answer(name, requests.length, { request, response, body, url: `${target}/${rest.join('/')}` })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, close }
}

interface Passing {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: Buffer
  readonly url: string
}

async function answer(name: string, count: number, { request, response, body, url }: Passing): Promise<void> {
  const status = Number(/\d+$/.exec(name)?.[0] ?? 0)
  if (name === 'stall') return
  if (name === 'drop' && count === 1) return void response.destroy()
  if (status > 0 && (name.startsWith('always') || count <= 2)) {
    const retryAfter = status === 429 || status === 503 ? { 'retry-after': '1' } : {}
    response.writeHead(status, { 'content-type': 'application/problem+json', ...retryAfter })
    response.end(JSON.stringify({ type: 'about:blank', title: 'front', status, detail: 'by the front' }))
    return
  }
  const passed = await fetch(url, {
    method: 'POST',
    headers: request.headers as Record<string, string>,
    body,
  } as RequestInit)
  response.writeHead(passed.status, { 'content-type': 'application/json' }).end(await passed.text())
}

async function api<T>(url: string, method: string, path: string, body?: unknown): Promise<T> {
  const answered = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  expect(answered.ok, `${method} ${path}: ${answered.status}`).toBe(true)
  return (await answered.json()) as T
}

const forPython = ({ headers, body }: ReceivedRequest) => ({
  headers,
  body: Buffer.from(body).toString('base64'),
})

test.for(stores)(
  'hookrail’s client for Python works unmodified on %s: S1.1 to S1.6, S1.50',
  {
    timeout: 300_000,
  },
  async ([_, aStore], { skip }) => {
    if (python.missing !== null) return skip(`not run: ${python.missing}`)
    const { url } = await startServer({ database: aStore(), env })
    const makeKey = async (options: object) =>
      (await api<{ key: string }>(url, 'POST', '/v1/keys', { name: 'python', ...options })).key
    const key = await makeKey({})
    const limited = { uid: 'limited', name: 'limited', settings: { ingest_rate: 1 } }
    await api(url, 'POST', '/v1/tenants', limited)
    const limitedKey = (await api<{ key: string }>(url, 'POST', '/v1/keys?tenant=limited', { name: 'l' })).key
    const scopedKey = await makeKey({ scopes: ['orders.*'] })
    await api(url, 'POST', '/v1/endpoints', {
      url: receiver.url,
      topics: ['orders.*'],
      signing_schemes: ['hookrail'],
    })
    const front = await startFront(url)
    const closed = await startFront(url)
    closed.close()
    const results = await python
      .run('hookrail_calls.py', { url, key, limitedKey, scopedKey, front: front.url, closed_url: closed.url })
      .finally(() => front.close())

    const one = { event_id: expect.stringMatching(/^evt_/), delivery_ids: [expect.stringMatching(/^dlv_/)] }
    const fresh = { ...one, replayed: false }
    const sent = results.send as typeof fresh
    expect(sent).toEqual(fresh)
    expect(results.status).toMatchObject({
      event_id: sent.event_id,
      topic: 'orders.created',
      deliveries: [
        {
          delivery_id: sent.delivery_ids[0],
          state: 'succeeded',
          attempts_truncated: false,
          attempts: [{ attempt_no: 1, status: 'success', http_status: 200 }],
        },
      ],
    })
    expect(results).toMatchObject({
      unmatched: { delivery_ids: [], replayed: false },
      unmatched_status: { topic: 'nobody.listens', deliveries: [] },
      payload_scalar: fresh,
      payload_null: fresh,
      payload_list: fresh,
      payload_text: fresh,
    })
    const [first, again] = results.replay as [typeof fresh, typeof fresh]
    expect(again).toEqual({ ...first, replayed: true })

    const problem = (error: string, status: number, title: string) => ({ error, status, title, cause: null })
    expect(results).toMatchObject({
      conflict_payload: problem('ConflictError', 409, 'idempotency conflict'),
      conflict_topic: problem('ConflictError', 409, 'idempotency conflict'),
      nan: { error: 'BadRequestError', status: 400 },
      unknown_event: problem('NotFoundError', 404, 'event not found'),
      no_id: { error: 'NotFoundError', status: 404 },
      too_large: problem('PayloadTooLargeError', 413, 'payload too large'),
      body_too_large: problem('PayloadTooLargeError', 413, 'payload too large'),
      wrong_key: problem('AuthenticationError', 401, 'invalid credentials'),
      prefix: { error: 'NotFoundError', status: 404 },
      no_server: { error: 'RetryError', cause: 'HookrailConnectionError' },
      bad_url: { error: 'HookrailConfigError' },
    })

    const [sentAsync, againAsync, topic] = results.async as [typeof fresh, typeof fresh, string]
    expect([againAsync, topic]).toEqual([{ ...sentAsync, replayed: true }, 'orders.created'])
    expect(results).toMatchObject({ async_conflict: 409, async_many: [1, 19] })

    for (const name of ['503', '429', '500', 'drop']) {
      expect(results[`front_${name}`], name).toEqual(fresh)
      const requests = front.seen.get(name) ?? []
      expect(requests, name).toHaveLength(name === 'drop' ? 2 : 3)
      expect(new Set(requests.map((request) => JSON.stringify(request))).size, name).toBe(1)
      expect(requests[0]?.key, name).toMatch(/./)
    }
    expect(results).toMatchObject({
      always_429: { error: 'RetryError', cause: 'RateLimitError', retry_after: 1 },
      always_503: { error: 'RetryError', cause: 'ServerError', cause_status: 503 },
      always_403: { error: 'HookrailAPIError', status: 403 },
      always_422: { error: 'HookrailAPIError', status: 422 },
      stall: { error: 'RetryError', cause: 'HookrailTimeoutError' },
      // Not a stand-in but the server's own limit: a burst, a refusal, and a wait that its client keeps.
      limited_later: { delivery_ids: [], replayed: false },
      scoped: fresh,
      out_of_scope: problem('HookrailAPIError', 403, 'topic not permitted'),
    })
    expect(results.limited).toContain('RateLimitError')
    expect(new Set(results.limited as (string | null)[])).toEqual(new Set([null, 'RateLimitError']))
  },
)

test('S1.17, S1.18: packages of Python verify what a receiver captured, and refuse what was changed', {
  timeout: 300_000,
}, async ({ skip }) => {
  if (python.missing !== null) return skip(`not run: ${python.missing}`)
  const { url } = await startServer({ database: join(aDirectory(), 'outhook.db') })
  const endpoint = await api<{ id: string; secret: string }>(url, 'POST', '/v1/endpoints', {
    url: receiver.url,
    topics: ['signed.*'],
    signing_schemes: ['standard', 'hookrail'],
  })
  const capture = async (topic: string): Promise<ReceivedRequest> => {
    const body = JSON.stringify({ topic, payload: { name: 'José 😀', amount: 1 } })
    const { event_id: id } = await api<{ event_id: string }>(url, 'POST', '/v1/events', JSON.parse(body))
    const received = await receiver.waitFor((all) => all.some(({ eventId }) => eventId === id), 60_000)
    return received.find(({ eventId }) => eventId === id) as ReceivedRequest
  }
  const request = await capture('signed.once')
  const path = `/v1/endpoints/${endpoint.id}/rotate-secret`
  const { secret: newSecret } = await api<{ secret: string }>(url, 'POST', path, {})
  const rotated = await capture('signed.twice')
  const results = await python.run('verify_captured.py', {
    request: forPython(request),
    rotated: forPython(rotated),
    secret: endpoint.secret,
    new_secret: newSecret,
  })
  expect(results).toEqual({
    header: 'hookrail-signature',
    hookrail: 'ok',
    hookrail_any: 'ok',
    hookrail_tampered: 'SignatureError',
    hookrail_wrong_secret: 'SignatureError',
    hookrail_stale: 'SignatureTimestampError',
    hookrail_early: 'SignatureTimestampError',
    hookrail_edge: 'ok',
    hookrail_wrong_id: 'SignatureError',
    hookrail_malformed: 'MalformedSignatureError',
    // Its verifier takes the last signature, which is the old secret's while both sign.
    hookrail_rotated: ['ok', 'SignatureError', 'ok'],
    standard: ['ok', 'ok'],
    standard_tampered: ['WebhookVerificationError', 'WebhookVerificationError'],
    standard_wrong_secret: ['WebhookVerificationError', 'WebhookVerificationError'],
    standard_rotated: [
      ['ok', 'ok'],
      ['ok', 'ok'],
    ],
  })
})
