/** One attempt at an endpoint of several URLs, by what becomes of each request. */
import { expect, test } from 'vitest'
import { sendToPool } from '../../src/destinations/http/send-to-pool.ts'
import { UrlPool } from '../../src/destinations/http/url-pool.ts'
import type { AttemptRequest, AttemptResult } from '../../src/sender/port.ts'

const addresses = ['https://a.example/x', 'https://b.example/y', 'https://c.example/z'].map((href) => ({
  href,
  url: new URL(href),
}))
const answered = {
  kind: 'response',
  httpStatus: 200,
  response: { headers: [['x-a', 'b']], body: new Uint8Array(), truncated: false },
  retryAfter: null,
  latencyMs: 1,
} as const satisfies AttemptResult

type FailureClass = Extract<AttemptResult, { kind: 'failure' }>['errorClass']

const failed = (errorClass: FailureClass, mayHaveArrived = false): AttemptResult => ({
  kind: 'failure',
  errorClass,
  error: errorClass,
  httpStatus: null,
  latencyMs: 1,
  ...(mayHaveArrived && { mayHaveArrived }),
})

interface Step {
  readonly result: AttemptResult
  readonly tookMs?: number
}

/** Each URL of the pool ends its request as its step says. */
async function attempt(
  steps: readonly Step[],
  { failOver = true, timeoutMs }: { failOver?: boolean; timeoutMs?: number } = {},
) {
  let now = 0
  const tried: { readonly host: string; readonly timeoutMs: number | undefined }[] = []
  const request: AttemptRequest = {
    destination: { kind: 'http', url: addresses[0]!.url },
    method: 'POST',
    headers: {},
    body: new Uint8Array(),
    ...(timeoutMs !== undefined && { timeoutMs }),
  }
  const sender = {
    totalTimeoutMs: 15_000,
    attempt: async ({ destination, timeoutMs: given }: AttemptRequest) => {
      const { result, tookMs = 10 } = steps[tried.length]!
      tried.push({ host: destination.url.host, timeoutMs: given })
      now += tookMs
      return result
    },
  }
  const pool = new UrlPool()
  const result = await sendToPool(
    request,
    { addresses, failOver },
    { sender, clock: { elapsed: () => now }, pool },
  )
  return {
    result,
    tried,
    next: pool
      .inOrder(addresses, now)
      .map(({ url }) => url.host[0])
      .join(''),
  }
}

test.each(['connection', 'dns', 'tls', 'policy'] as const)(
  'after %s the next URL is asked, and which answered stands first in what is kept',
  async (errorClass) => {
    const { result, tried, next } = await attempt([{ result: failed(errorClass) }, { result: answered }])
    expect(tried.map(({ host }) => host)).toEqual(['a.example', 'b.example'])
    expect(result).toMatchObject({
      kind: 'response',
      latencyMs: 20,
      response: {
        headers: [
          [':url', 'https://b.example'],
          ['x-a', 'b'],
        ],
      },
    })
    expect(next).toBe('bca')
  },
)

test('a connection that is not made in time goes on, a receiver that is silent does not', async () => {
  const unmade = await attempt([{ result: failed('timeout') }, { result: answered }])
  expect([unmade.tried.length, unmade.result.kind]).toEqual([2, 'response'])
  const silent = await attempt([{ result: failed('timeout', true) }, { result: answered }])
  expect(silent.tried).toHaveLength(1)
  expect(silent.result).toEqual({ ...failed('timeout', true), latencyMs: 10 })
  expect(silent.next).toBe('bca')
})

test('a fault of ours ends the attempt, and says nothing of the URL', async () => {
  const { result, tried, next } = await attempt([{ result: failed('internal') }, { result: answered }])
  expect([tried.length, result]).toMatchObject([1, { kind: 'failure', errorClass: 'internal' }])
  expect(next).toBe('bca')
})

test('all URLs share the timeout of one attempt, and with less than a second left none is asked', async () => {
  const refused = failed('connection')
  const { tried, result } = await attempt(
    [{ result: refused, tookMs: 2500 }, { result: refused, tookMs: 1600 }, { result: answered }],
    { timeoutMs: 5000 },
  )
  expect(tried).toEqual([
    { host: 'a.example', timeoutMs: 5000 },
    { host: 'b.example', timeoutMs: 2000 },
  ])
  expect(result).toMatchObject({ kind: 'failure', latencyMs: 4100, error: 'connection; connection' })
})

test('the server’s total timeout is shared where the endpoint has none', async () => {
  const { tried } = await attempt([{ result: failed('dns'), tookMs: 3000 }, { result: answered }])
  expect(tried.map(({ timeoutMs }) => timeoutMs)).toEqual([undefined, 12_000])
})

test('an address that policy refuses is no reason to give up while another URL may be tried again', async () => {
  const steps = [{ result: failed('dns') }, { result: failed('policy') }, { result: failed('policy') }]
  expect((await attempt(steps)).result).toMatchObject({ errorClass: 'dns', error: 'dns; policy; policy' })
  const refused = [1, 2, 3].map(() => ({ result: failed('policy') }))
  expect((await attempt(refused)).result).toMatchObject({ errorClass: 'policy' })
})

test('without fail-over one URL is asked', async () => {
  const { tried, next } = await attempt([{ result: failed('connection') }], { failOver: false })
  expect([tried.length, next]).toEqual([1, 'bca'])
})
