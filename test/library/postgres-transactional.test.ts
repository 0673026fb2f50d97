/** Publishing inside the program's own transactions. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { readTraceContext } from '../../src/core/trace-context.ts'
import { type LogFields, type OpenOptions, Outhook } from '../../src/index.ts'
import { aServer } from '../api/a-server.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

const masterKey = 'ab'.repeat(32)
let schemas = 0

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test('the receiver sees the trace context that the SQL function was given; malformed, it counts as none', async () => {
  const schema = aSchema()
  const hooks = await open(schema)
  const receiver = await aReceiver()
  await hooks.endpoints.create({ url: receiver.url, topics: ['*'] })
  const client = await aClient()
  const calls: readonly [payload: string, traceparent: string | null, tracestate: string | null][] = [
    ['1', traceparent, 'shop=1'],
    ['2', ` ${traceparent} `, null],
    ['3', traceparent.toUpperCase(), 'shop=1'],
    ['4', traceparent, 'caf\u00e9'],
    ['5', `01${traceparent.slice(2)}-more`, 'shop=5'],
    ['6', null, 'shop=1'],
    ['7', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, null],
  ]
  for (const [index, [payload, parent, state]] of calls.entries()) {
    const type = ['json', 'text', 'bytea'][index % 3]
    const given = type === 'bytea' ? `convert_to($1, 'UTF8')` : `$1::${type}`
    const sql = `select ${schema}.publish('a', ${given}, traceparent => $2, tracestate => $3)`
    await client.query(sql, [payload, parent, state])
  }
  await client.query(`select ${schema}.publish('a', '8'::json)`)
  const received = await receiver.waitFor(8, patienceMs)
  const seen = received.map(({ body, headers }) => [
    Buffer.from(body).toString(),
    headers.traceparent,
    headers.tracestate,
  ])
  const read = calls.map(([payload, parent, state]) => {
    const context = readTraceContext(parent, state)
    return [payload, context?.traceparent, context?.tracestate]
  })
  expect(seen.sort()).toEqual([...read, ['8', undefined, undefined]])
  expect(read.filter(([, parent]) => parent !== undefined)).toHaveLength(4)
})

async function aClient(url = server.url): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

async function begin(url?: string): Promise<pg.Client> {
  const client = await aClient(url)
  await client.query('begin')
  return client
}

/** A schema that is dropped when everything on it is closed. */
function aSchema(): string {
  const schema = `outhook_transactional_${process.pid}_${++schemas}`
  onTestFinished(async () => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query(`drop schema if exists ${schema} cascade`)
    await client.end()
  })
  return schema
}

const storeOf = (schema: string): string => `${server.url}?schema=${schema}`

async function open(schema: string, options: Partial<OpenOptions> = {}): Promise<Outhook> {
  const hooks = await Outhook.open({
    store: storeOf(schema),
    masterKey,
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    ...options,
  })
  onTestFinished(() => hooks.close())
  return hooks
}

/** A publisher that delivers nothing itself, and an endpoint for everything. */
async function aPublisher() {
  const schema = aSchema()
  const receiver = await aReceiver()
  const publisher = await open(schema, { dispatch: false })
  await publisher.endpoints.upsert({ uid: 'billing', url: `${receiver.url}/hook`, topics: ['*'] })
  return { schema, receiver, publisher }
}

const anOrder = { topic: 'orders.created', payload: { id: 'o_1' } }
const invalid = { code: 'invalid_request' }

test('an event that is published with a client is delivered if and when its transaction commits', async () => {
  const { schema, receiver, publisher } = await aPublisher()
  const dispatcher = await open(schema)
  const client = await begin()
  await client.query('create temporary table orders (id text)')
  await client.query(`insert into orders values ('o_1')`)
  const input = { ...anOrder, metadata: { source: 'shop' }, orderingKey: 'o_1' }
  const published = await publisher.publish(input, { client })
  expect(published).toEqual({
    id: expect.stringMatching(/^evt_/),
    deliveryIds: [],
    state: 'accepted',
    filteredSubscriptions: 0,
    replayed: false,
    warnings: [],
  })
  await expect(publisher.events.get(published.id)).rejects.toMatchObject({ code: 'not_found' })
  await client.query('commit')

  expect(await dispatcher.events.wait(published.id, { timeoutMs: patienceMs })).toMatchObject({
    state: 'fanned_out',
    orderingKey: 'o_1',
    deliveries: [{ state: 'succeeded', orderingKey: 'o_1' }],
  })
  expect(receiver.received).toMatchObject([{ eventId: published.id, topic: 'orders.created' }])
  expect(receiver.received[0]?.headers['outhook-meta-source']).toBe('shop')
  expect(Buffer.from(receiver.received[0]?.body ?? '').toString()).toBe('{"id":"o_1"}')
})

test('nothing is left of it after a rollback', async () => {
  const { schema, publisher, receiver } = await aPublisher()
  const client = await begin()
  const gone = await publisher.publish({ ...anOrder, idempotencyKey: 'o_1' }, { client })
  await client.query('rollback')
  const hooks = await open(schema)
  const kept = await hooks.publish({ ...anOrder, idempotencyKey: 'o_1' })
  expect(kept).toMatchObject({ replayed: false })
  await hooks.events.wait(kept.id, { timeoutMs: patienceMs })
  expect(receiver.received.map((request) => request.eventId)).toEqual([kept.id])
  await expect(hooks.events.get(gone.id)).rejects.toMatchObject({ code: 'not_found' })
})

test('keys given to the SQL function are remembered as long as idempotency-ttl says', async () => {
  const schema = aSchema()
  await open(schema, { dispatch: false, idempotencyTtl: '2h' })
  const client = await aClient()
  await client.query(`select ${schema}.publish('orders.created', '{}'::text, idempotency_key => 'o_1')`)
  const { rows } = await client.query(
    `select expires_at - ${schema}.line_ms() as ms from ${schema}.idempotency_keys`,
  )
  expect(Math.ceil(Number(rows[0].ms) / 60_000)).toBe(120)
})

test('between commit and fan-out the event is accepted, can be read, and is waited for', async () => {
  const { schema, publisher } = await aPublisher()
  const client = await begin()
  const { id } = await publisher.publish(anOrder, { client })
  await client.query('commit')
  expect(await publisher.events.get(id)).toMatchObject({
    state: 'accepted',
    payloadBytes: 12,
    deliveries: [],
  })
  expect(Buffer.from(await publisher.events.payload(id)).toString()).toBe('{"id":"o_1"}')
  expect((await publisher.events.list()).items).toMatchObject([{ id, state: 'accepted' }])
  await expect(publisher.events.wait(id, { timeoutMs: 0 })).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('not fanned out'),
  })
  const waiting = publisher.events.wait(id, { timeoutMs: patienceMs })
  await open(schema)
  expect(await waiting).toMatchObject({ state: 'fanned_out', deliveries: [{ state: 'succeeded' }] })
})

test('over the API, too, it can be read from the commit on', async () => {
  const { schema, publisher } = await aPublisher()
  const { call } = await aServer({ config: { store: storeOf(schema), masterKey } })
  const client = await begin()
  const { id } = await publisher.publish(anOrder, { client })
  expect((await call('GET', `/v1/events/${id}`)).status).toBe(404)
  await client.query('commit')
  const accepted = { event_id: id, topic: 'orders.created', state: 'accepted', payload_bytes: 12 }
  expect((await call('GET', `/v1/events/${id}`)).json).toMatchObject({ ...accepted, deliveries: [] })
  expect((await call('GET', `/v1/events/${id}/payload`)).text).toBe('{"id":"o_1"}')
  expect((await call('GET', '/v1/events')).json.items).toMatchObject([accepted])
  const dispatcher = await open(schema)
  await dispatcher.events.wait(id, { timeoutMs: patienceMs })
  expect((await call('GET', `/v1/events/${id}`)).json).toMatchObject({
    state: 'fanned_out',
    deliveries: [{ state: 'succeeded' }],
  })
})

test('the role of the client needs no more than to use the schema', async () => {
  const { schema, publisher } = await aPublisher()
  const client = await aClient()
  await client.query(`create role ${schema}_app`)
  try {
    await client.query(`begin; set local role ${schema}_app`)
    await expect(publisher.publish(anOrder, { client })).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining('may use the schema'),
    })
    await client.query(`rollback; grant usage on schema ${schema} to ${schema}_app`)
    await client.query(`begin; set local role ${schema}_app`)
    const { id } = await publisher.publish({ ...anOrder, idempotencyKey: 'o_1' }, { client })
    await client.query('commit')
    expect(await publisher.events.get(id)).toMatchObject({ state: 'accepted' })
  } finally {
    await client.query(`rollback; drop owned by ${schema}_app; drop role ${schema}_app`)
  }
})

test('many are published in one round trip, and one that is refused hinders no other', async () => {
  const { publisher } = await aPublisher()
  const client = await begin()
  let queries = 0
  const counting = {
    query: (text: string, values?: unknown[]) => {
      queries++
      return client.query(text, values)
    },
    getTransactionStatus: () => client.getTransactionStatus(),
  }
  const results = await publisher.publishMany(
    [
      { topic: 'b', payload: 1, idempotencyKey: 'z' },
      { topic: '', payload: 2 },
      { topic: 'a', payload: 3, idempotencyKey: 'a' },
      { topic: 'b', payload: 1, idempotencyKey: 'z' },
      { topic: 'a', payload: 4, idempotencyKey: 'a' },
      { topic: 'c', body: '{"n": 1.0}' },
    ],
    { client: counting },
  )
  expect(queries).toBe(1)
  expect(results).toMatchObject([
    { status: 'published', replayed: false },
    { status: 'failed', error: { code: 'invalid_body' } },
    { status: 'published', replayed: false },
    { status: 'published', replayed: true },
    { status: 'failed', error: { code: 'idempotency_conflict' } },
    { status: 'published', replayed: false },
  ])
  await client.query('commit')
  const ids = results.map((result) => (result.status === 'published' ? result.id : null))
  expect(ids[3]).toBe(ids[0])
  expect((await publisher.events.list()).items.map((event) => event.id).toSorted()).toEqual(
    [ids[0], ids[2], ids[5]].toSorted(),
  )
  expect(Buffer.from(await publisher.events.payload(ids[5] ?? '')).toString()).toBe('{"n": 1.0}')
})

describe('an idempotency key', () => {
  const keyed = { ...anOrder, idempotencyKey: 'o_1' }

  test('is answered within the transaction, which stays usable', async () => {
    const { publisher } = await aPublisher()
    const client = await begin()
    const first = await publisher.publish(keyed, { client })
    expect(await publisher.publish(keyed, { client })).toEqual({ ...first, replayed: true })
    await expect(publisher.publish({ ...keyed, payload: { id: 'o_2' } }, { client })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    })
    await client.query('commit')
    expect(await publisher.publish(keyed)).toEqual({ ...first, replayed: true })
    const sql = await begin()
    const { rows } = await sql.query(`select ${await schemaOf(sql)}.publish($1, $2, $3) as id`, [
      keyed.topic,
      JSON.stringify(keyed.payload),
      'o_1',
    ])
    expect(rows).toEqual([{ id: first.id }])
  })

  test('of an open transaction keeps others waiting for how it ends, and nobody else', async () => {
    const { publisher } = await aPublisher()
    const client = await begin()
    const first = await publisher.publish(keyed, { client })
    const same = publisher.publish(keyed)
    const other = await publisher.publish({ ...keyed, idempotencyKey: 'o_2' })
    expect(other.replayed).toBe(false)
    const second = await begin()
    await expect(publisher.publish(keyed, { client: second })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('still open'),
      retryAfterSeconds: 1,
    })
    await second.query('select 1')
    await client.query('commit')
    expect(await same).toEqual({
      ...first,
      replayed: true,
      deliveryIds: expect.anything(),
      state: expect.anything(),
    })
    expect(await publisher.publish(keyed, { client: second })).toEqual({ ...first, replayed: true })
  })

  async function schemaOf(client: pg.Client): Promise<string> {
    const name = `outhook_transactional_${process.pid}_${schemas}`
    const { rows } = await client.query('select 1 from pg_namespace where nspname = $1', [name])
    if (rows.length !== 1) throw new Error(`no schema ${name}`)
    return name
  }
})

describe('a client that cannot be meant', () => {
  test('is one without an open transaction, and a pool', async () => {
    const { publisher } = await aPublisher()
    const idle = await aClient()
    const pool = new pg.Pool({ connectionString: server.url })
    onTestFinished(() => pool.end())
    const withoutStatus = { query: (text: string, values?: unknown[]) => idle.query(text, values) }
    for (const client of [idle, pool, withoutStatus]) {
      await expect(publisher.publish(anOrder, { client })).rejects.toMatchObject({
        ...invalid,
        message: expect.stringMatching(/no open transaction.*"begin"/),
      })
    }
    await idle.query('begin')
    await publisher.publish(anOrder, { client: withoutStatus })
    await idle.query('rollback')
    expect((await publisher.events.list()).items).toEqual([])
  })

  test('is one whose transaction has failed', async () => {
    const { publisher } = await aPublisher()
    const client = await begin()
    await client.query('select 1 / 0').catch(() => {})
    await expect(publisher.publish(anOrder, { client })).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining('roll it back'),
    })
  })

  test('is one of another database, with and without a store of its own', async () => {
    const { schema, publisher } = await aPublisher()
    const name = `${schema}_other`
    await (await aClient()).query(`create database ${name}`)
    const url = new URL(server.url)
    url.pathname = `/${name}`
    const other = await begin(url.href)
    const elsewhere = { ...invalid, message: expect.stringContaining('same database') }
    await expect(publisher.publish(anOrder, { client: other })).rejects.toMatchObject(elsewhere)
    await other.query('rollback')
    const theirs = await open(schema, { store: `${url.href}?schema=${schema}`, dispatch: false })
    await other.query('begin')
    await expect(publisher.publish(anOrder, { client: other })).rejects.toMatchObject(elsewhere)
    await theirs.publish(anOrder, { client: other })
    await other.query('commit')
    expect((await theirs.events.list()).items).toHaveLength(1)
    expect((await publisher.events.list()).items).toEqual([])
    await theirs.close()
    await other.end()
    await (await aClient()).query(`drop database ${name} with (force)`)
  })

  test('is none at all, the client itself in place of the options, or anything else', async () => {
    const { publisher } = await aPublisher()
    const client = await begin()
    const mistakes = [
      { client: undefined },
      { client: null },
      { client: 'pg' },
      { transaction: client },
      client,
      null,
    ]
    for (const options of mistakes) {
      await expect(publisher.publish(anOrder, options as { client: pg.Client })).rejects.toMatchObject(
        invalid,
      )
      await expect(publisher.publishMany([anOrder], options as { client: pg.Client })).rejects.toMatchObject(
        invalid,
      )
    }
    expect((await publisher.events.list()).items).toEqual([])
  })

  test('leads to the errors of its own connection as they are', async () => {
    const { publisher } = await aPublisher()
    const client = await begin()
    await client.query('set transaction isolation level serializable read only')
    await expect(publisher.publish(anOrder, { client })).rejects.toMatchObject({
      code: '25006',
      severity: 'ERROR',
    })
  })
})

test('events of many transactions reach the endpoint once each, whatever nodes relay them', async () => {
  const { schema, receiver, publisher } = await aPublisher()
  const nodes = await Promise.all([open(schema), open(schema), open(schema)])
  const ids: string[] = []
  const commits = Array.from({ length: 8 }, async () => {
    const client = await begin()
    for (let turn = 0; turn < 10; turn++) {
      ids.push((await publisher.publish(anOrder, { client })).id)
      await client.query('commit; begin')
      await publisher.publish(anOrder, { client })
      await client.query('rollback; begin')
    }
  })
  await Promise.all(commits)
  await Promise.all(ids.map((id) => nodes[0]?.events.wait(id, { timeoutMs: patienceMs })))
  expect(receiver.received.map((request) => request.eventId).toSorted()).toEqual(ids.toSorted())
})

test('a transaction that stays open delays nobody, and is delivered when it commits', async () => {
  const { schema, receiver } = await aPublisher()
  const hooks = await open(schema)
  const open1 = await begin()
  const late = await hooks.publish({ ...anOrder, idempotencyKey: 'late' }, { client: open1 })
  for (let round = 0; round < 5; round++) {
    const other = await begin()
    const transactional = await hooks.publish(anOrder, { client: other })
    await other.query('commit')
    const plain = await hooks.publish({ ...anOrder, idempotencyKey: `plain ${round}` })
    for (const { id } of [transactional, plain]) await hooks.events.wait(id, { timeoutMs: patienceMs })
  }
  expect(receiver.received).toHaveLength(10)
  await open1.query('commit')
  await hooks.events.wait(late.id, { timeoutMs: patienceMs })
})

test('an event that the database refuses to fan out stays accepted, and holds up no other', async () => {
  const { schema, publisher } = await aPublisher()
  const client = await begin()
  await client.query(`alter table ${schema}.events add check (topic <> 'refused')`)
  const published = await publisher.publishMany(
    ['a', 'refused', 'b'].map((topic) => ({ topic, payload: 1 })),
    { client },
  )
  await client.query('commit')
  const ids = published.map((result) => (result.status === 'published' ? result.id : ''))
  const hooks = await open(schema)
  for (const id of [ids[0], ids[2]]) await hooks.events.wait(id ?? '', { timeoutMs: patienceMs })
  expect(await hooks.events.get(ids[1] ?? '')).toMatchObject({ state: 'accepted' })
})

describe('a relay that is killed in the middle of a fan-out', () => {
  /** Its statement stands still between the new rows and the commit, while there is a row in `holding`. */
  const holdFanOut = (schema: string) => `
    set search_path to ${schema};
    create table holding (); insert into holding default values;
    create function hold() returns trigger language plpgsql as $$ begin
      while exists (select from holding) loop perform pg_sleep(0.01); end loop; return null; end $$;
    create trigger hold after insert on events execute function hold()`
  const fanningOut = `select pid, wait_event from pg_stat_activity
    where query like '%delete from outbox%' and state = 'active' and pid <> pg_backend_pid()`

  test.each([
    ['and whose transaction the server rolls back', true],
    ['and whose transaction the server commits', false],
  ])(
    '%s, has every event delivered once',
    async (_, rollsBack) => {
      const { schema, receiver, publisher } = await aPublisher()
      const child = await aDispatchingChild(storeOf(schema))
      const beside = await aClient()
      await beside.query(holdFanOut(schema))
      const client = await begin()
      const ids: string[] = []
      for (let n = 0; n < 20; n++) ids.push((await publisher.publish(anOrder, { client })).id)
      await client.query('commit')
      await expect.poll(async () => (await beside.query(fanningOut)).rows[0]?.wait_event).toBe('PgSleep')
      child.kill('SIGKILL')
      await once(child, 'exit')
      if (rollsBack) await beside.query(`select pg_terminate_backend(pid) from (${fanningOut}) f`)
      await beside.query('delete from holding')
      await expect.poll(async () => (await beside.query(fanningOut)).rowCount).toBe(0)
      const { rowCount } = await beside.query('select from outbox')
      expect(rowCount).toBe(rollsBack ? 20 : 0)

      const survivor = await open(schema)
      await Promise.all(ids.map((id) => survivor.events.wait(id, { timeoutMs: patienceMs })))
      expect(receiver.received.map((request) => request.eventId).toSorted()).toEqual(ids.toSorted())
      const { rows } = await beside.query('select count(*)::integer as n from deliveries')
      expect(rows).toEqual([{ n: 20 }])
    },
    30_000,
  )

  async function aDispatchingChild(store: string): Promise<ChildProcess> {
    const script = fileURLToPath(new URL('./dispatching-child.ts', import.meta.url))
    const child = spawn(process.execPath, [script, store, masterKey], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    if (child.stdout === null) throw new Error('no stdout')
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error('the child ended early'))),
    ])
    return child
  }
})

test('a store without callers’ transactions says so', async () => {
  await using hooks = await Outhook.open({ store: 'memory:' })
  const client = await begin()
  await expect(hooks.publish(anOrder, { client })).rejects.toMatchObject({
    ...invalid,
    message: expect.stringContaining('postgres://'),
  })
  expect((await hooks.publish(anOrder, {})).replayed).toBe(false)
})

test('a closed program publishes nothing into transactions', async () => {
  const { publisher } = await aPublisher()
  const client = await begin()
  await publisher.close()
  await expect(publisher.publish(anOrder, { client })).rejects.toMatchObject({ code: 'shutting_down' })
})

test('an event of a transaction is filtered when it is fanned out, and says how many subscriptions did not get it', async () => {
  const schema = aSchema()
  const hooks = await open(schema)
  const receiver = await aReceiver()
  const filter = { n: { $gt: 1 } }
  await hooks.endpoints.create({ url: receiver.url, topics: ['*'], filter })
  const client = await aClient()
  const publish = async (n: number) =>
    (await client.query(`select ${schema}.publish('a', $1::json) as id`, [JSON.stringify({ n })])).rows[0]
      .id as string
  const ids = [await publish(1), await publish(2), await publish(1)]
  const events = await Promise.all(ids.map((id) => hooks.events.wait(id, { timeoutMs: patienceMs })))
  expect(events.map(({ filteredSubscriptions }) => filteredSubscriptions)).toEqual([1, null, 1])
  expect(events.map(({ deliveries }) => deliveries.length)).toEqual([0, 1, 0])
  expect((await receiver.waitFor(1, patienceMs)).map(({ body }) => Buffer.from(body).toString())).toEqual([
    '{"n":2}',
  ])
})

test('a schema that is enforced refuses an event of a transaction, which goes on; what SQL publishes past it is delivered and told', async () => {
  const schema = aSchema()
  const lines: LogFields[] = []
  const log = () => {}
  const logger = { debug: log, info: log, error: log, warn: (fields: LogFields) => void lines.push(fields) }
  const hooks = await open(schema, { logger })
  const receiver = await aReceiver()
  await hooks.endpoints.create({ url: receiver.url, topics: ['*'] })
  await hooks.eventTypes.create({
    name: 'orders.made',
    schema: { required: ['id'] },
    mode: 'enforce',
  })
  const client = await aClient()
  await client.query('begin')
  const wrong = hooks.publish({ topic: 'orders.made', payload: {} }, { client })
  await expect(wrong).rejects.toMatchObject({ code: 'payload_mismatch', path: '/id' })
  await hooks.publish({ topic: 'orders.made', payload: { id: 1 } }, { client })
  await client.query(`select ${schema}.publish('orders.made', '{"by":"sql"}'::json)`)
  await client.query('commit')
  const received = await receiver.waitFor(2, patienceMs)
  expect(received.map(({ body }) => Buffer.from(body).toString()).sort()).toEqual([
    '{"by":"sql"}',
    '{"id":1}',
  ])
  const told = lines.filter(({ topic }) => topic === 'orders.made')
  expect(told).toMatchObject([{ path: '/id', refused: true }])
})
