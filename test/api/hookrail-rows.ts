/** Rows of docs/compatibility.md that a server shows over HTTP, on a store of any kind. */
import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import type { ReceivedRequest } from '../../src/testing/received-request.ts'
import { startReceiver } from '../../src/testing/receiver.ts'
import { patienceMs } from '../patience.ts'
import { loopbackSpellings, privateSpellings } from '../sender/guard-cases.ts'
import type { ServerOptions, TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

/** Opens a server; called again it opens another one, on the same store once the one before is closed. */
export type OpenServer = (options?: ServerOptions) => Promise<TestServer>

const loopback = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

export function describeHookrailRows(newStore: () => OpenServer): void {
  describe('S1.19 a rotation', () => {
    test('with overlap: receivers that hold the old secret, the new one or both verify as the guide says', async () => {
      const { server, receiver, endpoint } = await aRotatingEndpoint(newStore())
      const rotate = async (grace?: string) =>
        (await server.call('POST', `/v1/endpoints/${endpoint.id}/rotate-secret`, { body: { grace } })).json
          .secret
      const old = endpoint.secret
      expect(verdicts(await capture(server, receiver), { old, new: 'whsec_unknown' })).toEqual({
        standard: { old: true, new: false, both: true },
        hookrail: { old: true, new: false, both: true },
        hookrailOwn: { old: true, new: false, both: true },
      })
      const next = await rotate()
      expect(verdicts(await capture(server, receiver), { old, new: next })).toEqual({
        standard: { old: true, new: true, both: true },
        hookrail: { old: true, new: true, both: true },
        // Its verifier takes the last signature only, so a receiver of hookrail keeps the old secret until the switch.
        hookrailOwn: { old: true, new: false, both: true },
      })
      // The owner says that its receivers have the new secret: now the signature that hookrail reads is that one's.
      const { items } = (await server.call('GET', `/v1/endpoints/${endpoint.id}/secrets`)).json
      expect(items).toMatchObject([{ primary: false }, { primary: true, expires_at: expect.any(String) }])
      const flip = `/v1/endpoints/${endpoint.id}/secrets/${items[0].id}/primary`
      expect((await server.call('POST', flip)).json).toMatchObject({ id: items[0].id, primary: true })
      expect(verdicts(await capture(server, receiver), { old, new: next })).toEqual({
        standard: { old: true, new: true, both: true },
        hookrail: { old: true, new: true, both: true },
        hookrailOwn: { old: false, new: true, both: true },
      })
      const last = await rotate('0')
      expect(verdicts(await capture(server, receiver), { old: next, new: last })).toEqual({
        standard: { old: false, new: true, both: true },
        hookrail: { old: false, new: true, both: true },
        hookrailOwn: { old: false, new: true, both: true },
      })
      await receiver.close()
    })
  })

  describe('S1.23 backoff_policy', () => {
    const refused: readonly (readonly [string, unknown])[] = [
      ['no cap', { base_ms: 1000 }],
      ['no base', { cap_ms: 1000 }],
      ['nothing in it', {}],
      ['a base of 0', { base_ms: 0, cap_ms: 1000 }],
      ['a cap of 0', { base_ms: 1, cap_ms: 0 }],
      ['a negative base', { base_ms: -1, cap_ms: 1000 }],
      ['a cap below the base', { base_ms: 1001, cap_ms: 1000 }],
      ['a base beyond 7 days', { base_ms: 604_800_001, cap_ms: 604_800_001 }],
      ['a cap beyond 7 days', { base_ms: 1, cap_ms: 604_800_001 }],
      ['a fraction', { base_ms: 1.5, cap_ms: 1000 }],
      ['text', { base_ms: '1', cap_ms: 1000 }],
      ['null in it', { base_ms: null, cap_ms: 1000 }],
      ['an unknown member', { base_ms: 1, cap_ms: 1000, jitter: true }],
      ['a number', 5],
      ['a list', [1, 2]],
      ['text instead', 'fast'],
    ]
    const taken = [
      { base_ms: 1, cap_ms: 1 },
      { base_ms: 604_800_000, cap_ms: 604_800_000 },
      { base_ms: 5000, cap_ms: 21_600_000 },
    ]

    test('is refused with 422 at creation and in a change, and changes nothing; its bounds are taken, and shown', async () => {
      const server = await newStore()({ config: loopback })
      const endpoint = await anEndpoint(server, 'https://127.0.0.1:8443/')
      const create = (backoff_policy: unknown) => ({
        body: { endpoint_id: endpoint.id, topic_pattern: 'a', backoff_policy },
      })
      const made = (await server.call('POST', '/v1/subscriptions', create(taken[2]))).json
      const path = `/v1/subscriptions/${made.id}`
      for (const [, value] of refused) {
        expectProblem(await server.call('POST', '/v1/subscriptions', create(value)), {
          status: 422,
          title: 'invalid backoff_policy',
        })
        expectProblem(await server.call('PATCH', path, { body: { backoff_policy: value } }), {
          status: 422,
          title: 'invalid backoff_policy',
        })
      }
      expect((await server.call('GET', path)).json.retry_policy).toEqual(made.retry_policy)
      for (const value of taken) {
        const { status, json } = await server.call('PATCH', path, { body: { backoff_policy: value } })
        expect([value, status]).toEqual([value, 200])
        expect(json.retry_policy).toMatchObject({ jitter: 'full', factor: 2, max_attempts: 8 })
        expect((await server.call('GET', path)).json.retry_policy).toEqual(json.retry_policy)
      }
      // Null is hookrail's own, and clears what was there.
      const own = { base: '5s', cap: '6h', max_attempts: 8, jitter: 'full' }
      const none = await server.call('POST', '/v1/subscriptions', create(null))
      expect([none.status, none.json.retry_policy]).toEqual([201, expect.objectContaining(own)])
      const cleared = await server.call('PATCH', path, { body: { backoff_policy: null } })
      expect([cleared.status, cleared.json.retry_policy]).toEqual([200, expect.objectContaining(own)])
      for (const max_attempts of [101, -1, 1.5, '8', true]) {
        const body = { endpoint_id: endpoint.id, topic_pattern: 'a', max_attempts }
        const answer = await server.call('POST', '/v1/subscriptions', { body })
        expect([max_attempts, answer.status]).toEqual([max_attempts, 422])
      }
    })
  })

  describe('S1.27 F6 the address guard', () => {
    test('refuses each of these at creation, in a change, in an upsert and in a direct send, and says which flag would allow it', async () => {
      const server = await newStore()()
      const kept = await anEndpoint(server, 'https://93.184.216.34/hook', { uid: 'kept' })
      for (const url of refusedUrls) {
        const expected = { status: 422, title: 'url rejected' }
        for (const [method, path, body] of [
          ['POST', '/v1/endpoints', { url }],
          ['PATCH', `/v1/endpoints/${kept.id}`, { url }],
          ['POST', '/v1/endpoints', { url, uid: 'kept' }],
          ['POST', '/v1/deliveries', { url, payload: 1 }],
        ] as const) {
          const answer = await server.call(method, path, { body })
          expect([url, answer.status]).toEqual([url, 422])
          expectProblem(answer, expected)
        }
      }
      expect((await server.call('GET', `/v1/endpoints/${kept.id}`)).json.url).toBe(
        'https://93.184.216.34/hook',
      )
      expect((await server.call('GET', '/v1/endpoints')).json.items).toHaveLength(1)
    })

    test('asks again before each request: what was allowed at creation and is not any more hears of nothing', async () => {
      const open = newStore()
      const receiver = await startReceiver()
      const first = await open({ config: loopback })
      await anEndpoint(first, receiver.url, { topics: ['*'] })
      const { port } = new URL(receiver.url)
      await anEndpoint(first, `http://localhost:${port}/`, { topics: ['*'] })
      const event = (await first.call('POST', '/v1/events', { body: { topic: 'a', payload: 1 } })).json
      await first.close()
      const second = await open({ dispatch: true, config: { allowHttp: true } })
      const deliveries = async () =>
        (await second.call('GET', `/v1/events/${event.id}`)).json.deliveries as readonly {
          readonly attempts: readonly { readonly error_class?: string; readonly http_status?: number }[]
        }[]
      let found = await deliveries()
      while (found.some(({ attempts }) => attempts.length === 0)) {
        await second.engine.ping()
        found = await deliveries()
      }
      expect(found).toHaveLength(2)
      for (const { attempts } of found) expect(attempts[0]).toMatchObject({ error_class: 'policy' })
      expect(receiver.received).toEqual([])
      await receiver.close()
    })
  })
}

const refusedUrls = [
  ...[...loopbackSpellings, ...privateSpellings].map((host) => `https://${host}/`),
  'http://93.184.216.34/',
  'ftp://93.184.216.34/',
  'https://user:pass@93.184.216.34/',
  'https://user@93.184.216.34/',
  'https://127.0.0.1/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.0.0.1/',
  'https://0177.0.0.1/',
  'https://localhost/',
  'https://x.localhost/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://192.168.1.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://100.64.0.1/',
  'https://0.0.0.0/',
  'https://0.1.2.3/',
  'https://192.0.0.8/',
  'https://198.18.0.1/',
  'https://224.0.0.1/',
  'https://240.0.0.1/',
  'https://255.255.255.255/',
  'https://[::]/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://[fc00::1]/',
  'https://[fe80::1]/',
  'https://[ff02::1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
]

async function anEndpoint(server: TestServer, url: string, members: object = {}) {
  const answer = await server.call('POST', '/v1/endpoints', { body: { url, ...members } })
  expect([url, answer.status]).toEqual([url, 201])
  return answer.json as { readonly id: string; readonly secret: string }
}

export async function aRotatingEndpoint(open: OpenServer) {
  const receiver = await startReceiver()
  const server = await open({ dispatch: true, config: loopback })
  const signing_schemes = ['standard', 'hookrail']
  const endpoint = await anEndpoint(server, receiver.url, { topics: ['*'], signing_schemes })
  return { server, receiver, endpoint }
}

/** The request of a new event. */
export async function capture(
  server: TestServer,
  receiver: Awaited<ReturnType<typeof startReceiver>>,
): Promise<ReceivedRequest> {
  const { id } = (await server.call('POST', '/v1/events', { body: { topic: 'a', payload: { n: 1 } } })).json
  const isIt = ({ eventId }: ReceivedRequest) => eventId === id
  const received = await receiver.waitFor((all) => all.some(isIt), patienceMs)
  return received.find(isIt) as ReceivedRequest
}

type Holder = 'old' | 'new' | 'both'

/** Who of three receivers takes the request, by each way to verify. */
export function verdicts(request: ReceivedRequest, secrets: { readonly old: string; readonly new: string }) {
  const holders: Readonly<Record<Holder, readonly string[]>> = {
    old: [secrets.old],
    new: [secrets.new],
    both: [secrets.new, secrets.old],
  }
  const ask = (verifies: (secret: string) => boolean) =>
    Object.fromEntries(Object.entries(holders).map(([name, held]) => [name, held.some(verifies)]))
  const [seconds = '', ...signatures] = (request.headers['hookrail-signature'] ?? '')
    .split(',')
    .map((part) => part.slice(part.indexOf('=') + 1))
  const message = Buffer.concat([Buffer.from(`${seconds}.${request.deliveryId}.`), request.body])
  const sign = (secret: string) => createHmac('sha256', secret).update(message).digest('hex')
  return {
    standard: ask((secret) =>
      passes(() => new Webhook(secret).verify(Buffer.from(request.body), { ...request.headers })),
    ),
    hookrail: ask((secret) => signatures.includes(sign(secret))),
    hookrailOwn: ask((secret) => signatures.at(-1) === sign(secret)),
  }
}

function passes(check: () => unknown): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}
