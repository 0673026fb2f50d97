/** Jobs as users see them: over HTTP and from the command line, against a real server and a real receiver. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { runToEnd } from '../cli/run-cli.ts'
import { adminToken, aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

let server: TestServer
let receiver: Receiver
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  receiver = await startReceiver()
  server = await aServer({
    config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'] },
    dispatch: true,
    closeWith: (close) => void closing.push(close),
  })
})
afterAll(async () => {
  await Promise.all(closing.map((close) => close()))
  await receiver.close()
})

let topics = 0

/** An endpoint of a topic of its own, at a path of the receiver. */
async function anEndpoint(path: string) {
  const topic = `topic-${++topics}`
  const body = { url: `${receiver.url}${path}`, topics: [topic] }
  const { json } = await server.call('POST', '/v1/endpoints', { body })
  return { id: json.id as string, topic }
}

/** Publishes so many and waits until each is given up; their deliveries' ids. */
async function deadLetters(count: number, path = '/status/400') {
  const endpoint = await anEndpoint(path)
  for (let n = 0; n < count; n++)
    await server.call('POST', '/v1/events', { body: { topic: endpoint.topic, payload: { n } } })
  const dead = async () => (await server.call('GET', `/v1/dlq?endpoint_id=${endpoint.id}`)).json.items
  await expect.poll(async () => (await dead()).length).toBe(count)
  return { ...endpoint, ids: (await dead()).map((each: { id: string }) => each.id) as string[] }
}

async function ended(id: string) {
  const job = async () => (await server.call('GET', `/v1/jobs/${id}`)).json
  await expect.poll(async () => (await job()).ended_at).not.toBeNull()
  return job()
}

const arrivals = (ids: readonly string[]) =>
  receiver.received.filter(({ deliveryId }) => ids.includes(String(deliveryId))).length

const cli = (...args: string[]) => runToEnd([...args, '--url', server.url, '--token', adminToken])

test('a replay of many answers 202 with a job, which sends each dead letter again, once', async () => {
  const { id, topic, ids } = await deadLetters(5)
  await server.call('PATCH', `/v1/endpoints/${id}`, { body: { url: `${receiver.url}/hook` } })
  const made = await server.call('POST', '/v1/dlq/replay', { body: { endpoint_id: id, topic } })
  expect(made.status).toBe(202)
  expect(made.json).toMatchObject({ kind: 'replay', state: 'queued', filter: { endpoint_id: id, topic } })
  expect(await ended(made.json.id)).toMatchObject({
    state: 'done',
    total: 5,
    done: 5,
    skipped: 0,
    error: null,
  })
  await expect
    .poll(
      async () => (await server.call('GET', `/v1/deliveries?endpoint_id=${id}&state=succeeded`)).json.items,
    )
    .toHaveLength(5)
  const list = (await server.call('GET', '/v1/jobs?kind=replay&state=done')).json.items
  expect(list[0].id).toBe(made.json.id)
  expect(ids).toHaveLength(5)
})

test('a dry run counts, and changes nothing', async () => {
  const { id } = await deadLetters(3)
  const body = { endpoint_id: id, error_class: 'http_400', since: '2020-01-01T00:00:00Z', dry_run: true }
  const { status, json } = await server.call('POST', '/v1/dlq/replay', { body })
  expect([status, json]).toEqual([200, { dry_run: true, matching: 3, skipped: 0, complete: true }])
  expect((await server.call('GET', `/v1/dlq?endpoint_id=${id}`)).json.items).toHaveLength(3)
})

test('dead letters are counted by why they were given up', async () => {
  const { id } = await deadLetters(3)
  const { status, json } = await server.call('GET', `/v1/dlq/reasons?endpoint_id=${id}`)
  expect([status, json]).toEqual([200, { reasons: [{ error_class: 'http_400', count: 3 }], complete: true }])
  const other = await server.call('GET', `/v1/dlq/reasons?endpoint_id=${id}&error_class=timeout`)
  expect(other.json).toEqual({ reasons: [], complete: true })
})

test('a job that is cancelled at a low rate leaves the rest where it is', async () => {
  const { id } = await deadLetters(3)
  const made = await server.call('POST', '/v1/dlq/replay', { body: { endpoint_id: id, rate: 0.1 } })
  await expect.poll(async () => (await server.call('GET', `/v1/jobs/${made.json.id}`)).json.done).toBe(1)
  const { status, json } = await server.call('POST', `/v1/jobs/${made.json.id}/cancel`)
  expect(status).toBe(200)
  expect(json).toMatchObject({ state: 'cancelled', rate: 0.1, total: 3, done: 1 })
  expect(json.ended_at).not.toBeNull()
  const again = await server.call('POST', `/v1/jobs/${made.json.id}/cancel`)
  expect(again.json).toEqual(json)
})

test('a job that is paused waits, and goes on where it stopped when it is resumed', async () => {
  const { id } = await deadLetters(3)
  const made = await server.call('POST', '/v1/dlq/replay', { body: { endpoint_id: id, rate: 0.5 } })
  const path = `/v1/jobs/${made.json.id}`
  await expect.poll(async () => (await server.call('GET', path)).json.done).toBe(1)
  const paused = await server.call('POST', `${path}/pause`)
  expect([paused.status, paused.json]).toMatchObject([200, { state: 'paused', done: 1, ended_at: null }])
  expect((await server.call('GET', '/v1/jobs?state=paused')).json.items).toEqual([paused.json])
  expect((await server.call('POST', `${path}/pause`)).json).toEqual(paused.json)
  const resumed = await server.call('POST', `${path}/resume`)
  expect(resumed.status).toBe(200)
  await expect.poll(async () => (await server.call('GET', path)).json.state).toBe('done')
  const done = (await server.call('GET', path)).json
  expect(done).toMatchObject({ done: 3, skipped: 0, failed: 0 })
  expect((await server.call('POST', `${path}/pause`)).json).toEqual(done)
})

test.each([
  ['no filter', {}, 400, /all: true/],
  ['a filter of nothing', { since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' }, 400, /since/],
  ['no endpoint', { endpoint_id: 'ep_01h455vb4pex5vsknk084sn02q' }, 404, /no endpoint/],
  ['a rate of zero', { all: true, rate: 0 }, 400, /rate/],
  ['a rate beyond all', { all: true, rate: 1e9 }, 400, /rate/],
  ['a member that is none', { all: true, endpoints: [] }, 400, /endpoints/],
])('a replay of many with %s is refused', async (_name, body, status, detail) => {
  for (const dry_run of [false, true]) {
    const answer = await server.call('POST', '/v1/dlq/replay', { body: { ...body, dry_run } })
    expect([answer.text, answer.status]).toEqual([answer.text, status])
    expect(answer.json.detail).toMatch(detail)
  }
})

test('a job that is not there is 404, whatever is asked of it', async () => {
  for (const [method, path] of [
    ['GET', '/v1/jobs/job_01h455vb4pex5vsknk084sn02q'],
    ['POST', '/v1/jobs/job_01h455vb4pex5vsknk084sn02q/cancel'],
    ['POST', '/v1/jobs/job_01h455vb4pex5vsknk084sn02q/pause'],
    ['POST', '/v1/jobs/job_01h455vb4pex5vsknk084sn02q/resume'],
    ['GET', '/v1/jobs/nonsense'],
  ] as const) {
    expectProblem(await server.call(method, path), {
      status: 404,
      title: 'job not found',
      detail: 'no job with that id',
    })
  }
})

test('outhook dlq replay: many, counted, shown and waited for', async () => {
  const { id, ids } = await deadLetters(2)
  const dry = await cli('dlq', 'replay', '--endpoint', id, '--since', '1h', '--dry-run', '--json')
  expect(JSON.parse(dry.out)).toEqual({ dry_run: true, matching: 2, skipped: 0, complete: true })
  const done = await cli('dlq', 'replay', '--endpoint', id, '--since', '1h')
  expect([done.err, done.code]).toEqual(['', 0])
  expect(done.out).toMatch(/state +done/)
  const json = await cli('jobs', 'list', '--json', '--limit', '1')
  expect(JSON.parse(json.out).items[0]).toMatchObject({ kind: 'replay', state: 'done', done: 2 })
  const jobId = JSON.parse(json.out).items[0].id
  expect(JSON.parse((await cli('jobs', 'show', jobId, '--wait', '--json')).out)).toMatchObject({ id: jobId })
  expect((await cli('jobs', 'cancel', jobId)).code).toBe(0)
  await expect.poll(() => arrivals(ids)).toBeGreaterThanOrEqual(4)
})

test('outhook dlq replay refuses what is unclear', async () => {
  expect(await cli('dlq', 'replay')).toMatchObject({ code: 2, err: expect.stringContaining('--all') })
  const both = await cli('dlq', 'replay', 'dlv_01h455vb4pex5vsknk084sn02q', '--all')
  expect(both).toMatchObject({ code: 2, err: expect.stringContaining('not both') })
  expect((await cli('jobs', 'show', 'job_01h455vb4pex5vsknk084sn02q')).code).toBe(3)
  expect((await cli('dlq', 'replay', '--rate', '0', '--all')).code).toBe(2)
})

/** An endpoint that is disabled, and so many deliveries that wait for it; their ids. */
async function waiting(count: number) {
  const endpoint = await anEndpoint('/hook')
  await server.call('PATCH', `/v1/endpoints/${endpoint.id}`, { body: { enabled: false } })
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    const { json } = await server.call('POST', '/v1/events', { body: { topic: endpoint.topic, payload: n } })
    ids.push(...json.delivery_ids)
  }
  return { ...endpoint, ids }
}

const state = async (id: string | undefined) => (await server.call('GET', `/v1/deliveries/${id}`)).json

test('a delivery that waits is cancelled, and one that has ended is not', async () => {
  const { ids } = await waiting(1)
  const path = `/v1/deliveries/${ids[0]}/cancel`
  const { status, json } = await server.call('POST', path)
  expect([status, json]).toEqual([200, { delivery_id: ids[0], state: 'cancelled' }])
  expect(await state(ids[0])).toMatchObject({ state: 'cancelled', last_error: 'cancelled on request' })
  expectProblem(await server.call('POST', path), { status: 409, title: 'not cancellable' })
})

test('an attempt under way is not interrupted by a cancel, which says so, and its outcome counts', async () => {
  const { topic } = await anEndpoint('/slow/400')
  const { json } = await server.call('POST', '/v1/events', { body: { topic, payload: 1 } })
  const [id] = json.delivery_ids
  await receiver.waitFor((received) => received.some(({ deliveryId }) => deliveryId === id))
  const answer = await server.call('POST', `/v1/deliveries/${id}/cancel`)
  expectProblem(answer, { status: 409, title: 'attempt under way' })
  await expect.poll(async () => (await state(id)).state).toBe('succeeded')
})

test('a delivery that succeeded is resent under its id, and both attempts are shown', async () => {
  const { topic } = await anEndpoint('/hook')
  const { json } = await server.call('POST', '/v1/events', { body: { topic, payload: 1 } })
  const [id] = json.delivery_ids
  const waitFor = (count: number) =>
    expect
      .poll(async () => (await state(id)).attempts.map((each: { status: string }) => each.status))
      .toEqual(Array(count).fill('success'))
  await waitFor(1)
  const resent = await server.call('POST', `/v1/deliveries/${id}/resend`)
  expect([resent.status, resent.json]).toEqual([200, { delivery_id: id, state: 'pending' }])
  await waitFor(2)
  expect(arrivals([id])).toBe(2)
  expect((await cli('deliveries', 'resend', id)).code).toBe(0)
  await waitFor(3)
})

test('a delivery that waits is not resent', async () => {
  const { ids } = await waiting(1)
  expectProblem(await server.call('POST', `/v1/deliveries/${ids[0]}/resend`), {
    status: 409,
    title: 'not replayable',
  })
})

test('many that wait are counted and cancelled, over HTTP and from the command line', async () => {
  const { id, ids } = await waiting(3)
  const body = { endpoint_id: id, dry_run: true }
  const dry = await server.call('POST', '/v1/deliveries/cancel', { body })
  expect([dry.status, dry.json]).toEqual([200, { dry_run: true, matching: 3, skipped: 0, complete: true }])
  const one = await cli('deliveries', 'cancel', ids[0] as string, '--json')
  expect(JSON.parse(one.out)).toMatchObject({ state: 'cancelled' })
  const { status, json } = await server.call('POST', '/v1/deliveries/cancel', { body: { endpoint_id: id } })
  expect(status).toBe(202)
  expect(await ended(json.id)).toMatchObject({ kind: 'cancel', state: 'done', total: 2, done: 2 })
  const more = await waiting(2)
  const done = await cli('deliveries', 'cancel', '--endpoint', more.id, '--json')
  expect(JSON.parse(done.out)).toMatchObject({ state: 'done', done: 2 })
  for (const each of [...ids, ...more.ids]) expect((await state(each)).state).toBe('cancelled')
})

test('an endpoint is filled with past events that it did not get, each once', async () => {
  const { topic } = await anEndpoint('/hook')
  const since = new Date().toISOString()
  for (const n of [1, 2, 3]) await server.call('POST', '/v1/events', { body: { topic, payload: n } })
  const body = { url: `${receiver.url}/filled`, topics: [topic] }
  const { id } = (await server.call('POST', '/v1/endpoints', { body })).json
  const path = `/v1/endpoints/${id}/backfill`
  const dry = await server.call('POST', path, { body: { since, dry_run: true } })
  expect([dry.status, dry.json]).toEqual([200, { dry_run: true, matching: 3, skipped: 0, complete: true }])
  const made = await server.call('POST', path, { body: { since, topic } })
  expect(made.status).toBe(202)
  expect(await ended(made.json.id)).toMatchObject({ kind: 'backfill', state: 'done', total: 3, done: 3 })
  const again = await cli('endpoints', 'backfill', id, '--since', since, '--json')
  expect(JSON.parse(again.out)).toMatchObject({ state: 'done', total: 0, done: 0 })
  await receiver.waitFor((received) => received.filter((each) => each.path === '/filled').length >= 3)
  expect(receiver.received.filter((each) => each.path === '/filled')).toHaveLength(3)
})

test.each([
  ['without since', {}, 400],
  ['with a time that is none', { since: 'yesterday' }, 400],
  ['until before since', { since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' }, 400],
])('a back-fill %s is refused', async (_name, body, status) => {
  const { id } = await anEndpoint('/hook')
  const answer = await server.call('POST', `/v1/endpoints/${id}/backfill`, { body })
  expect([answer.text, answer.status]).toEqual([answer.text, status])
})

const endpointNow = async (id: string) => (await server.call('GET', `/v1/endpoints/${id}`)).json

test('an endpoint is paused by hand, which is shown with its reason and its maker, and resumed', async () => {
  const { id, topic } = await anEndpoint('/paused')
  const { json: key } = await server.call('POST', '/v1/keys', { body: { name: 'operator', kind: 'admin' } })
  const paused = await server.call('POST', `/v1/endpoints/${id}/pause`, {
    body: { reason: 'maintenance' },
    token: key.key,
  })
  expect(paused.status).toBe(200)
  expect(paused.json).toMatchObject({
    state: 'paused',
    enabled: true,
    paused_reason: 'maintenance',
    paused_by: key.id,
    disabled_reason: null,
    disabled_at: null,
    resumes_at: null,
  })
  expect(paused.json.paused_at).not.toBeNull()
  const { json } = await server.call('POST', '/v1/events', { body: { topic, payload: 1 } })
  expect(await state(json.delivery_ids[0])).toMatchObject({ state: 'pending', reason: 'endpoint_paused' })
  await server.call('PATCH', `/v1/endpoints/${id}`, { body: { enabled: true, description: 'still paused' } })
  expect(await endpointNow(id)).toMatchObject({ state: 'paused', description: 'still paused' })
  const resumed = await server.call('POST', `/v1/endpoints/${id}/resume`)
  expect(resumed.json).toMatchObject({
    state: 'active',
    paused_at: null,
    paused_reason: null,
    paused_by: null,
  })
  await expect.poll(async () => (await state(json.delivery_ids[0])).state).toBe('succeeded')
})

test.each(['enable', 'resume'])(
  '%s with the backlog skipped cancels what waits, and sends what comes after',
  async (name) => {
    const { id, topic } = await anEndpoint('/hook')
    const before =
      name === 'resume'
        ? await cli('endpoints', 'pause', id, '--reason', 'x')
        : await cli('endpoints', 'disable', id)
    expect([before.err, before.code]).toEqual(['', 0])
    const old = await server.call('POST', '/v1/events', { body: { topic, payload: 'old' } })
    const done = await cli('endpoints', name, id, '--backlog', 'skip', '--json')
    expect(JSON.parse(done.out)).toMatchObject({ kind: 'skip_backlog', state: 'done', done: 1 })
    const [oldId] = old.json.delivery_ids
    expect(await state(oldId)).toMatchObject({
      state: 'cancelled',
      last_error: 'skipped when its endpoint was enabled',
    })
    expect(await endpointNow(id)).toMatchObject({ state: 'active' })
    const { json } = await server.call('POST', '/v1/events', { body: { topic, payload: 'new' } })
    await expect.poll(async () => (await state(json.delivery_ids[0])).state).toBe('succeeded')
  },
)

test('enable delivers the backlog unless something else is said', async () => {
  const { id, ids } = await waiting(2)
  const { status, json } = await server.call('POST', `/v1/endpoints/${id}/enable`, {
    body: { backlog: 'deliver' },
  })
  expect([status, json.state]).toEqual([200, 'active'])
  for (const each of ids) await expect.poll(async () => (await state(each)).state).toBe('succeeded')
})

test('pauses that make no sense are refused', async () => {
  const { id } = await anEndpoint('/hook')
  const post = (path: string, body?: object) => server.call('POST', `/v1/endpoints/${id}/${path}`, { body })
  expectProblem(await post('resume'), { status: 409, title: 'conflict' })
  expectProblem(await post('enable', { backlog: 'skip' }), { status: 409, title: 'conflict' })
  expectProblem(await post('enable', { backlog: 'burn' }), { status: 400, title: 'invalid body' })
  expectProblem(await post('pause', { reason: 'x'.repeat(1001) }), { status: 422, title: 'unprocessable' })
  await server.call('PATCH', `/v1/endpoints/${id}`, { body: { enabled: false } })
  expectProblem(await post('pause'), { status: 409, title: 'conflict' })
  expectProblem(await post('resume'), { status: 409, title: 'conflict' })
})

test('a test event is sent at once, signed, and what the receiver said is the answer; nothing of it is stored', async () => {
  const { id } = await anEndpoint('/tested')
  await server.call('POST', `/v1/endpoints/${id}/pause`)
  const { status, json } = await server.call('POST', `/v1/endpoints/${id}/test`, {
    body: { payload: { n: 7 } },
  })
  expect([status, json]).toMatchObject([
    200,
    { succeeded: true, http_status: 200, error_class: null, error: null },
  ])
  expect(json.response.headers.length).toBeGreaterThan(0)
  const arrived = receiver.received.find(({ path }) => path === '/tested')
  expect(arrived?.headers).toMatchObject({ 'webhook-id': json.event_id, 'outhook-topic': 'outhook.test' })
  expect(arrived?.headers['webhook-signature']).toMatch(/^v1,/)
  expect((await server.call('GET', `/v1/deliveries?endpoint_id=${id}`)).json.items).toEqual([])
  expect((await server.call('GET', `/v1/events/${json.event_id}`)).status).toBe(404)
  const bad = await anEndpoint('/status/503')
  const failed = await cli('endpoints', 'test', bad.id, '--json')
  expect(failed.code).toBe(1)
  expect(JSON.parse(failed.out)).toMatchObject({
    succeeded: false,
    http_status: 503,
    error_class: 'http_503',
  })
})
