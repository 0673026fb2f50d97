/** Ordered subscriptions over HTTP, on whichever store: the rows S1.29 and S1.36 to S1.38 of docs/compatibility.md. */
import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { type OrderedReceiver, outOfOrder, startOrderedReceiver } from '../ordered-receiver.ts'
import { patienceMs } from '../patience.ts'
import { type Answer, aServer, type CallOptions, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

async function until(what: string, isMet: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await isMet())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${patienceMs} ms`)
    await pause(10)
  }
}

/** Two servers on one store: one delivers; the other publishes only, and lets three deliveries of a key wait. */
interface Servers {
  readonly delivering: TestServer
  readonly capped: TestServer
  readonly receiver: OrderedReceiver
}

const cap = 3
const loopback = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

export function describeOrdering(
  storeName: string,
  /** `store` and what else it needs, for each of the two; the same where both can open it. */
  stores: () => Promise<readonly [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>]>,
): void {
  let servers: Servers
  const closers: (() => unknown)[] = []
  const closeWith = (close: () => unknown) => closers.unshift(close)
  beforeAll(async () => {
    const [first, second] = await stores()
    const receiver = await startOrderedReceiver()
    closeWith(() => receiver.close())
    servers = {
      receiver,
      delivering: await aServer({ config: { ...first, ...loopback }, dispatch: true, closeWith }),
      capped: await aServer({ config: { ...second, ...loopback, orderedKeyBacklogMax: cap }, closeWith }),
    }
    return async () => {
      for (const close of closers) await close()
    }
  })

  const call = (method: string, path: string, options?: CallOptions): Promise<Answer> =>
    servers.delivering.call(method, path, options)
  const get = async (path: string) => (await call('GET', path)).json

  describe(`ordered subscriptions on ${storeName}`, () => {
    describeSettings(() => servers.delivering)
    describeOrder(() => servers, { call, get })
    describeRepair(() => servers, { call, get })
    describeBacklog(() => servers)
  })
}

let topics = 0

/** A topic of its own, an endpoint and an ordered subscription to it. */
async function aSubscription(server: TestServer, url: string, members: object = {}) {
  const topic = `ordered.${++topics}`
  const endpoint = await server.call('POST', '/v1/endpoints', { body: { url } })
  const { status, json } = await server.call('POST', '/v1/subscriptions', {
    body: { endpoint_id: endpoint.json.id, topic_patterns: [topic], ordered: true, ...members },
  })
  expect(status).toBe(201)
  const publish = (key: string, no: number, more: object = {}): Promise<Answer> =>
    server.call('POST', '/v1/events', { body: { topic, payload: { key, no }, ordering_key: key, ...more } })
  /** Publishes one after the other, as many as there are numbers, and answers with the ids of the deliveries. */
  const publishAll = async (key: string, numbers: readonly number[]): Promise<readonly string[]> => {
    const ids: string[] = []
    for (const no of numbers) {
      const answer = await publish(key, no)
      expect(answer.status).toBe(202)
      ids.push(answer.json.delivery_ids[0])
    }
    return ids
  }
  const keys = async (query = ''): Promise<Answer['json'][]> => {
    const path = `/v1/ordered-keys?subscription_id=${json.id}${query}`
    return (await server.call('GET', path)).json.items
  }
  return { id: json.id as string, endpointId: endpoint.json.id as string, topic, publish, publishAll, keys }
}

/** To an endpoint that is disabled, so that nobody who delivers from the store sends anything. */
async function aParkedSubscription(server: TestServer) {
  const subscription = await aSubscription(server, 'http://127.0.0.1:9/')
  await server.call('PATCH', `/v1/endpoints/${subscription.endpointId}`, { body: { enabled: false } })
  return subscription
}

function describeSettings(server: () => TestServer): void {
  test('S1.29 subscriptions are made, shown, changed and deleted, and ordered stays what it was', async () => {
    const endpoint = (await server().call('POST', '/v1/endpoints', { body: { url: 'http://127.0.0.1:9/' } }))
      .json
    const create = (members: object) =>
      server().call('POST', '/v1/subscriptions', {
        body: { topic_pattern: 'a', endpoint_id: endpoint.id, ...members },
      })
    const plain = await create({})
    const ordered = await create({ ordered: true })
    expect([plain.status, ordered.status]).toEqual([201, 201])
    expect([plain.json.ordered, ordered.json.ordered]).toEqual([false, true])
    const path = `/v1/subscriptions/${ordered.json.id}`
    const patch = (body: object, at = path) => server().call('PATCH', at, { body })
    expect((await server().call('GET', path)).json).toEqual(ordered.json)
    const listed = await server().call('GET', `/v1/subscriptions?endpoint_id=${endpoint.id}`)
    expect(listed.json.items.map((one: { ordered: boolean }) => one.ordered)).toEqual([true, false])

    const kept = await patch({ ordered: true, max_attempts: 3 })
    expect(kept).toMatchObject({ status: 200, json: { ordered: true, retry_policy: { max_attempts: 3 } } })
    const immutable = {
      status: 409,
      title: 'ordered immutable',
      detail: 'make another subscription',
    } as const
    expectProblem(await patch({ ordered: false }), immutable)
    expectProblem(await patch({ ordered: true }, `/v1/subscriptions/${plain.json.id}`), immutable)
    expectProblem(await patch({ ordered: false, active: false }), immutable)
    expect((await server().call('GET', path)).json).toMatchObject({ ordered: true, active: true })
    expectProblem(await patch({ backoff_policy: { base_ms: 2, cap_ms: 1 } }), {
      status: 422,
      title: 'invalid backoff_policy',
    })
    expectProblem(await patch({ max_attempts: 101 }), { status: 422, title: 'invalid subscription' })
    for (const value of [null, 'true', 1]) expectProblem(await create({ ordered: value }), { status: 400 })
    expectProblem(await patch({ ordered: null }), { status: 400 })

    expect((await server().call('DELETE', path)).status).toBe(204)
    expectProblem(await server().call('GET', path), { status: 404, title: 'subscription not found' })
    expectProblem(await server().call('DELETE', path), { status: 404 })
    expect((await server().call('GET', `${path}?include_deleted=true`)).json.ordered).toBe(true)
    for (const body of [{ max_attempts: 4 }, { ordered: true }, { ordered: false }, {}]) {
      expectProblem(await patch(body), { status: 409, title: 'subscription deleted' })
    }
    expectProblem(await patch({ ordered: true }, '/v1/subscriptions/sub_01h455vb4pex5vsknk084sn02q'), {
      status: 404,
    })
    await server().call('DELETE', `/v1/endpoints/${endpoint.id}`)
    expectProblem(await create({ ordered: true }), { status: 409, title: 'endpoint not available' })
  })
}

interface Calls {
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answer>
  readonly get: (path: string) => Promise<Answer['json']>
}

const quickRetries = {
  retry_policy: { max_attempts: 20, delays: ['1ms'], jitter: 'none', retry_on: ['503'] },
}

function describeOrder(servers: () => Servers, { call, get }: Calls): void {
  const anOrdered = (members: object = {}) =>
    aSubscription(servers().delivering, servers().receiver.url, { ...quickRetries, ...members })
  const stateOf = async (id: string) => {
    const { state, reason, head_delivery_id: head, next_attempt_at: next } = await get(`/v1/deliveries/${id}`)
    return { state, reason, head, next }
  }
  const numbers = Array.from({ length: 30 }, (_, no) => no + 1)

  test('S1.36 events of a key arrive in the order of their publishing, also where attempts fail; H11 none waits for a sweep', async () => {
    const { receiver } = servers()
    const subscription = await anOrdered()
    const keys = ['fifo-a', 'fifo-b', 'fifo-c']
    for (const key of keys)
      receiver.answer(key, (no, requestNo) => (no % 7 === 0 && requestNo < 3 ? 503 : 200))
    const from = performance.now()
    await Promise.all(keys.map((key) => subscription.publishAll(key, numbers)))
    await until('all have arrived', () => keys.every((key) => receiver.accepted(key).length >= 30))
    // Were each head found only by the next look for work, it would be 29 s and more.
    expect(performance.now() - from).toBeLessThan(27_000)
    for (const key of keys) {
      expect(receiver.accepted(key)).toEqual(numbers)
      expect(outOfOrder(receiver.arrivals, key)).toEqual([])
    }
    await until('no key is left', async () => (await subscription.keys()).length === 0)
  })

  test('S1.37 a head that was given up blocks its key and no other, is shown, and goes on when it is replayed', async () => {
    const { receiver } = servers()
    const subscription = await anOrdered()
    receiver.answer('stuck', (no) => (no === 1 ? 422 : 200))
    const [head = '', second = '', third = ''] = await subscription.publishAll('stuck', [1, 2, 3])
    await until('the head is given up', async () => (await stateOf(head)).state === 'dead_lettered')
    await subscription.publishAll('free', [1, 2])
    await until('the other key goes on', () => receiver.accepted('free').length === 2)

    for (const id of [second, third]) {
      expect(await stateOf(id)).toEqual({ state: 'pending', reason: 'behind_head', head, next: null })
    }
    const listed = (await get(`/v1/deliveries?subscription_id=${subscription.id}&state=pending`)).items
    expect(listed.map((one: { head_delivery_id: string }) => one.head_delivery_id)).toEqual([head, head])
    const eventId = listed[0].event_id
    expect((await get(`/v1/events/${eventId}`)).deliveries[0]).toMatchObject({
      reason: 'behind_head',
      head_delivery_id: head,
    })
    const [blocked, ...others] = await subscription.keys('&blocked=true')
    expect(others).toEqual([])
    expect(blocked).toEqual({
      subscription_id: subscription.id,
      endpoint_id: subscription.endpointId,
      ordering_key: 'stuck',
      state: 'blocked',
      head_delivery_id: head,
      head_state: 'dead_lettered',
      blocked_since: expect.stringMatching(/^\d{4}-.*Z$/),
      backlog_count: 3,
      oldest_successor_age_sec: expect.any(Number),
    })
    expect(blocked.oldest_successor_age_sec).toBeLessThan(600)
    expect(await subscription.keys('&blocked=false')).toEqual([])
    expect(await subscription.keys('&ordering_key=stuck')).toEqual([blocked])
    const { text } = await call('GET', '/metrics', { token: null })
    expect(Number(/^outhook_ordered_keys_blocked (\d+)$/m.exec(text)?.[1])).toBeGreaterThanOrEqual(1)
    expect(Number(/^outhook_ordered_key_backlog (\d+)$/m.exec(text)?.[1])).toBeGreaterThanOrEqual(3)

    receiver.answer('stuck', () => 200)
    expect((await call('POST', `/v1/dlq/${head}/replay`)).json).toEqual({
      delivery_id: head,
      state: 'pending',
    })
    await until('it goes on', () => receiver.accepted('stuck').length === 3)
    expect(receiver.accepted('stuck')).toEqual([1, 2, 3])
    await until('no key is left', async () => (await subscription.keys()).length === 0)
  })

  test('S1.37 skipping the dead head lets the key go on, once and for all, and nothing else can be skipped', async () => {
    const { receiver } = servers()
    const subscription = await anOrdered()
    receiver.answer('skip', (no) => (no === 1 ? 422 : 200))
    const [head = '', second = ''] = await subscription.publishAll('skip', [1, 2, 3])
    const skip = (id: string, options: CallOptions = {}) =>
      call('POST', `/v1/deliveries/${id}/skip`, { ...options })
    const conflict = {
      status: 409,
      code: 'not_skippable',
      title: 'conflict',
      detail: 'delivery is not dead-lettered or not the head',
    } as const
    await until('the head is given up', async () => (await stateOf(head)).state === 'dead_lettered')
    expectProblem(await skip(second), conflict)
    expectProblem(await skip('dlv_01h455vb4pex5vsknk084sn02q'), { status: 404, title: 'delivery not found' })
    expectProblem(await skip('nothing'), { status: 404 })
    expectProblem(await skip(head, { body: { why: 'x' } }), { status: 400 })
    expectProblem(await skip(head, { body: { reason: 'x'.repeat(1001) } }), { status: 422 })
    expect((await stateOf(head)).state).toBe('dead_lettered')

    const skipped = await skip(head, { body: { reason: 'entered by hand' } })
    const answer = { delivery_id: head, state: 'skipped', next_head_delivery_id: second }
    expect(skipped).toMatchObject({ status: 200, json: answer })
    await until('the others arrive', () => receiver.accepted('skip').length === 2)
    expect(receiver.accepted('skip')).toEqual([2, 3])
    expect((await skip(head)).json).toEqual(answer)
    expect(await get(`/v1/deliveries/${head}`)).toMatchObject({
      state: 'skipped',
      last_error: expect.stringContaining('entered by hand'),
      next_attempt_at: null,
    })
    const listed = (await get(`/v1/deliveries?subscription_id=${subscription.id}&state=skipped`)).items
    expect(listed.map((one: { id: string }) => one.id)).toEqual([head])
    expectProblem(await call('POST', `/v1/dlq/${head}/replay`), { status: 409 })
    expectProblem(await skip(second), { ...conflict, detail: 'it is succeeded' })
  })

  test('S1.37 a dead letter of a subscription that is not ordered cannot be skipped', async () => {
    const { receiver } = servers()
    const subscription = await anOrdered({ ordered: false })
    receiver.answer('loose', () => 422)
    const [id = ''] = await subscription.publishAll('loose', [1])
    await until('it is given up', async () => (await stateOf(id)).state === 'dead_lettered')
    expectProblem(await call('POST', `/v1/deliveries/${id}/skip`), { status: 409, title: 'conflict' })
    expect(await subscription.keys()).toEqual([])
  })

  test('an event without an ordering key waits for nobody in an ordered subscription', async () => {
    const { receiver } = servers()
    const subscription = await anOrdered()
    receiver.answer('held', () => 422)
    const [head = ''] = await subscription.publishAll('held', [1, 2])
    await until('the head is given up', async () => (await stateOf(head)).state === 'dead_lettered')
    const { status } = await subscription.publish('keyless', 1, { ordering_key: null })
    expect(status).toBe(202)
    await until('it arrives', () => receiver.accepted('keyless').length === 1)
  })

  test('H1 H6 H19 the list of ordering keys is empty rather than null, refuses what it does not know, and pages without gap or repeat', async () => {
    const subscription = await anOrdered()
    expect(await get(`/v1/ordered-keys?subscription_id=${subscription.id}`)).toEqual({
      items: [],
      next_cursor: '',
    })
    for (const query of [
      'blocked=maybe',
      'state=blocked',
      'limit=0',
      'limit=201',
      'subscription_id=x',
      'ordering_key=',
      `ordering_key=${'ä'.repeat(129)}`,
      'cursor=nonsense',
    ]) {
      expectProblem(await call('GET', `/v1/ordered-keys?${query}`), { status: 400 })
    }
    const { capped } = servers()
    const parked = await aParkedSubscription(capped)
    const keys = ['b', 'a', 'ä', 'c', 'a b']
    for (const key of keys) await parked.publishAll(key, [1])
    const seen: string[] = []
    for (let cursor = ''; ; ) {
      const path = `/v1/ordered-keys?limit=2&subscription_id=${parked.id}&cursor=${cursor}`
      const page = (await capped.call('GET', path)).json
      seen.push(...page.items.map((one: { ordering_key: string }) => one.ordering_key))
      cursor = page.next_cursor
      if (cursor === '') break
    }
    expect(seen).toEqual(['a', 'a b', 'b', 'c', 'ä'])
  })
}

/** What takes deliveries out of a line or holds it up, beside their outcomes. */
function describeRepair(servers: () => Servers, { call, get }: Calls): void {
  const anOrdered = (members: object = {}) =>
    aSubscription(servers().delivering, servers().receiver.url, { ...quickRetries, ...members })
  const isIn = (id: string, state: string) => async () => (await get(`/v1/deliveries/${id}`)).state === state

  test('cancelling takes a delivery out of its line: behind the head it leaves a gap, and at the head the next one goes', async () => {
    const { receiver } = servers()
    const retryPolicy = { retry_policy: { max_attempts: 5, delays: ['1h'], jitter: 'none' } }
    const subscription = await anOrdered(retryPolicy)
    receiver.answer('cancelled', (no) => (no === 1 ? 503 : 200))
    const [head = '', second = ''] = await subscription.publishAll('cancelled', [1, 2, 3])
    await until('the head waits for its next attempt', isIn(head, 'retry_scheduled'))
    expect((await call('POST', `/v1/deliveries/${second}/cancel`)).status).toBe(200)
    expect(await subscription.keys()).toMatchObject([{ backlog_count: 2, head_delivery_id: head }])
    expect(receiver.accepted('cancelled')).toEqual([])
    expect((await call('POST', `/v1/deliveries/${head}/cancel`)).status).toBe(200)
    await until('the last one arrives', () => receiver.accepted('cancelled').length === 1)
    expect(receiver.accepted('cancelled')).toEqual([3])
    await until('no key is left', async () => (await subscription.keys()).length === 0)
  })

  test('H16 a job that replays many dead letters lets every blocked key go on', async () => {
    const { receiver } = servers()
    const subscription = await anOrdered()
    const keys = ['many-a', 'many-b', 'many-c']
    for (const key of keys) receiver.answer(key, (no) => (no === 1 ? 422 : 200))
    for (const key of keys) await subscription.publishAll(key, [1, 2])
    await until('all are blocked', async () => (await subscription.keys('&blocked=true')).length === 3)
    for (const key of keys) receiver.answer(key, () => 200)
    const body = { endpoint_id: subscription.endpointId }
    expect((await call('POST', '/v1/dlq/replay', { body })).status).toBe(202)
    await until('all have arrived', () => keys.every((key) => receiver.accepted(key).length === 2))
    for (const key of keys) expect(receiver.accepted(key)).toEqual([1, 2])
  })

  test('what waited for a disabled endpoint arrives in order when it is enabled', async () => {
    const { receiver, delivering } = servers()
    const subscription = await anOrdered()
    const enable = (enabled: boolean) =>
      delivering.call('PATCH', `/v1/endpoints/${subscription.endpointId}`, { body: { enabled } })
    await enable(false)
    const [head = ''] = await subscription.publishAll('disabled', [1, 2, 3, 4])
    expect(await get(`/v1/deliveries/${head}`)).toMatchObject({ reason: 'endpoint_disabled' })
    await enable(true)
    await until('all have arrived', () => receiver.accepted('disabled').length === 4)
    expect(receiver.accepted('disabled')).toEqual([1, 2, 3, 4])
  })

  test('an event for later holds up what was published after it with the same key, and nothing else', async () => {
    const { receiver } = servers()
    const subscription = await anOrdered()
    expect((await subscription.publish('later', 1, { delay: '500ms' })).status).toBe(202)
    await subscription.publishAll('later', [2])
    await subscription.publishAll('soon', [1])
    await until('all have arrived', () => receiver.accepted('later').length === 2)
    expect(receiver.accepted('later')).toEqual([1, 2])
    const arrived = receiver.arrivals.map(({ key }) => key)
    expect(arrived.indexOf('soon')).toBeLessThan(arrived.indexOf('later'))
  })

  test('a subscription that is deleted takes its keys along, blocked ones too', async () => {
    const { receiver } = servers()
    const subscription = await anOrdered()
    receiver.answer('deleted', () => 422)
    const [head = '', second = ''] = await subscription.publishAll('deleted', [1, 2])
    await until('the head is given up', isIn(head, 'dead_lettered'))
    expect((await call('DELETE', `/v1/subscriptions/${subscription.id}`)).status).toBe(204)
    await until('what waits is cancelled', isIn(second, 'cancelled'))
    await until('no key is left', async () => (await subscription.keys()).length === 0)
    expectProblem(await call('POST', `/v1/deliveries/${head}/skip`), { status: 409, title: 'conflict' })
  })
}

function describeBacklog(servers: () => Servers): void {
  const backlogFull = {
    status: 429,
    code: 'backlog_full',
    title: 'backlog full',
    detail: /^ordered key backlog at capacity; retry later$/,
  } as const

  test('S1.38 H5 of a cap of three the fourth is 429 with a usable Retry-After, nothing of it is stored, and other keys are unaffected', async () => {
    const { capped } = servers()
    const subscription = await aParkedSubscription(capped)
    const [first = ''] = await subscription.publishAll('full', [1, 2, 3])
    const events = async () =>
      (await capped.call('GET', `/v1/events?topic=${subscription.topic}`)).json.items.length as number
    const refused = await subscription.publish('full', 4, { idempotency_key: `four-${subscription.id}` })
    expectProblem(refused, backlogFull)
    const seconds = Number(refused.headers.get('retry-after'))
    expect(Number.isInteger(seconds) && seconds >= 1 && seconds <= 10).toBe(true)
    expect(await events()).toBe(3)
    expect(await subscription.keys('&ordering_key=full')).toMatchObject([
      { backlog_count: 3, state: 'active' },
    ])

    await subscription.publishAll('another', [1])
    expect((await subscription.publish('keyless', 1, { ordering_key: null })).status).toBe(202)
    const { text } = await capped.call('GET', '/metrics', { token: null })
    expect(Number(/result="backlog_full"} (\d+)$/m.exec(text)?.[1])).toBeGreaterThanOrEqual(1)

    expect((await capped.call('POST', `/v1/deliveries/${first}/cancel`)).status).toBe(200)
    // The key of the refused one is unused: it may stand for another event now.
    const later = await subscription.publish('full', 5, { idempotency_key: `four-${subscription.id}` })
    expect(later.status).toBe(202)
    expect(later.headers.has('idempotent-replay')).toBe(false)
    expectProblem(await subscription.publish('full', 6), backlogFull)
  })

  test('S1.38 an event that was published before is answered again though its key is full', async () => {
    const { capped } = servers()
    const subscription = await aParkedSubscription(capped)
    const key = { idempotency_key: `again-${subscription.id}` }
    const first = await subscription.publish('full', 1, key)
    await subscription.publishAll('full', [2, 3])
    const again = await subscription.publish('full', 1, key)
    expect(again).toMatchObject({ status: 202, json: { event_id: first.json.event_id } })
    expect(again.headers.get('idempotent-replay')).toBe('true')
    expectProblem(await subscription.publish('full', 2, key), { status: 409, code: 'idempotency_conflict' })
  })

  test('S1.38 in a batch each event is taken or refused by its own key, in order', async () => {
    const { capped } = servers()
    const subscription = await aParkedSubscription(capped)
    const item = (key: string | null, no: number) => ({
      topic: subscription.topic,
      payload: { key, no },
      ...(key !== null && { ordering_key: key }),
    })
    const events = [
      item('x', 1),
      item('x', 2),
      item('y', 1),
      item('x', 3),
      item('x', 4),
      item(null, 1),
      item('x', 5),
    ]
    const { json } = await capped.call('POST', '/v1/events/batch', { body: { events } })
    expect(json.items.map((one: { status: number }) => one.status)).toEqual([
      202, 202, 202, 202, 429, 202, 429,
    ])
    expect(json.items[4]).toMatchObject({ code: 'backlog_full', title: 'backlog full' })
    expect(await subscription.keys()).toMatchObject([
      { ordering_key: 'x', backlog_count: 3, head_delivery_id: json.items[0].delivery_ids[0] },
      { ordering_key: 'y', backlog_count: 1 },
    ])
  })

  test('S1.38 one full key refuses the event for every subscription', async () => {
    const { capped } = servers()
    const subscription = await aParkedSubscription(capped)
    await capped.call('POST', '/v1/endpoints', {
      body: { url: 'http://127.0.0.1:9/other', topics: [subscription.topic] },
    })
    await subscription.publishAll('full', [1, 2, 3])
    expectProblem(await subscription.publish('full', 4), backlogFull)
    const listed = await capped.call('GET', `/v1/deliveries?topic=${subscription.topic}`)
    expect(listed.json.items).toHaveLength(6)
  })
}
