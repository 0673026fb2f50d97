/** What `cases.ts` has to give in every runtime. */
import { expect } from 'vitest'
import type { StubServer } from './stub-server.ts'

const receipt = { id: 'evt_1', eventId: 'evt_1', deliveryIds: ['dlv_1'] }
const sent = { value: { ...receipt, replayed: false } }

const classes: Readonly<Record<string, string>> = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  403: 'PermissionDeniedError',
  404: 'NotFoundError',
  409: 'ConflictError',
  410: 'ApiError',
  412: 'VersionConflictError',
  413: 'PayloadTooLargeError',
  418: 'ApiError',
  422: 'UnprocessableError',
}

export function expectCases(results: Record<string, unknown>, stub: StubServer, tag: string): void {
  const requestsOf = (behaviour: string) => stub.requestsOf(`${behaviour}:${tag}`)
  expect(results).toMatchObject({ ok: sent, replayed: { value: { ...receipt, replayed: true } } })
  const [first] = requestsOf('ok')
  expect(first).toMatchObject({
    method: 'POST',
    url: '/v1/events',
    body: '{"topic":"orders.created","payload":{"id":1,"name":"José 😀"}}',
    headers: { authorization: 'Bearer hk_1', 'content-type': 'application/json' },
  })
  expect(requestsOf('replayed')[0]?.headers['idempotency-key']).toBe('k1')

  for (const behaviour of ['503', '500', '408', '425', '429', 'drop', 'cut', '429-after']) {
    expect(results[behaviour], behaviour).toEqual(sent)
    const requests = requestsOf(behaviour)
    // Some runtimes repeat a dropped connection once by themselves, with the same bytes.
    expect(requests.length, behaviour).toBeGreaterThanOrEqual(['drop', 'cut'].includes(behaviour) ? 2 : 3)
    const same = requests.map(({ body, headers }) =>
      [body, headers['idempotency-key'], headers.authorization].join(),
    )
    expect(new Set(same).size, behaviour).toBe(1)
    expect(requests[0]?.headers['idempotency-key'], behaviour).toMatch(/^[\w-]{36}$/)
  }
  const waited = requestsOf('429-after').map(({ at }) => at)
  expect(waited[1]).toBeGreaterThanOrEqual(1000)
  expect(waited[2]).toBeGreaterThanOrEqual(2000)

  for (const [status, name] of Object.entries(classes)) {
    expect(results[`always-${status}`], status).toMatchObject({
      error: name,
      isClientError: true,
      isApiError: true,
      isConnectionError: false,
      status: Number(status),
      code: `code_${status}`,
      title: `title ${status}`,
      detail: `detail ${status}`,
    })
    expect(requestsOf(`always-${status}`), status).toHaveLength(1)
  }
  expect(results).toMatchObject({
    'always-429': { error: 'RetryError', attempts: 4, cause: 'RateLimitError', isApiError: false },
    'always-503': { error: 'RetryError', attempts: 4, cause: 'ServerError', isClientError: true },
    'always-drop': { error: 'RetryError', attempts: 4, cause: 'ConnectionError' },
    'always-504': { error: 'ServerError', status: 504 },
    late: { error: 'RetryError', attempts: 1, cause: 'RateLimitError', retryAfterSeconds: 60 },
    redirect: { error: 'ApiError', status: 302 },
    html: { error: 'UnexpectedAnswerError' },
    'html-error': { error: 'BadRequestError', status: 400, code: null },
    closed: { error: 'RetryError', attempts: 4, cause: 'ConnectionError' },
    stall: { error: 'RetryError', attempts: 2, cause: 'TimeoutError', isTimeout: true },
    drip: { error: 'RetryError', attempts: 2, cause: 'TimeoutError', isTimeout: true },
    aborted: { error: 'TimeoutError', isClientError: false },
    'aborted-wait': { error: 'TimeoutError', isClientError: false },
    'aborted-before': { error: 'Error', isClientError: false },
  })
  for (const name of ['429', '503']) expect(requestsOf(`always-${name}`)).toHaveLength(4)
  expect(requestsOf('redirect')).toHaveLength(1)
  expect(requestsOf('html')).toHaveLength(1)
  // A minute is what the wait would be, had nobody ended it.
  expect((results['aborted-wait'] as { ms: number }).ms).toBeLessThan(60_000)
  expectResources(results, { requestsOf, tag })
}

function expectResources(
  results: Record<string, unknown>,
  { requestsOf, tag }: { readonly requestsOf: StubServer['requestsOf']; readonly tag: string },
): void {
  expect(results).toMatchObject({
    pages: { value: { ids: ['ep_0', 'ep_1', 'ep_2', 'ep_3', 'ep_4', 'ep_5'], first: 2, count: 3 } },
    delivered: { value: { ...receipt, deliveries: [{ id: 'dlv_1', state: 'succeeded' }] } },
    dead: { error: 'NotDeliveredError', states: ['dead_lettered'], timedOut: false },
    waiting: { error: 'NotDeliveredError', states: ['pending'], timedOut: true },
    many: {
      value: [
        { status: 202, eventId: 'evt_a' },
        { status: 422, code: 'unprocessable' },
        { status: 202, eventId: 'evt_busy' },
      ],
    },
    'many-of-many': { value: [1001, 1000, { status: 500, title: 'not sent' }] },
    'create-500': { error: 'RetryError', attempts: 4, cause: 'ServerError' },
    'raw-500': { error: 'ServerError', status: 500 },
    'create-429': { value: receipt },
    // Chromium sends a request again, whatever its method, when the connection that it had kept is closed.
    'create-drop': { value: receipt },
    'raw-drop': tag === 'chromium' ? expect.anything() : { error: 'ConnectionError' },
    'change-500': { value: receipt },
    // Sent again, it would meet the change that it may have made.
    'match-500': { error: 'ServerError', status: 500 },
  })
  const headers = '"headers":{"__proto__":"1","a_b":"2","aB":"3"}'
  expect(results.named).toEqual({
    value: [
      `{"id":"ep_1","maxInFlight":2,${headers},"retryPolicy":{"maxAttempts":3}}`,
      `{"maxInFlight":2,${headers},"retryPolicy":{"maxAttempts":3},"topics":["a_b"]}`,
      2,
    ],
  })
  const change = `{"max_in_flight":2,${headers},"retry_policy":{"max_attempts":3},"topics":["a_b"]}`
  expect(requestsOf('named').map(({ body }) => body)).toEqual([change, change])
  expect(requestsOf('pages:filtered')[0]?.url).toBe('/v1/endpoints?uid=a_b&include_deleted=true')
  expect(results.filtered).toMatchObject({ value: { nextCursor: '1' } })
  expect(results.deleted).toEqual({})
  expect(requestsOf('empty').map(({ method, url }) => [method, url])).toEqual([
    ['DELETE', '/v1/endpoints/ep_%2F%3F%23'],
  ])
  expect(requestsOf('500:match').map(({ headers }) => headers['if-match'])).toEqual(['"v1", "v2.s"'])
  const keys = requestsOf('always-500:create').map(({ headers }) => headers['idempotency-key'])
  expect([keys.length, new Set(keys).size, keys[0]]).toEqual([4, 1, expect.stringMatching(/^[\w-]{36}$/)])
  expect(requestsOf('pages')[0]?.url).toBe('/v1/endpoints?limit=2')
  expect(requestsOf('pages').some(({ url }) => url === '/v1/endpoints?limit=2&cursor=1')).toBe(true)
  const batches = requestsOf('batch').map(
    ({ body }) => (JSON.parse(body) as { events: Record<string, string>[] }).events,
  )
  expect(batches.map((events) => events.map(({ topic }) => topic))).toEqual([['a', 'bad', 'busy'], ['busy']])
  expect(batches[1]?.[0]).toEqual(batches[0]?.[2])
  expect(batches[0]?.[0]?.idempotency_key).toMatch(/^[\w-]{36}$/)
}
