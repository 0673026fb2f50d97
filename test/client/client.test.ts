/** S1.51: the client against a server that behaves in every way; `test/slow/client-runtimes.test.ts` has other runtimes. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ApiError, RetryError } from '../../src/client/errors.ts'
import { ClientOptionError, createClient } from '../../src/client/index.ts'
import { withRetries } from '../../src/client/retry.ts'
import { runCases } from './cases.ts'
import { expectCases } from './expect-cases.ts'
import { type StubServer, startStubServer } from './stub-server.ts'

let stub: StubServer
let closedUrl: string

beforeAll(async () => {
  stub = await startStubServer()
  const closed = await startStubServer()
  closedUrl = closed.url
  closed.close()
})
afterAll(() => stub.close())

test('S1.51: every case gives what it has to: retries with the same bytes and key, errors by class, timeouts in force', async () => {
  const results = await runCases({ url: stub.url, closedUrl, tag: 'node' })
  expectCases(results, stub, 'node')
})

describe('waits between attempts', () => {
  /** How long it would wait, with what is drawn. */
  const waits = async (
    drawn: number,
    retryAfterSeconds: number | null,
    maxRetries = 6,
  ): Promise<number[]> => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const times: number[] = []
    const problem = { status: 503, code: null, title: 't', detail: 'd', retryAfterSeconds }
    const fails = withRetries(
      async () => {
        times.push(performance.now())
        throw new ApiError(problem)
      },
      {
        policy: { maxRetries, baseMs: 200, capMs: 1000, maxElapsedMs: 30_000 },
        isRepeatable: true,
        signal: undefined,
        random: () => drawn,
      },
    ).catch((error: unknown) => error)
    await vi.runAllTimersAsync()
    expect(await fails).toBeInstanceOf(RetryError)
    vi.useRealTimers()
    return times.slice(1).map((time, index) => Math.round(time - (times[index] ?? 0)))
  }

  test('are drawn from nothing up to twice as much each time, and no more than the cap', async () => {
    expect(await waits(1, null)).toEqual([200, 400, 800, 1000, 1000, 1000])
    expect(await waits(0.5, null)).toEqual([100, 200, 400, 500, 500, 500])
    expect(await waits(0, null)).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('are at least what the server asks for, and end before the time for all is up', async () => {
    expect(await waits(0, 7)).toEqual([7000, 7000, 7000, 7000])
    expect(await waits(1, 7)).toEqual([7200, 7200, 7200, 7200])
    expect(await waits(0, 31)).toEqual([])
  })
})

describe('what is given', () => {
  test.each([
    ['no address', {}],
    ['an address without a scheme', { url: 'localhost:8080' }],
    ['another scheme', { url: 'ftp://a' }],
    ['a timeout of nothing', { url: 'http://a', timeoutMs: 0 }],
    ['a negative number of retries', { url: 'http://a', retry: { maxRetries: -1 } }],
    ['an endless wait', { url: 'http://a', retry: { capMs: Number.POSITIVE_INFINITY } }],
  ])('%s is refused at once', (_what, options) => {
    vi.stubEnv('OUTHOOK_URL', undefined)
    expect(() => createClient(options)).toThrow(ClientOptionError)
    vi.unstubAllEnvs()
  })

  test('address and token come from the environment where they are not given', async () => {
    vi.stubEnv('OUTHOOK_URL', `${stub.url}/ok:environment`)
    vi.stubEnv('OUTHOOK_TOKEN', 'hk_environment')
    await createClient().send({ topic: 'a', payload: 1 })
    vi.unstubAllEnvs()
    expect(stub.requestsOf('ok:environment')[0]?.headers.authorization).toBe('Bearer hk_environment')
  })

  test.each<[string, object]>([
    ['no payload', { topic: 'a' }],
    ['a function', { topic: 'a', payload: () => 1 }],
    ['a body that is no JSON', { topic: 'a', body: '1},"topic":"b","payload":{' }],
    ['a body that is not UTF-8', { topic: 'a', body: Uint8Array.of(0x22, 0xff, 0x22) }],
  ])('%s is refused before a request is made', async (_what, event) => {
    const client = createClient({ url: `${stub.url}/ok:refused` })
    await expect(client.send(event as Parameters<typeof client.send>[0])).rejects.toThrow()
    expect(stub.requestsOf('ok:refused')).toEqual([])
  })

  test('a body goes out byte for byte, and keys that no header can hold go as members', async () => {
    const client = createClient({ url: `${stub.url}/ok:bytes` })
    const body = '{"b": 1.0,  "a":12345678901234567890, "a":"\\u00e9" }'
    await client.send({
      topic: 'a',
      body,
      idempotencyKey: 'Schlüssel 1',
      orderingKey: 'o',
      metadata: { m: '1' },
    })
    await client.send({ topic: 'a', body: new TextEncoder().encode(body) })
    const [first, second] = stub.requestsOf('ok:bytes')
    expect(first?.body).toBe(
      `{"idempotency_key":"Schlüssel 1","topic":"a","metadata":{"m":"1"},"ordering_key":"o","payload":${body}}`,
    )
    expect(first?.headers).not.toHaveProperty('idempotency-key')
    expect(second?.body).toBe(`{"topic":"a","payload":${body}}`)
  })

  test('a key that is a member of a body makes the call one that can be repeated, with the same bytes', async () => {
    const client = createClient({ url: `${stub.url}/503:member`, retry: { baseMs: 1, capMs: 5 } })
    await client.events.publish({
      topic: 'a',
      payload: { a_b: 1, aB: [1.0] },
      idempotencyKey: 'k',
      orderingKey: 'o',
    })
    const requests = stub.requestsOf('503:member')
    expect(requests.map(({ body, headers }) => [body, headers['idempotency-key']])).toEqual(
      Array(3).fill([
        '{"topic":"a","payload":{"a_b":1,"aB":[1]},"idempotency_key":"k","ordering_key":"o"}',
        undefined,
      ]),
    )
  })

  test('a tenant goes along where the route takes one, and a call’s own wins', async () => {
    const client = createClient({ url: `${stub.url}/pages:tenant`, tenant: 'acme' })
    await client.endpoints.list()
    await client.endpoints.list({}, { tenant: 'other' })
    await client.tenants.list()
    expect(stub.requestsOf('pages:tenant').map(({ url }) => url)).toEqual([
      '/v1/endpoints?tenant=acme',
      '/v1/endpoints?tenant=other',
      '/v1/tenants',
    ])
  })

  test('a page that nobody awaits is not asked for, and one that is awaited twice is asked for once', async () => {
    const client = createClient({ url: `${stub.url}/pages:lazy` })
    const page = client.endpoints.list()
    expect(stub.requestsOf('pages:lazy')).toEqual([])
    expect(await page).toBe(await page)
    expect(stub.requestsOf('pages:lazy')).toHaveLength(1)
  })

  test('a list goes on behind pages that end early, and behind empty ones', async () => {
    const client = createClient({ url: `${stub.url}/sparse:loop` })
    const ids: string[] = []
    for await (const { id } of client.deliveries.list({ topic: 'rare' })) ids.push(id)
    expect(ids).toEqual(['dlv_1', 'dlv_3'])
    expect(stub.requestsOf('sparse:loop')).toHaveLength(5)
  })
})
