/**
 * What a program does with the client, once for every runtime: no imports but the client's. Each case gives what came of
 * it as plain data, which the test compares; `prefix` keeps the runtimes' requests apart.
 */
import {
  ApiError,
  ClientError,
  type ClientOptions,
  ConnectionError,
  createClient,
  NotDeliveredError,
  RetryError,
  TimeoutError,
} from '../../src/client/index.ts'

export interface Setting {
  /** Of the stub server. */
  readonly url: string
  /** Where nothing listens. */
  readonly closedUrl: string
  readonly tag: string
}

const event = { topic: 'orders.created', payload: { id: 1, name: 'José 😀' } }
const fast = { baseMs: 1, capMs: 5 }

async function outcome(call: () => PromiseLike<unknown>): Promise<Record<string, unknown>> {
  const start = performance.now()
  try {
    return { value: await call() }
  } catch (error) {
    const cause = (error as Error).cause
    return {
      error: (error as Error).name,
      isClientError: error instanceof ClientError,
      isApiError: error instanceof ApiError,
      isConnectionError: error instanceof ConnectionError,
      ...(error instanceof ApiError && {
        status: error.status,
        code: error.code,
        title: error.title,
        detail: error.detail,
      }),
      ...(error instanceof RetryError && {
        attempts: error.attempts,
        cause: (cause as Error).name,
        isTimeout: cause instanceof TimeoutError,
        retryAfterSeconds: cause instanceof ApiError ? cause.retryAfterSeconds : null,
      }),
      ...(error instanceof NotDeliveredError && { states: error.states, timedOut: error.timedOut }),
      ms: performance.now() - start,
    }
  }
}

const statuses = ['400', '401', '403', '404', '409', '410', '412', '413', '418', '422']

export async function runCases({ url, closedUrl, tag }: Setting): Promise<Record<string, unknown>> {
  const at = (behaviour: string, options: Partial<ClientOptions> = {}) =>
    createClient({ url: `${url}/${behaviour}:${tag}/`, token: 'hk_1', retry: fast, ...options })
  const results: Record<string, unknown> = {}
  const tries: Promise<void>[] = []
  const run = (name: string, call: () => PromiseLike<unknown>) => {
    tries.push(
      outcome(call).then((result) => {
        results[name] = result
      }),
    )
  }

  run('ok', () => at('ok').send(event))
  run('replayed', () => at('replayed').send({ ...event, idempotencyKey: 'k1' }))
  for (const behaviour of ['503', '500', '408', '425', '429', 'drop', 'cut']) {
    run(behaviour, () => at(behaviour).send(event))
  }
  run('429-after', () => at('429-after').send(event))
  for (const status of statuses) run(`always-${status}`, () => at(`always-${status}`).send(event))
  for (const status of ['429', '503', 'drop'])
    run(`always-${status}`, () => at(`always-${status}`).send(event))
  run('always-504', () => at('always-504', { retry: { maxRetries: 0 } }).send(event))
  run('late', () => at('late').send(event))
  run('redirect', () => at('redirect').send(event))
  run('html', () => at('html').send(event))
  run('html-error', () => at('html-error').send(event))
  run('closed', () => createClient({ url: closedUrl, retry: fast }).send(event))
  run('stall', () => at('stall', { timeoutMs: 200, retry: { maxRetries: 1, baseMs: 1 } }).send(event))
  run('drip', () => at('drip', { timeoutMs: 200, retry: { maxRetries: 1, baseMs: 1 } }).send(event))
  run('aborted', () => at('stall').send(event, { signal: AbortSignal.timeout(100) }))
  run('aborted-wait', () =>
    at('always-500', {
      retry: { baseMs: 60_000, capMs: 60_000, maxElapsedMs: 600_000 },
      random: () => 1,
    }).send(event, {
      signal: AbortSignal.timeout(300),
    }),
  )
  run('aborted-before', () => at('ok').send(event, { signal: AbortSignal.abort(new Error('before')) }))

  run('pages', async () => {
    const ids: string[] = []
    for await (const { id } of at('pages').endpoints.list({ limit: 2 })) ids.push(id)
    const first = await at('pages').endpoints.list()
    let count = 0
    for await (const _ of at('pages').endpoints.list().pages()) count++
    return { ids, first: first.items.length, count }
  })
  run('named', async () => {
    const headers = JSON.parse('{"__proto__":"1","a_b":"2","aB":"3"}')
    const change = { maxInFlight: 2, headers, retryPolicy: { maxAttempts: 3 }, topics: ['a_b'] }
    const changed = await at('named').endpoints.update('ep_1', change)
    // Of the caller's own object nothing is changed.
    return [JSON.stringify(changed), JSON.stringify(change), changed.maxInFlight]
  })
  run('filtered', () => at('pages:filtered').endpoints.list({ uid: 'a_b', includeDeleted: true }))
  run('deleted', () => at('empty').endpoints.delete('ep_/?#'))
  run('delivered', () => at('delivered').waitUntilDelivered('evt_1'))
  run('dead', () => at('dead').waitUntilDelivered('evt_1'))
  run('waiting', () => at('waiting').waitUntilDelivered('evt_1', { timeoutMs: 200 }))
  run('many', () => at('batch').sendMany(['a', 'bad', 'busy'].map((topic) => ({ topic, payload: 1 }))))
  run('many-of-many', async () => {
    const events = Array.from({ length: 1001 }, (_, n) => ({ topic: 't', payload: n }))
    const sent = await at('second-batch').sendMany(events)
    return [sent.length, sent.filter(({ status }) => status === 202).length, sent.at(-1)]
  })
  run('create-500', () => at('always-500:create').endpoints.create({ url: 'https://a.example' }))
  run('create-429', () => at('429:create').endpoints.create({ url: 'https://a.example' }))
  run('create-drop', () => at('drop:create').endpoints.create({ url: 'https://a.example' }))
  // A key that nobody gave cannot be taken for granted where the route is not known.
  const raw = { body: { url: 'https://a.example' } }
  run('raw-500', () => at('always-500:raw').request('POST', '/v1/endpoints', raw))
  run('raw-drop', () => at('drop:raw').request('POST', '/v1/endpoints', raw))
  run('change-500', () => at('500:change').endpoints.update('ep_1', { enabled: true }))
  const ifMatch = ['v1', '"v2.s"']
  run('match-500', () => at('500:match').endpoints.update('ep_1', { enabled: true }, { ifMatch }))
  await Promise.all(tries)
  return results
}
