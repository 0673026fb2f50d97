/** Rows of docs/compatibility.md on what a receiver's answer makes of a delivery. */
import { expect, test } from 'vitest'
import { anHttpServer, aRefusedUrl } from '../../delivery/an-app.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

export const atOnce = { max_attempts: 3, delays: ['1ms'], jitter: 'none', retry_on: ['5xx'] }

export function describeOutcomes(scene: SendingScene): void {
  test.each([
    [200, 'succeeded', null, 'success'],
    [204, 'succeeded', null, 'success'],
    [299, 'succeeded', null, 'success'],
    [301, 'dead_lettered', 'redirect_rejected', 'permanent_failure'],
    [304, 'dead_lettered', 'redirect_rejected', 'permanent_failure'],
    [400, 'dead_lettered', 'http_400', 'permanent_failure'],
    [401, 'dead_lettered', 'http_401', 'permanent_failure'],
    [404, 'dead_lettered', 'http_404', 'permanent_failure'],
    [408, 'retry_scheduled', 'http_408', 'retryable_failure'],
    [410, 'dead_lettered', 'http_410', 'permanent_failure'],
    [422, 'dead_lettered', 'http_422', 'permanent_failure'],
    [425, 'retry_scheduled', 'http_425', 'retryable_failure'],
    [429, 'retry_scheduled', 'http_429', 'retryable_failure'],
    [500, 'retry_scheduled', 'http_500', 'retryable_failure'],
    [501, 'retry_scheduled', 'http_501', 'retryable_failure'],
    [503, 'retry_scheduled', 'http_503', 'retryable_failure'],
    [520, 'retry_scheduled', 'http_520', 'retryable_failure'],
    [599, 'retry_scheduled', 'http_599', 'retryable_failure'],
  ] as const)(
    'S1.20 an answer of %i makes it %s under hookrail',
    async (status, state, errorClass, attempt) => {
      const { id } = await scene.deliver(`${scene.receiver.url}/status/${status}`, {
        retry_policy: 'hookrail',
      })
      expect((await scene.attempted(id))[0]).toMatchObject({
        state,
        errorClass,
        httpStatus: status,
        attemptNo: 1,
      })
      // A retry may have followed meanwhile, which was answered in the same way.
      const delivery = await scene.shown(id)
      expect(delivery).toMatchObject({ error_class: errorClass, last_http_status: status })
      expect(delivery.attempts[0]).toMatchObject({
        attempt_no: 1,
        status: attempt,
        http_status: status,
        error_class: errorClass,
      })
    },
  )

  test.each([
    ['a refused connection', aRefusedUrl],
    ['a dropped connection', async () => `${scene.receiver.url}/drop`],
  ])('S1.20 %s is retried as connection', async (_, url) => {
    const { id } = await scene.deliver(await url(), { retry_policy: 'hookrail' })
    const state = 'retry_scheduled'
    expect((await scene.attempted(id))[0]).toMatchObject({
      state,
      errorClass: 'connection',
      httpStatus: null,
    })
    const failed = { status: 'retryable_failure', error_class: 'connection', http_status: null }
    expect((await scene.shown(id)).attempts[0]).toMatchObject(failed)
  })

  test('S1.21 S1.24 the waits lie within min(cap, base · 2^(n-1)), and eight attempts end as a dead letter', async () => {
    const topic = aName('backoff')
    const url = `${scene.receiver.url}/status/500`
    const endpoint = (await scene.server.call('POST', '/v1/endpoints', { body: { url } })).json
    const backoff_policy = { base_ms: 10, cap_ms: 100 }
    const subscription = { endpoint_id: endpoint.id, topic_pattern: topic, backoff_policy }
    expect((await scene.server.call('POST', '/v1/subscriptions', { body: subscription })).status).toBe(201)
    const { json } = await scene.server.call('POST', '/v1/events', { body: { topic, payload: 1 } })
    const id = json.delivery_ids[0]
    const eight = await scene.attempted(id, 8)
    for (const [index, { nextAttemptInMs }] of eight.slice(0, 7).entries()) {
      expect(nextAttemptInMs).toBeGreaterThanOrEqual(0)
      expect(nextAttemptInMs).toBeLessThanOrEqual(Math.min(100, 10 * 2 ** index))
    }
    expect(eight[7]).toMatchObject({ attemptNo: 8, state: 'dead_lettered', nextAttemptInMs: null })
    const given = {
      state: 'dead_lettered',
      attempt_count: 8,
      error_class: 'http_500',
      next_attempt_at: null,
    }
    expect(await scene.shown(id)).toMatchObject(given)
    const { items } = (await scene.server.call('GET', `/v1/dlq?endpoint_id=${endpoint.id}`)).json
    expect(items).toMatchObject([{ delivery_id: id, final_error: 'http_500', last_http_status: 500 }])
  })

  const profiles = [
    ['S3.6', 'dograh', 30_000],
    ['S4.7', 'pyfly', 5_000],
  ] as const
  test.each(profiles)(
    '%s under %s the first wait is exactly that of the profile',
    async (_row, profile, base) => {
      const { id } = await scene.deliver(`${scene.receiver.url}/status/503`, { retry_policy: profile })
      const first = { state: 'retry_scheduled', attemptNo: 1, nextAttemptInMs: base }
      expect((await scene.attempted(id))[0]).toMatchObject(first)
    },
  )

  test.each([
    [408, 'retry_scheduled'],
    [425, 'dead_lettered'],
    [429, 'retry_scheduled'],
    [500, 'retry_scheduled'],
    [501, 'retry_scheduled'],
    [599, 'retry_scheduled'],
    [302, 'dead_lettered'],
    [400, 'dead_lettered'],
    [404, 'dead_lettered'],
  ])('S4.6 an answer of %i makes it %s under pyfly', async (status, state) => {
    const { id } = await scene.deliver(`${scene.receiver.url}/status/${status}`, { retry_policy: 'pyfly' })
    expect((await scene.attempted(id))[0]).toMatchObject({ state, httpStatus: status })
  })

  const seven = { max_attempts: 5, delays: ['7s'], jitter: 'none', retry_on: ['429'] }
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString()
  const waits: readonly [string, header: () => string, [least: number, most: number]][] = [
    ['seconds that are longer than the own wait win', () => '120', [120_000, 120_000]],
    ['seconds that are shorter lose', () => '3', [7000, 7000]],
    ['a fraction of a second counts', () => '7.5', [7500, 7500]],
    ['an infinite number counts for nothing', () => '1e999', [7000, 7000]],
    ['what is neither counts for nothing', () => 'soon', [7000, 7000]],
    ['a date ahead wins', () => inSeconds(90), [30_000, 90_000]],
    ['a date that is past loses', () => inSeconds(-90), [7000, 7000]],
    ['nobody waits for more than a day', () => '9999999', [86_400_000, 86_400_000]],
  ]
  test.each(waits)('S1.22 G5 F9 Retry-After: %s', async (_, header, [least, most]) => {
    const url = await anHttpServer((_request, response) => {
      response.writeHead(429, { 'retry-after': header() }).end()
    })
    const { id } = await scene.deliver(url, { retry_policy: seven })
    const wait = (await scene.attempted(id))[0]?.nextAttemptInMs ?? 0
    expect(wait).toBeGreaterThanOrEqual(least)
    expect(wait).toBeLessThanOrEqual(most)
    const { next_attempt_at: next, state } = await scene.shown(id)
    expect(state).toBe('retry_scheduled')
    // The attempt was over just now.
    expect(Math.abs(Date.parse(next) - Date.now() - wait)).toBeLessThan(5000)
  })

  test('S1.25 a redirect is given up as redirect_rejected, and its target never hears of it', async () => {
    const { id } = await scene.deliver(`${scene.receiver.url}/redirect`)
    await scene.attempted(id)
    const refused = { state: 'dead_lettered', error_class: 'redirect_rejected', last_http_status: 302 }
    expect(await scene.shown(id)).toMatchObject(refused)
    expect(scene.receiver.received.filter(({ path }) => path === '/redirected')).toEqual([])
  })

  test('S1.26 a megabyte that dribbles in is cut off, and the answer counts', async () => {
    const { id } = await scene.deliver(`${scene.receiver.url}/slow-body`)
    // The whole body takes 6 s.
    expect((await scene.attempted(id))[0]?.latencyMs).toBeLessThan(5900)
    const { state, attempts: made } = await scene.shown(id)
    expect([state, made[0].response.truncated]).toEqual(['succeeded', true])
    expect(made[0].response.body.length).toBeLessThanOrEqual(16_384)
  })

  test('S1.32 a replay starts the attempts at 1 again and keeps id, history and claim version', async () => {
    let status = 400
    const url = await anHttpServer((_request, response) => {
      response.writeHead(status).end()
    })
    const { id } = await scene.deliver(url)
    await scene.attempted(id)
    status = 200
    const replay = () => scene.server.call('POST', `/v1/dlq/${id}/replay`)
    expect((await replay()).json).toEqual({ delivery_id: id, state: 'pending' })
    await scene.attempted(id, 2)
    const delivery = await scene.shown(id)
    expect(delivery).toMatchObject({ state: 'succeeded', attempt_count: 1 })
    expect(delivery.attempts).toMatchObject([
      { attempt_no: 1, status: 'permanent_failure' },
      { attempt_no: 1, status: 'success' },
    ])
    expect(delivery.attempts[1].claim_version).toBeGreaterThan(delivery.attempts[0].claim_version)
    expectProblem(await replay(), { status: 409, title: 'not replayable', detail: 'succeeded' })
  })

  test('S1.39 a rate of 20 holds for an endpoint of one server too, and costs no attempt', async () => {
    const topic = aName('rate')
    const settings = { url: `${scene.receiver.url}/rate`, topics: [topic], rate_limit_rps: 20 }
    await scene.server.call('POST', '/v1/endpoints', { body: settings })
    const events = Array.from({ length: 60 }, (_, n) => ({ topic, payload: { n } }))
    const { items } = (await scene.server.call('POST', '/v1/events/batch', { body: { events } })).json
    const ids: string[] = items.flatMap((item: { delivery_ids: string[] }) => item.delivery_ids)
    const startedAt = performance.now()
    for (const id of ids)
      expect(await scene.attempted(id)).toMatchObject([{ attemptNo: 1, state: 'succeeded' }])
    // Two seconds' worth at the most are saved up, as a burst.
    expect(performance.now() - startedAt).toBeGreaterThan(900)
    for (const id of ids) expect((await scene.shown(id)).attempt_count).toBe(1)
  })

  test('S1.31 dead letters are listed by endpoint, topic and time; a replay is 200, 404, 409 or 410, and of eight at once one is 200', async () => {
    const { server, receiver } = scene
    const before = new Date().toISOString()
    const { id, topic, endpoint, eventId } = await scene.deliver(`${receiver.url}/status/400`)
    await scene.attempted(id)
    const list = async (query: string) =>
      (await server.call('GET', `/v1/dlq?${query}`)).json.items.map((item: { id: string }) => item.id)
    expect(await list(`endpoint_id=${endpoint.id}`)).toEqual([id])
    expect(await list(`topic=${topic}&since=${before}`)).toEqual([id])
    expect(await list(`topic=${topic}&until=${before}`)).toEqual([])
    expect(await list(`topic=${topic}-other`)).toEqual([])

    const replay = (delivery: string) => server.call('POST', `/v1/dlq/${delivery}/replay`)
    await server.call('PATCH', `/v1/endpoints/${endpoint.id}`, { body: { url: `${receiver.url}/hook` } })
    const answers = await Promise.all(Array.from({ length: 8 }, () => replay(id)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(409)])
    expect((await scene.attempted(id, 2))[1]).toMatchObject({ state: 'succeeded' })
    expect(await list(`endpoint_id=${endpoint.id}`)).toEqual([])
    expectProblem(await replay('dlv_01h455vb4pex5vsknk084sn02q'), { status: 404 })

    const gone = await scene.deliver(`${receiver.url}/status/400`)
    await scene.attempted(gone.id)
    expect((await server.call('DELETE', `/v1/events/${gone.eventId}/payload`)).status).toBe(200)
    expectProblem(await replay(gone.id), { status: 410, title: 'expired' })
    expect((await server.call('GET', `/v1/events/${eventId}`)).json.deliveries).toMatchObject([{ id }])
  })
}
