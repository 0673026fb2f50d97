/** `GET /v1/stream` on a store of any kind; `two` is another server on the same store, or the same one. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { createClient, type StreamedItem, type StreamQuery } from '../../../src/client/index.ts'
import type { Receiver } from '../../../src/testing/receiver.ts'
import { patienceMs } from '../../patience.ts'
import { adminToken, type CallOptions, type TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName } from './scene.ts'

interface Scene {
  readonly one: TestServer
  readonly two: TestServer
  readonly receiver: Receiver
}

interface Reading {
  readonly items: readonly StreamedItem[]
  /** Resolves with the first that has these members. */
  seen(members: object): Promise<StreamedItem>
  /** What ended it; null: it goes on. */
  readonly error: unknown
  stop(): void
}

interface ReadOptions extends StreamQuery {
  readonly token?: string
  readonly tenant?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Reads until the test ends, from the moment that this resolves. */
export async function aReading(server: TestServer, given: ReadOptions = {}): Promise<Reading> {
  const { token = adminToken, tenant, headers, ...query } = given
  const controller = new AbortController()
  const items: StreamedItem[] = []
  const state = { error: null as unknown }
  const client = createClient({ url: server.url, token, retry: { maxRetries: 0 } })
  const read = async (): Promise<void> => {
    const options = { signal: controller.signal, tenant, headers }
    for await (const item of client.stream(query, options)) items.push(item)
  }
  read().catch((error: unknown) => {
    state.error = error
  })
  onTestFinished(() => controller.abort())
  const seen = async (members: object): Promise<StreamedItem> => {
    const find = () => items.find((item) => expect.objectContaining(members).asymmetricMatch(item))
    const isOver = () => find() !== undefined || state.error !== null
    await expect.poll(isOver, { timeout: patienceMs, interval: 5 }).toBe(true)
    if (find() === undefined) throw state.error
    return find() as StreamedItem
  }
  await seen({ kind: 'started' })
  return {
    items,
    seen,
    get error() {
      return state.error
    },
    stop: () => controller.abort(),
  }
}

export function describeStream(open: () => Scene): void {
  const post = async (path: string, body: object, options: CallOptions = {}) => {
    const answer = await open().one.call('POST', path, { body, ...options })
    expect([answer.text, answer.status < 300]).toEqual([answer.text, true])
    return answer.json
  }
  const publish = (topic: string, query = '') => post(`/v1/events${query}`, { topic, payload: { secret: 1 } })
  const anEndpoint = (topic: string, path = '/ok', query = '') =>
    post(`/v1/endpoints${query}`, { url: `${open().receiver.url}${path}`, topics: [topic] })
  const aTenant = async (): Promise<string> => (await post('/v1/tenants', { uid: aName('tenant') })).id
  const aToken = async (given: object) =>
    post('/v1/admin-tokens', { role: 'viewer', label: 'reads the stream', ...given })

  describe('the stream', () => {
    test('tells, in every process, of an event, its attempt and the end of its delivery, without the payload', async () => {
      const topic = aName('told')
      const endpoint = await anEndpoint(topic)
      for (const server of [open().one, open().two]) {
        const reading = await aReading(server, { topicPattern: topic })
        // What another process does is told once it has heard that somebody reads.
        const event = await published(reading, topic)
        expect(await reading.seen({ kind: 'event', eventId: event.id })).toEqual({
          kind: 'event',
          at: expect.any(String),
          tenantId: expect.stringMatching(/^ten_/),
          eventId: event.id,
          topic,
          orderingKey: null,
          payloadBytes: '{"secret":1}'.length,
          deliveries: 1,
          state: 'fanned_out',
        })
        const delivery = { deliveryId: event.delivery_ids[0], endpointId: endpoint.id, eventId: event.id }
        expect(await reading.seen({ kind: 'attempt', ...delivery })).toMatchObject({
          status: 'success',
          httpStatus: 200,
          attemptNo: 1,
          url: open().receiver.url,
        })
        await reading.seen({ kind: 'delivery', ...delivery, state: 'succeeded', nextAttemptAt: null })
        expect(JSON.stringify(reading.items)).not.toContain('secret')
      }
    })

    /** Publishes until the reading has an event of the topic. */
    async function published(reading: Reading, topic: string) {
      for (;;) {
        const event = await publish(topic)
        const has = () => reading.items.some((item) => 'eventId' in item && item.eventId === event.id)
        const isTold = await expect
          .poll(has, { timeout: 1000, interval: 5 })
          .toBe(true)
          .then(
            () => true,
            () => false,
          )
        if (isTold) return event
      }
    }

    test('tells what other processes do within a second', async () => {
      const topic = aName('soon')
      await anEndpoint(topic)
      const reading = await aReading(open().two, { topicPattern: topic, kinds: ['delivery'] })
      await published(reading, topic)
      const before = performance.now()
      const event = await publish(topic)
      await reading.seen({ eventId: event.id, state: 'succeeded' })
      expect(performance.now() - before).toBeLessThan(1000)
    })

    test('tells of a failed attempt why, and when the next one is', async () => {
      const topic = aName('failed')
      await anEndpoint(topic, '/status/503')
      const reading = await aReading(open().one, { topicPattern: topic })
      const { id } = await publish(topic)
      await reading.seen({
        kind: 'attempt',
        eventId: id,
        errorClass: 'http_503',
        status: 'retryable_failure',
      })
      const waits = await reading.seen({ kind: 'delivery', eventId: id, state: 'retry_scheduled' })
      const next = Date.parse((waits as { nextAttemptAt: string }).nextAttemptAt)
      expect(next).toBeGreaterThan(Date.parse((waits as { at: string }).at))
      const [deliveryId] = (await open().one.call('GET', `/v1/events/${id}`)).json.deliveries.map(
        ({ id }: { id: string }) => id,
      )
      await post(`/v1/deliveries/${deliveryId}/cancel`, {})
      await reading.seen({ kind: 'delivery', deliveryId, state: 'cancelled', errorClass: 'http_503' })
    })

    test('tells of changes of endpoints and the progress of jobs, and of nothing that was refused', async () => {
      const topic = aName('changes')
      const reading = await aReading(open().one, { kinds: ['endpoint', 'job'] })
      const { id } = await anEndpoint(topic)
      await reading.seen({ kind: 'endpoint', endpointId: id, change: 'created' })
      await open().one.call('PATCH', `/v1/endpoints/${id}`, { body: { description: 'other' } })
      await reading.seen({ endpointId: id, change: 'changed' })
      await post(`/v1/endpoints/${id}/pause`, {})
      await reading.seen({ endpointId: id, change: 'paused', reason: 'paused' })
      await post(`/v1/endpoints/${id}/resume`, {})
      await reading.seen({ endpointId: id, change: 'enabled' })
      const job = await post('/v1/dlq/replay', { endpoint_id: id })
      await reading.seen({ kind: 'job', jobId: job.id, jobKind: 'replay', state: 'queued' })
      await reading.seen({ kind: 'job', jobId: job.id, state: 'done', done: 0 })
      await open().one.call('DELETE', `/v1/endpoints/${id}`)
      await reading.seen({ endpointId: id, change: 'deleted' })
      const before = reading.items.length
      expect((await open().one.call('DELETE', `/v1/endpoints/${id}`)).status).toBe(404)
      const { id: next } = await anEndpoint(topic)
      await reading.seen({ endpointId: next, change: 'created' })
      expect(reading.items.slice(before).map((item) => 'change' in item && item.change)).toEqual(['created'])
    })

    test('tells of a job and a resend what an idempotent call did', async () => {
      const topic = aName('keyed')
      await anEndpoint(topic)
      const reading = await aReading(open().one, { topicPattern: topic, kinds: ['delivery'] })
      const { delivery_ids } = await publish(topic)
      const [deliveryId] = delivery_ids
      await reading.seen({ deliveryId, state: 'succeeded' })
      const headers = { 'idempotency-key': aName('key') }
      await post(`/v1/deliveries/${deliveryId}/resend`, {}, { headers })
      await expect
        .poll(() => reading.items.filter((item) => 'state' in item && item.state === 'succeeded').length, {
          timeout: patienceMs,
        })
        .toBe(2)
    })

    test('tells a token of a tenant of that tenant alone, and one of all of the tenant that it names, or of all', async () => {
      const tenants = [await aTenant(), await aTenant()] as const
      const bound = await aToken({ tenant_id: tenants[0] })
      const readings = {
        bound: await aReading(open().one, { token: bound.token, kinds: ['event'] }),
        named: await aReading(open().one, { tenant: tenants[1], kinds: ['event'] }),
        all: await aReading(open().one, { kinds: ['event'] }),
      }
      const topic = aName('whose')
      const events = []
      for (const tenant of tenants) events.push(await publish(topic, `?tenant=${tenant}`))
      const [first, second] = events
      await readings.all.seen({ eventId: first.id, tenantId: tenants[0] })
      await readings.all.seen({ eventId: second.id, tenantId: tenants[1] })
      await readings.bound.seen({ eventId: first.id })
      await readings.named.seen({ eventId: second.id })
      const topics = (reading: Reading) =>
        reading.items.filter((item) => item.kind === 'event' && item.topic === topic).length
      expect([topics(readings.bound), topics(readings.named)]).toEqual([1, 1])
      expect(readings.bound.items[0]).toMatchObject({ kind: 'started', tenantId: tenants[0] })
      const path = `/v1/stream?tenant=${tenants[1]}`
      expectProblem(await open().one.call('GET', path, { token: bound.token }), { status: 404 })
    })

    test('tells a link to the portal of its tenant alone', async () => {
      const tenant = await aTenant()
      const topic = aName('linked')
      await anEndpoint(topic, '/status/400', `?tenant=${tenant}`)
      const aLink = async (abilities: readonly string[]) =>
        (await post(`/v1/tenants/${tenant}/portal-links`, { abilities })).token as string
      const readings = [await aReading(open().one, { token: await aLink(['view']) })]
      await publish(topic)
      const { id } = await publish(topic, `?tenant=${tenant}`)
      for (const one of readings) await one.seen({ kind: 'attempt', eventId: id, error: 'HTTP 400' })
      const others = readings.flatMap(({ items }) =>
        items.filter((item) => 'tenantId' in item && item.tenantId !== tenant),
      )
      expect(others).toEqual([])
    })

    test('tells of one endpoint, or of the kinds that are named', async () => {
      const topic = aName('filtered')
      const [mine] = [await anEndpoint(topic), await anEndpoint(topic)]
      const one = await aReading(open().one, { endpointId: mine.id })
      const kinds = await aReading(open().one, { topicPattern: topic, kinds: ['attempt'] })
      const { id } = await publish(topic)
      await one.seen({ kind: 'delivery', endpointId: mine.id, eventId: id, state: 'succeeded' })
      const told = () => kinds.items.filter((item) => item.kind === 'attempt').length
      await expect.poll(told, { timeout: patienceMs }).toBe(2)
      const others = one.items.filter(
        (item) => 'eventId' in item && !('endpointId' in item && item.endpointId === mine.id),
      )
      expect(others).toEqual([])
      expect(new Set(kinds.items.map(({ kind }) => kind))).toEqual(new Set(['started', 'attempt']))
    })

    test.each([
      ['a kind that there is not', 'kinds=event,nothing', 'kinds'],
      ['a pattern that matches nothing', 'topic_pattern=a.*.b', 'topic_pattern'],
      ['an endpoint that is no id', 'endpoint_id=ep_1', 'endpoint_id'],
      ['what it does not know', 'topic=a', 'topic'],
    ])('refuses %s, and names it', async (_what, query, named) => {
      const answer = await open().one.call('GET', `/v1/stream?${query}`)
      expectProblem(answer, { status: 400 })
      expect(answer.json.detail).toContain(named)
    })

    test('refuses who has no token, and a producer key', async () => {
      expectProblem(await open().one.call('GET', '/v1/stream', { token: null }), { status: 401 })
      const { key } = await open().one.producer()
      expectProblem(await open().one.call('GET', '/v1/stream', { token: key }), { status: 403 })
    })

    test('ends, and says so, when its token is revoked through any process', async () => {
      for (const server of [open().one, open().two]) {
        const { id, token } = await aToken({})
        const reading = await aReading(server, { token })
        await open().one.call('DELETE', `/v1/admin-tokens/${id}`)
        await expect
          .poll(() => reading.error, { timeout: patienceMs })
          .toMatchObject({ name: 'AuthenticationError', status: 401 })
      }
    })

    test('is read with the cookie of a browser that is signed in, and ends when that signs out', async () => {
      const { token } = await aToken({})
      const signIn = await open().one.call('PUT', '/v1/sign-in', { token })
      const cookie = signIn.headers.get('set-cookie')?.split(';')[0] ?? ''
      const response = await fetch(`${open().two.url}/v1/stream`, { headers: { cookie } })
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        'text/event-stream; charset=utf-8',
      ])
      const headers = { cookie, 'x-csrf-token': signIn.json.csrf_token }
      expect((await open().one.call('DELETE', '/v1/sign-in', { token: null, headers })).status).toBe(204)
      const text = await response.text()
      expect(text).toMatch(/^retry: 1000\n\nevent: started\n/)
      expect(text).toMatch(/\nevent: ended\nid: .*\ndata: .*"reason":"unauthorized".*\n\n$/)
    })

    test('tells who comes back that something was missed', async () => {
      const reading = await aReading(open().one, { headers: { 'last-event-id': 'of-yesterday-1' } })
      expect(await reading.seen({ kind: 'missed' })).toMatchObject({ reason: 'reconnected', count: null })
      expect(reading.items.map(({ kind }) => kind).slice(0, 2)).toEqual(['started', 'missed'])
    })

    test('tells that something was missed where more happens than a reader is told', async () => {
      const topic = aName('burst')
      const reading = await aReading(open().one, { topicPattern: topic, kinds: ['event'] })
      const events = Array.from({ length: 1000 }, () => ({ topic, payload: 1 }))
      await post('/v1/events/batch', { events })
      await reading.seen({ kind: 'missed', reason: 'too_many' })
      const counted = () =>
        reading.items.reduce(
          (sum, item) => sum + (item.kind === 'event' ? 1 : item.kind === 'missed' ? (item.count ?? 0) : 0),
          0,
        )
      await expect.poll(counted, { timeout: patienceMs }).toBe(1000)
    })

    test('takes so many readers of a tenant, and says to the next when to come again', async () => {
      const tenant = await aTenant()
      const { token } = await aToken({ tenant_id: tenant })
      const readings = await Promise.all(Array.from({ length: 32 }, () => aReading(open().one, { token })))
      const refused = await open().one.call('GET', '/v1/stream', { token })
      expectProblem(refused, { status: 429 })
      expect(refused.json.code).toBe('rate_limited')
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      readings[0]?.stop()
      await expect
        .poll(() => aReading(open().one, { token }).catch(() => null), { timeout: patienceMs })
        .not.toBeNull()
    })
  })
}
