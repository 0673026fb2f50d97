/** Direct sends as a program makes them: the same on every store. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Outhook, SendInput, TenantHooks } from '../../src/index.ts'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { verify } from '../../src/verify/index.ts'
import { patienceMs } from '../patience.ts'

async function aReceiver(): Promise<Receiver> {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.close())
  return receiver
}

const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()
const patience = { timeout: patienceMs }
const retry = { max_attempts: 2, delays: [20], jitter: 'none' }

export function describeSends(open: () => Promise<Outhook>): void {
  let hooks: Outhook
  beforeAll(async () => {
    hooks = await open()
  })
  afterAll(() => hooks.close())

  const settled = async (deliveryId: string, state = 'succeeded') => {
    await expect.poll(async () => (await hooks.deliveries.get(deliveryId)).state, patience).toBe(state)
    return hooks.deliveries.get(deliveryId)
  }
  const sent = async (input: SendInput, state?: string) =>
    settled((await hooks.send(input)).deliveryId, state)
  const anEndpoint = async (url: string, given: object = {}) =>
    hooks.endpoints.create({ url, topics: ['nothing.at.all'], ...given })

  describe('a send to a URL', () => {
    it('is one delivery without topic, subscription and endpoint, and goes unsigned', async () => {
      const receiver = await aReceiver()
      const { deliveryId, eventId, replayed } = await hooks.send({
        url: `${receiver.url}/calls?x=1`,
        payload: { call: 42 },
        metadata: { run: '7' },
      })
      expect(replayed).toBe(false)
      expect(await settled(deliveryId)).toMatchObject({
        eventId,
        topic: null,
        subscriptionId: null,
        endpointId: null,
        attemptCount: 1,
        attempts: [{ attemptNo: 1, httpStatus: 200 }],
      })
      const [request] = receiver.received
      expect(request).toMatchObject({ method: 'POST', path: '/calls?x=1', deliveryId, eventId })
      expect(textOf(request?.body)).toBe('{"call":42}')
      expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'outhook-meta-run': '7' })
      const names = Object.keys(request?.headers ?? {})
      expect(names.filter((name) => /^webhook-|signature|outhook-topic/.test(name))).toEqual([])
    })

    it('keeps its request with an event without a topic, which waits, lists and shows as others do', async () => {
      const receiver = await aReceiver()
      const { eventId, deliveryId } = await hooks.send({
        url: receiver.url,
        method: 'PUT',
        headers: { 'X-Source': 'crm' },
        payload: [1],
        retry: 'dograh',
        timeout: '5s',
      })
      const event = await hooks.events.wait(eventId, { timeoutMs: patienceMs })
      expect(event).toMatchObject({
        topic: null,
        state: 'fanned_out',
        request: {
          url: `${receiver.url}/`,
          method: 'PUT',
          headers: { 'content-type': 'application/json', 'x-source': 'crm' },
          timeoutMs: 5000,
          retryPolicy: { maxAttempts: 5 },
        },
        deliveries: [{ id: deliveryId, state: 'succeeded' }],
      })
      expect(textOf(await hooks.events.payload(eventId))).toBe('[1]')
      expect((await hooks.events.list({})).items.map(({ id }) => id)).toContain(eventId)
      const succeeded = await hooks.deliveries.list({ state: 'succeeded' })
      expect(succeeded.items).toContainEqual(expect.objectContaining({ id: deliveryId, endpointId: null }))
      expect((await hooks.deliveries.list({ eventId })).items.map(({ id }) => id)).toEqual([deliveryId])
    })

    it.each(['POST', 'PUT', 'PATCH'] as const)('%s carries the body (S3.10)', async (method) => {
      const receiver = await aReceiver()
      await sent({ url: receiver.url, method, payload: { a: 1 } })
      const [request] = receiver.received
      expect(request).toMatchObject({
        method,
        headers: { 'content-type': 'application/json', 'content-length': '7' },
      })
      expect(textOf(request?.body)).toBe('{"a":1}')
    })

    it.each(['GET', 'DELETE'] as const)('%s carries none, nor a type of it (S3.10)', async (method) => {
      const receiver = await aReceiver()
      const { eventId } = await sent({
        url: receiver.url,
        method,
        payload: { a: 1 },
        headers: { 'x-a': 'b' },
      })
      const [request] = receiver.received
      expect(request).toMatchObject({ method, headers: { 'x-a': 'b' } })
      expect(request?.body).toHaveLength(0)
      expect(request?.headers).not.toHaveProperty('content-type')
      expect(textOf(await hooks.events.payload(eventId))).toBe('{"a":1}')
    })

    it('sends exactly the bytes that it is given, of any type', async () => {
      const receiver = await aReceiver()
      const bytes = Uint8Array.from([0, 255, 10, 13, 128])
      await sent({ url: receiver.url, body: bytes, contentType: 'application/octet-stream' })
      await sent({ url: receiver.url, body: '{"n": 12345678901234567890 }' })
      await sent({ url: receiver.url, body: 'grüß', contentType: 'text/plain; charset=utf-8' })
      await sent({ url: receiver.url })
      const [raw, json, text, empty] = receiver.received
      expect(Uint8Array.from(raw?.body ?? [])).toEqual(bytes)
      expect(raw?.headers['content-type']).toBe('application/octet-stream')
      expect(textOf(json?.body)).toBe('{"n": 12345678901234567890 }')
      expect(json?.headers['content-type']).toBe('application/json')
      expect(textOf(text?.body)).toBe('grüß')
      expect(empty?.body).toHaveLength(0)
      expect(empty?.headers).toMatchObject({ 'content-length': '0' })
      expect(empty?.headers).not.toHaveProperty('content-type')
    })
  })

  describe('a send to an endpoint', () => {
    it('is signed with its secret and goes where the endpoint is, needing no subscription', async () => {
      const receiver = await aReceiver()
      const { endpoint, secret } = await anEndpoint(`${receiver.url}/hook`, {
        headers: { 'x-a': '1', 'x-b': '1' },
      })
      const delivery = await sent({ endpointId: endpoint.id, payload: { a: 1 }, headers: { 'X-B': '2' } })
      expect(delivery).toMatchObject({ endpointId: endpoint.id, subscriptionId: null, topic: null })
      const [request] = receiver.received
      expect(request).toMatchObject({ path: '/hook', headers: { 'x-a': '1', 'x-b': '2' } })
      await verify({ body: request?.body ?? '', headers: request?.headers ?? {} }, { secrets: secret })
      const listed = await hooks.deliveries.list({ endpointId: endpoint.id })
      expect(listed.items.map(({ id }) => id)).toEqual([delivery.id])
    })

    it('is frozen (S3.19): URL and headers stay what they were, while secrets and the end of a pause are looked up', async () => {
      const [before, after] = [await aReceiver(), await aReceiver()]
      const { endpoint } = await anEndpoint(`${before.url}/before`, { headers: { 'x-a': 'before' } })
      await hooks.endpoints.update(endpoint.id, { enabled: false })
      const { deliveryId } = await hooks.send({ endpointId: endpoint.id, payload: { a: 1 } })
      expect(await hooks.deliveries.get(deliveryId)).toMatchObject({
        state: 'pending',
        reason: 'endpoint_disabled',
      })
      await hooks.endpoints.update(endpoint.id, { url: `${after.url}/after`, headers: { 'x-a': 'after' } })
      const { secret } = await hooks.endpoints.rotateSecret(endpoint.id, { graceMs: 0 })
      await hooks.endpoints.update(endpoint.id, { enabled: true })
      await settled(deliveryId)
      const [request] = before.received
      expect(request).toMatchObject({ path: '/before', headers: { 'x-a': 'before' } })
      await verify({ body: request?.body ?? '', headers: request?.headers ?? {} }, { secrets: secret })
      expect(after.received).toEqual([])
    })

    it('is cancelled when the endpoint is deleted', async () => {
      const { endpoint } = await anEndpoint('http://127.0.0.1:1/')
      const { deliveryId } = await hooks.send({ endpointId: endpoint.id, payload: 1, delay: '1h' })
      await hooks.endpoints.delete(endpoint.id)
      await settled(deliveryId, 'cancelled')
      await expect(hooks.send({ endpointId: endpoint.id, payload: 1 })).rejects.toMatchObject({
        code: 'endpoint_not_available',
      })
    })
  })

  describe('an idempotency key', () => {
    it('made twice is one row and one send, also when many come at once (S3.2)', async () => {
      const receiver = await aReceiver()
      const input = { url: receiver.url, payload: { a: 1 }, idempotencyKey: `run-7:${receiver.port}` }
      const receipts = await Promise.all(Array.from({ length: 20 }, () => hooks.send(input)))
      expect(new Set(receipts.map(({ deliveryId }) => deliveryId)).size).toBe(1)
      expect(receipts.filter(({ replayed }) => !replayed)).toHaveLength(1)
      const [first] = receipts
      await settled(first?.deliveryId ?? '')
      expect(await hooks.send(input)).toEqual({ ...first, replayed: true })
      expect(receiver.received).toHaveLength(1)
    })

    it.each<[string, object]>([
      ['payload', { payload: { a: 2 } }],
      ['method', { method: 'PUT' }],
      ['URL', { url: 'http://127.0.0.1:1/other' }],
      ['headers', { headers: { 'x-a': '1' } }],
      ['type', { contentType: 'application/cloudevents+json' }],
    ])('with another %s is a conflict', async (what, other) => {
      const input = {
        url: 'http://127.0.0.1:1/',
        payload: { a: 1 },
        delay: '1h',
        idempotencyKey: `other ${what}`,
      }
      await hooks.send(input)
      await expect(hooks.send({ ...input, ...other } as SendInput)).rejects.toMatchObject({
        code: 'idempotency_conflict',
      })
    })

    it('that is replayed says the same after the endpoint has other headers', async () => {
      const { endpoint } = await anEndpoint('http://127.0.0.1:1/')
      const input = {
        endpointId: endpoint.id,
        payload: 1,
        delay: '1h',
        idempotencyKey: `same ${endpoint.id}`,
      }
      const first = await hooks.send(input)
      await hooks.endpoints.update(endpoint.id, { headers: { 'x-a': '1' } })
      expect(await hooks.send(input)).toEqual({ ...first, replayed: true })
    })
  })

  describe('an idempotency key whose send would be refused by now', () => {
    it('gives the first answer after its endpoint was deleted, and another request or key is refused', async () => {
      const { endpoint } = await anEndpoint('http://127.0.0.1:1/')
      const input = { endpointId: endpoint.id, payload: 1, idempotencyKey: `gone ${endpoint.id}` }
      const first = await hooks.send({ ...input, delay: '1h' })
      await hooks.endpoints.delete(endpoint.id)
      await settled(first.deliveryId, 'cancelled')
      const answers = await Promise.all(Array.from({ length: 5 }, () => hooks.send(input)))
      expect(answers).toEqual(answers.map(() => ({ ...first, replayed: true })))
      const refused = { code: 'endpoint_not_available' }
      await expect(hooks.send({ ...input, payload: 2 })).rejects.toMatchObject(refused)
      await expect(hooks.send({ ...input, idempotencyKey: 'another' })).rejects.toMatchObject(refused)
      await expect(hooks.send({ endpointId: endpoint.id, payload: 1 })).rejects.toMatchObject(refused)
      // None of them has taken the key.
      const { deliveryId } = await hooks.send({
        url: 'http://127.0.0.1:1/',
        delay: '1h',
        idempotencyKey: 'another',
      })
      expect((await hooks.deliveries.get(deliveryId)).state).toBe('pending')
    })

    it('is not mixed up with one of the same moment that can be sent', async () => {
      const { endpoint } = await anEndpoint('http://127.0.0.1:1/')
      await hooks.endpoints.delete(endpoint.id)
      const given = { payload: 1, delay: '1h', idempotencyKey: `mixed ${endpoint.id}` }
      const [refused, sent] = await Promise.allSettled([
        hooks.send({ ...given, endpointId: endpoint.id }),
        hooks.send({ ...given, url: 'http://127.0.0.1:1/' }),
      ])
      expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'endpoint_not_available' } })
      expect(sent).toMatchObject({ status: 'fulfilled', value: { replayed: false } })
    })
  })

  describe('what works on every delivery', () => {
    it('retries by the policy of the send, dead-letters, and replays what was frozen', async () => {
      const receiver = await aReceiver()
      const url = `${receiver.url}/status/503`
      const { id, eventId, attempts } = await sent(
        { url, method: 'PATCH', payload: { a: 1 }, retry },
        'dead_lettered',
      )
      expect(attempts).toHaveLength(2)
      const dead = await hooks.deadLetters.list({})
      expect(dead.items).toContainEqual(
        expect.objectContaining({
          deliveryId: id,
          eventId,
          endpointId: null,
          topic: null,
          finalError: 'http_503',
        }),
      )
      await hooks.deadLetters.replay(id)
      await expect.poll(() => receiver.received.length, patience).toBe(4)
      expect(receiver.received.map(({ method, body }) => [method, textOf(body)])).toEqual(
        Array.from({ length: 4 }, () => ['PATCH', '{"a":1}']),
      )
      await settled(id, 'dead_lettered')
    })

    it('is scheduled, and can be cancelled until then', async () => {
      const { deliveryId } = await hooks.send({ url: 'http://127.0.0.1:1/', payload: 1, delay: '1h' })
      expect(await hooks.deliveries.get(deliveryId)).toMatchObject({ state: 'pending', reason: 'scheduled' })
      await hooks.deliveries.cancel(deliveryId)
      expect(await hooks.deliveries.get(deliveryId)).toMatchObject({ state: 'cancelled' })
    })

    it('is resent after it succeeded', async () => {
      const receiver = await aReceiver()
      const { id } = await sent({ url: receiver.url, payload: 1 })
      await hooks.deliveries.resend(id)
      await expect.poll(() => receiver.received.length, patience).toBe(2)
      expect(await settled(id)).toMatchObject({ attempts: [{ attemptNo: 1 }, { attemptNo: 1 }] })
    })

    it('tells listeners of its attempts', async () => {
      const receiver = await aReceiver()
      const told: unknown[] = []
      hooks.on('attempt', (attempt) => told.push(attempt))
      const { id } = await sent({ url: receiver.url, payload: 1 })
      expect(told).toContainEqual(
        expect.objectContaining({ deliveryId: id, endpointId: null, topic: null, url: receiver.url }),
      )
    })
  })

  describe('tenants', () => {
    let made = 0
    const aTenant = async (): Promise<{ readonly id: string; readonly of: TenantHooks }> => {
      const uid = `sends-${++made}`
      const { tenant } = await hooks.tenants.upsert({ uid })
      return { id: tenant.id, of: hooks.tenant(uid) }
    }

    it('send for themselves (S3.16): another’s endpoint does not exist, nor does another’s send', async () => {
      const receiver = await aReceiver()
      const [one, two] = [await aTenant(), await aTenant()]
      const { deliveryId, eventId } = await one.of.send({ url: receiver.url, payload: 1 })
      await one.of.events.wait(eventId, { timeoutMs: patienceMs })
      await expect(two.of.deliveries.get(deliveryId)).rejects.toMatchObject({ code: 'not_found' })
      const { endpoint } = await one.of.endpoints.create({ url: receiver.url, topics: ['x'] })
      await expect(two.of.send({ endpointId: endpoint.id, payload: 1 })).rejects.toMatchObject({
        code: 'endpoint_not_available',
      })
    })

    it('that are deleted send no more', async () => {
      const { id, of } = await aTenant()
      await hooks.tenants.delete(id)
      await expect(of.send({ url: 'http://127.0.0.1:1/', payload: 1 })).rejects.toMatchObject({
        code: 'not_found',
      })
    })
  })

  describe('jobs on many', () => {
    let made = 0
    const aTenant = async (): Promise<TenantHooks> => {
      const uid = `jobs-on-sends-${++made}`
      await hooks.tenants.upsert({ uid })
      return hooks.tenant(uid)
    }
    const done = async (of: TenantHooks, { id }: { readonly id: string }) => {
      await expect.poll(async () => (await of.jobs.get(id)).state, patience).toBe('done')
      return of.jobs.get(id)
    }
    const statesOf = (of: TenantHooks, ids: readonly string[]) =>
      Promise.all(ids.map(async (id) => (await of.deliveries.get(id)).state))

    it('cancel sends by endpoint and by time, and those that match no topic are left by one', async () => {
      const of = await aTenant()
      const url = 'http://127.0.0.1:1/'
      const [{ endpoint }, other] = [
        await of.endpoints.create({ url, topics: ['orders.created'] }),
        await of.endpoints.create({ url, topics: ['nothing'] }),
      ]
      const later = { payload: 1, delay: '1h' }
      const toUrl = [await of.send({ url, ...later }), await of.send({ url, method: 'PUT', ...later })]
      const toEndpoint = await of.send({ endpointId: endpoint.id, ...later })
      const toOther = await of.send({ endpointId: other.endpoint.id, ...later })
      const event = await of.publish({ topic: 'orders.created', ...later })
      const ids = [...toUrl, toEndpoint, toOther].map(({ deliveryId }) => deliveryId)
      ids.push(event.deliveryIds[0] ?? '')
      const left = async () => (await statesOf(of, ids)).map((state) => (state === 'pending' ? 1 : 0))

      const byTopic = await of.jobs.cancelDeliveries({ topic: 'orders.created' })
      expect(await done(of, byTopic)).toMatchObject({ total: 1, done: 1, skipped: 0, failed: 0 })
      expect(await left()).toEqual([1, 1, 1, 1, 0])
      expect(await of.jobs.dryCancelDeliveries({ endpointId: endpoint.id })).toMatchObject({ matching: 1 })
      const byEndpoint = await of.jobs.cancelDeliveries({ endpointId: endpoint.id })
      expect(await done(of, byEndpoint)).toMatchObject({ total: 1, done: 1 })
      expect(await left()).toEqual([1, 1, 0, 1, 0])
      const at = (await of.deliveries.get(toUrl[0]?.deliveryId ?? '')).createdAt
      expect(await done(of, await of.jobs.cancelDeliveries({ until: at }))).toMatchObject({ total: 0 })
      expect(await done(of, await of.jobs.cancelDeliveries({ since: at }))).toMatchObject({
        total: 3,
        done: 3,
      })
      expect(await left()).toEqual([0, 0, 0, 0, 0])
    })

    it('replay dead letters of sends by error class and by endpoint, each as it was frozen', async () => {
      const of = await aTenant()
      const receiver = await aReceiver()
      const { endpoint } = await of.endpoints.create({
        url: `${receiver.url}/status/503`,
        topics: ['nothing'],
      })
      const once = { payload: { a: 1 }, retry: { max_attempts: 1 } }
      const sends = [
        await of.send({ url: `${receiver.url}/status/503`, method: 'PUT', ...once }),
        await of.send({ url: `${receiver.url}/status/400`, method: 'PATCH', ...once }),
        await of.send({ endpointId: endpoint.id, method: 'PUT', ...once }),
      ]
      const ids = sends.map(({ deliveryId }) => deliveryId)
      const dead = ids.map(() => 'dead_lettered')
      await expect.poll(() => statesOf(of, ids), patience).toEqual(dead)
      const arrivals = () =>
        ids.map((id) => receiver.received.filter((each) => each.deliveryId === id).length)
      expect(arrivals()).toEqual([1, 1, 1])

      expect(await of.jobs.dryReplayDeadLetters({ errorClass: 'http_503' })).toMatchObject({
        matching: 2,
        skipped: 0,
      })
      const byClass = await of.jobs.replayDeadLetters({ errorClass: 'http_503' })
      expect(await done(of, byClass)).toMatchObject({ total: 2, done: 2, skipped: 0, failed: 0 })
      await expect.poll(arrivals, patience).toEqual([2, 1, 2])
      await expect.poll(() => statesOf(of, ids), patience).toEqual(dead)
      const byEndpoint = await of.jobs.replayDeadLetters({ endpointId: endpoint.id })
      expect(await done(of, byEndpoint)).toMatchObject({ total: 1, done: 1 })
      await expect.poll(arrivals, patience).toEqual([2, 1, 3])
      await expect.poll(() => statesOf(of, ids), patience).toEqual(dead)
      expect(await done(of, await of.jobs.replayDeadLetters({ topic: 'nothing' }))).toMatchObject({
        total: 0,
      })
      expect(await done(of, await of.jobs.replayDeadLetters({ all: true }))).toMatchObject({ done: 3 })
      await expect.poll(arrivals, patience).toEqual([3, 2, 4])
      const sent = receiver.received.map(({ deliveryId, method, path, body }) =>
        [ids.indexOf(deliveryId ?? ''), method, path, textOf(body)].join(' '),
      )
      expect(new Set(sent)).toEqual(
        new Set(['0 PUT /status/503 {"a":1}', '1 PATCH /status/400 {"a":1}', '2 PUT /status/503 {"a":1}']),
      )
    })
  })

  describe('the timeout of a send', () => {
    it('ends its attempts and no other’s, to a URL and to an endpoint', async () => {
      const receiver = await aReceiver()
      const url = `${receiver.url}/slow/1500`
      const { endpoint } = await anEndpoint(url)
      const once = { payload: 1, retry: { max_attempts: 1 } }
      const states = ['dead_lettered', 'dead_lettered', 'succeeded']
      const sends = await Promise.all([
        hooks.send({ url, timeout: '1s', ...once }),
        hooks.send({ endpointId: endpoint.id, timeout: '1s', ...once }),
        hooks.send({ url, ...once }),
      ])
      const ended = await Promise.all(
        sends.map(({ deliveryId }, index) => settled(deliveryId, states[index])),
      )
      const attempts = ended.map(({ attempts: [attempt] }) => attempt)
      expect(attempts.map((attempt) => attempt?.errorClass)).toEqual(['timeout', 'timeout', null])
      for (const attempt of attempts.slice(0, 2)) {
        expect(attempt?.httpStatus).toBeNull()
        expect(attempt?.latencyMs).toBeGreaterThanOrEqual(990)
      }
    })
  })

  it.each(
    [
      'Authorization',
      'X-Auth',
      'X-Token',
      'X-Secret',
      'X-Password',
      'X-Passwd',
      'Cookie',
      'X-Credential',
    ].concat(['X-Api-Key', 'X-Apikey', 'X-Api_Key', 'X-Access-Key']),
  )('refuses the header %s, whose name says that it is a secret (S3.15)', async (name) => {
    const send = hooks.send({ ...there, headers: { [name]: 'x' } })
    await expect(send).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringContaining('looks like a secret'),
    })
  })

  it('takes a header whose name has a bare key in it (S3.15)', async () => {
    await hooks.send({ ...there, headers: { 'X-Idempotency-Key': 'x' } })
  })

  const there = { url: 'http://127.0.0.1:1/', payload: 1, delay: '1h' }
  it.each<[string, object, string, RegExp | string]>([
    [
      'neither URL nor endpoint',
      { url: undefined },
      'unprocessable',
      'give url or endpointId: where it is to be sent',
    ],
    ['both', { endpointId: `ep_${'0'.repeat(26)}` }, 'unprocessable', 'give url or endpointId, not both'],
    [
      'an endpoint id that is none',
      { url: undefined, endpointId: 'x' },
      'not_found',
      'no endpoint with that id',
    ],
    [
      'an unknown endpoint',
      { url: undefined, endpointId: `ep_${'0'.repeat(26)}` },
      'endpoint_not_available',
      'create it first',
    ],
    ['a private address', { url: 'http://10.0.0.1/' }, 'url_rejected', 'allowNetworks'],
    [
      'credentials in the URL',
      { url: 'http://u:p@127.0.0.1/' },
      'url_rejected',
      /userinfo|password|credentials/,
    ],
    ['a URL that is none', { url: 'x' }, 'url_rejected', 'URL'],
    ['another scheme', { url: 'ftp://127.0.0.1/' }, 'url_rejected', /http/],
    [
      'another method',
      { method: 'TRACE' },
      'unprocessable',
      'method must be one of POST, PUT, PATCH, GET, DELETE',
    ],
    ['a method in lower case', { method: 'post' }, 'unprocessable', 'method must be one of'],
    ['a header that we set', { headers: { Host: 'x' } }, 'unprocessable', 'is set by the sender itself'],
    [
      'a hop-by-hop header',
      { headers: { 'Transfer-Encoding': 'x' } },
      'unprocessable',
      'is set by the sender itself',
    ],
    [
      'a header of ours',
      { headers: { 'Outhook-Delivery-Id': 'x' } },
      'unprocessable',
      'is set by the sender itself',
    ],
    [
      'a header with a line break',
      { headers: { 'x-a': 'a\r\nb: c' } },
      'unprocessable',
      'without line breaks',
    ],
    [
      'a header name with a line break',
      { headers: { 'x-a: b\r\nc': 'd' } },
      'unprocessable',
      'is not a header name',
    ],
    [
      'a secret in a header',
      { headers: { Authorization: 'Bearer x' } },
      'unprocessable',
      'looks like a secret',
    ],
    [
      'a credential',
      { credentialId: 'crd_1' },
      'unprocessable',
      'credentialId must be the id of a credential',
    ],
    [
      'a type with a line break',
      { contentType: 'text/plain\r\nx: y' },
      'unprocessable',
      'contentType must be a media type',
    ],
    [
      'two types',
      { contentType: 'text/plain', headers: { 'content-type': 'text/plain' } },
      'unprocessable',
      'contentType and headers["content-type"] are both given',
    ],
    ['a policy that is none', { retry: 'often' }, 'unprocessable', 'retry'],
    ['a timeout beyond the server’s', { timeout: '1d' }, 'unprocessable', "totalTimeout: '15s'"],
    ['a timeout of nothing', { timeout: 0 }, 'unprocessable', 'timeout must be'],
    ['both times', { deliverAt: new Date() }, 'invalid_request', 'deliverAt and delay are both given'],
    ['a member that is none', { endpoint: 'x' }, 'invalid_request', 'did you mean endpointId?'],
    ['payload and body', { body: '1' }, 'invalid_request', 'payload and body are both given'],
    ['a body that is no JSON', { payload: undefined, body: '{' }, 'invalid_payload', 'the body must be JSON'],
    ['a payload that no JSON can hold', { payload: () => 1 }, 'invalid_payload', 'JSON'],
    ['metadata that is none', { metadata: { 'A b': 'x' } }, 'invalid_request', 'metadata'],
    ['a key that is none', { idempotencyKey: '' }, 'invalid_request', 'idempotency key'],
    ['a payload that is too large', { payload: 'x'.repeat(262_144) }, 'payload_too_large', '256KB'],
  ])('refuses %s (S3.15), and nothing is made', async (_what, other, code, message) => {
    const before = (await hooks.events.list({}, { limit: 1 })).items[0]?.id
    await expect(hooks.send({ ...there, ...other } as SendInput)).rejects.toMatchObject({
      code,
      message:
        typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
    })
    expect((await hooks.events.list({}, { limit: 1 })).items[0]?.id).toBe(before)
  })
}
