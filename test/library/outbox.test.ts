/** Publishing inside a transaction on the program's own SQLite file. */
import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import BetterSqlite3 from 'better-sqlite3'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { idTime, parseId } from '../../src/core/ids.ts'
import { type LogFields, Outhook, OuthookError, outboxSql, publishInto } from '../../src/index.ts'
import { OutboxDatabase } from '../../src/store/sqlite/outbox/outbox-database.ts'
import type { Receiver } from '../../src/testing/receiver.ts'
import { startReceiver } from '../../src/testing/receiver.ts'
import { makeProgramDirectory, openProgramFile, type ProgramFile } from './a-program-file.ts'

const directory = makeProgramDirectory()
const pathOf = (name: string): string => join(directory.path, `${name}.db`)
const lines: { readonly level: string; readonly fields: LogFields; readonly message: string }[] = []
const log = (level: string) => (fields: LogFields, message: string) =>
  void lines.push({ level, fields, message })
const logger = { debug() {}, info: log('info'), warn: log('warn'), error: log('error') }
const said = (name: string, level: string): string[] =>
  lines
    .filter((line) => line.level === level && String(line.fields.outbox).endsWith(`${name}.db`))
    .map(({ message }) => message)

/** Each stands for one test, and all are relayed by one process. */
const names = ['app', 'missing', 'damaged', 'no-table', 'locked', 'replaced', 'utf-16', 'journal'] as const
const outboxes = names.map((name) => `sqlite:${pathOf(name)}`)
let hooks: Outhook
let receiver: Receiver
let app: ProgramFile
beforeAll(async () => {
  app = openProgramFile(pathOf('app'))
  writeFileSync(pathOf('damaged'), 'no database at all, '.repeat(1000))
  new DatabaseSync(pathOf('no-table')).exec('create table orders (id text)')
  receiver = await startReceiver()
  hooks = await Outhook.open({
    store: 'memory:',
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    outboxes,
    logger,
  })
  await hooks.endpoints.create({ url: `${receiver.url}/hook`, topics: ['*'] })
})
afterAll(async () => {
  await hooks?.close()
  await receiver?.close()
  if (app?.db.isOpen) app.db.close()
  directory.remove()
})

const bodiesOf = (topic: string): string[] =>
  receiver.received.filter((each) => each.topic === topic).map(({ body }) => Buffer.from(body).toString())
const idsOf = (topic: string) =>
  receiver.received.filter((each) => each.topic === topic).map(({ eventId }) => eventId)
const delivered = (topic: string, count: number) =>
  expect.poll(() => bodiesOf(topic).length, { message: topic }).toBe(count)
/** Of the outbox `app`: nothing waits in it any more. */
const drained = (file = app) => expect.poll(() => file.count()).toBe(0)

test('an event is delivered if and when the transaction commits that it was written in', async () => {
  const { db } = app
  const topic = 'transactions.made'
  db.exec('begin immediate')
  publishInto(db, { topic, payload: { id: 'gone' } })
  db.exec('rollback')
  db.exec("begin immediate; insert into orders values ('o_1')")
  const event = { topic, payload: { id: 'o_1' }, metadata: { source: 'test' }, orderingKey: 'k' }
  const id = publishInto(db, event)
  db.exec('commit')
  await delivered(topic, 1)
  expect(idsOf(topic)).toEqual([id])
  expect(bodiesOf(topic)).toEqual(['{"id":"o_1"}'])
  expect(await hooks.events.get(id)).toMatchObject({
    topic,
    metadata: { source: 'test' },
    orderingKey: 'k',
    hasIdempotencyKey: false,
  })
  await drained()
})

test('better-sqlite3 publishes inside its transactions too, and not at all when one is rolled back', async () => {
  const topic = 'better.sqlite'
  const db = new BetterSqlite3(pathOf('app'))
  onTestFinished(() => void db.close())
  db.exec(outboxSql())
  const create = db.transaction((order: string, fails: boolean) => {
    db.prepare('insert into orders values (?)').run(order)
    const id = publishInto(db, { topic, payload: { order }, metadata: { source: 'better' } })
    if (fails) throw new Error('thought better of it')
    return id
  })
  expect(() => create.immediate('b_0', true)).toThrow('thought better of it')
  const id = create.immediate('b_1', false)
  await delivered(topic, 1)
  expect(idsOf(topic)).toEqual([id])
  expect(bodiesOf(topic)).toEqual(['{"order":"b_1"}'])
  expect(db.prepare("select id from orders where id like 'b%'").all()).toEqual([{ id: 'b_1' }])
  await drained()
})

test('a plain insert has an event id, made by SQLite at that moment, and its bytes are delivered', async () => {
  const topic = 'plain.insert'
  const before = Date.now()
  const rows = [
    { topic, payload: ' {"a": 1.0, "ü": "😀"}' },
    { topic, payload: new TextEncoder().encode(' {"b":\t12345678901234567890}') },
    { topic, payload: 42n },
  ]
  const ids = rows.map((row) => app.insert(row))
  for (const id of ids) {
    expect(parseId(id, 'evt')).toBe(id)
    expect(idTime(id)).toBeGreaterThanOrEqual(before - 1)
    expect(idTime(id)).toBeLessThanOrEqual(Date.now() + 1)
  }
  await delivered(topic, 3)
  expect(new Set(idsOf(topic))).toEqual(new Set(ids))
  expect(new Set(bodiesOf(topic))).toEqual(
    new Set([' {"a": 1.0, "ü": "😀"}', ' {"b":\t12345678901234567890}', '42']),
  )
})

test('ids that SQLite makes are UUIDs of version 7, and none comes twice', () => {
  const db = new DatabaseSync(':memory:')
  db.exec(outboxSql())
  db.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
    insert into outhook_outbox (topic, payload) select 't', '{}' from n`)
  const ids = db
    .prepare('select id from outhook_outbox')
    .all()
    .map(({ id }) => id as string)
  expect(new Set(ids).size).toBe(5000)
  expect(
    ids.filter(
      (id) =>
        !/^evt_[0-7][0-9a-hjkmnp-tv-z]{9}[ef][0-9a-hjkmnp-tv-z]{2}[89abrstv][0-9a-hjkmnp-tv-z]{12}$/.test(id),
    ),
  ).toEqual([])
  db.close()
})

test('the SQL of the outbox can run any number of times and leaves what waits in it', () => {
  const db = new DatabaseSync(':memory:')
  db.exec(outboxSql())
  publishInto(db, { topic: 'kept.rows', payload: {} })
  db.exec(outboxSql())
  expect(db.prepare('select topic from outhook_outbox').all()).toEqual([{ topic: 'kept.rows' }])
  db.close()
})

test('more rows than a batch are published, in their order', async () => {
  const topic = 'many.rows'
  app.db.exec('begin immediate')
  const ids = Array.from({ length: 450 }, (_, n) => publishInto(app.db, { topic, payload: { n } }))
  app.db.exec('commit')
  await delivered(topic, 450)
  const found: string[] = []
  for (let cursor: string | undefined; cursor !== ''; ) {
    const page = await hooks.events.list({ topic }, { limit: 200, ...(cursor && { cursor }) })
    found.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  }
  expect(found.toReversed()).toEqual(ids)
  await drained()
})

test('of one ordering key each row is published when the one before it is stored', async () => {
  const topic = 'same.key'
  app.db.exec('begin immediate')
  for (let n = 0; n < 20; n++)
    publishInto(app.db, { topic, payload: { n }, orderingKey: n % 2 ? 'odd' : 'even' })
  app.db.exec('commit')
  await delivered(topic, 20)
  const { items } = await hooks.events.list({ topic }, { limit: 50 })
  const times = (key: string) =>
    items.filter(({ orderingKey }) => orderingKey === key).map(({ createdAt }) => createdAt)
  for (const key of ['odd', 'even']) expect(times(key)).toEqual(times(key).toSorted((a, b) => b - a))
})

test('a row may say when its deliveries are made', async () => {
  const { db } = app
  const topic = 'outbox.scheduled'
  const deliverAt = new Date(Date.now() + 3_600_000)
  const id = publishInto(db, { topic, payload: 1, deliverAt })
  db.exec(`insert into outhook_outbox (topic, payload, deliver_at)
    values ('${topic}', '2', datetime('now', '+1 hour')), ('${topic}', '3', '2020-01-01T00:00:00Z')`)
  await delivered(topic, 1)
  await drained()
  expect(bodiesOf(topic)).toEqual(['3'])
  const event = await hooks.events.get(id)
  expect(Math.abs((event?.deliverAt ?? 0) - deliverAt.getTime())).toBeLessThan(1000)
  expect(event?.deliveries).toMatchObject([{ state: 'pending', reason: 'scheduled' }])
  const { items } = await hooks.deliveries.list({ topic, state: 'pending' })
  expect(items.map(({ reason }) => reason)).toEqual(['scheduled', 'scheduled'])
})

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test('the receiver sees the trace context of a row, and of publishInto', async () => {
  const { db } = app
  const topic = 'outbox.traced'
  publishInto(db, { topic, payload: 1, traceparent, tracestate: 'shop=1' })
  const insert = db.prepare(
    'insert into outhook_outbox (topic, payload, traceparent, tracestate) values (?, ?, ?, ?)',
  )
  insert.run(topic, '2', traceparent, 'shop=2')
  insert.run(topic, '3', 'no trace', 'shop=3')
  insert.run(topic, '4', traceparent, 'x'.repeat(5000))
  publishInto(db, { topic, payload: 5 })
  await delivered(topic, 5)
  const seen = receiver.received
    .filter((each) => each.topic === topic)
    .map(({ body, headers }) => [Number(Buffer.from(body)), headers.traceparent, headers.tracestate])
  expect(seen.sort(([a], [b]) => Number(a) - Number(b))).toEqual([
    [1, traceparent, 'shop=1'],
    [2, traceparent, 'shop=2'],
    [3, undefined, undefined],
    [4, traceparent, undefined],
    [5, undefined, undefined],
  ])
})

test('a table from before there were traces is relayed as ever, and says how to have them', () => {
  const path = join(directory.path, 'older.db')
  const db = new DatabaseSync(path)
  onTestFinished(() => db.close())
  db.exec(outboxSql())
  db.exec(
    'alter table outhook_outbox drop column traceparent; alter table outhook_outbox drop column tracestate',
  )
  publishInto(db, { topic: 'a', payload: 1 })
  const outbox = new OutboxDatabase(path)
  onTestFinished(() => outbox.close())
  const read = () => outbox.read({ after: null, without: [], unlessVersion: null })?.rows
  expect(read()).toMatchObject([{ topic: 'a', traceContext: null }])
  const traced = { topic: 'b', payload: 1, traceparent }
  const advice = /add them once: (alter table .*)$/
  expect(() => publishInto(db, traced)).toThrow(advice)
  try {
    publishInto(db, traced)
  } catch (error) {
    db.exec(advice.exec((error as Error).message)?.[1] ?? '')
  }
  publishInto(db, traced)
  outbox.close()
  expect(read()).toMatchObject([{ topic: 'a' }, { topic: 'b', traceContext: { traceparent } }])
})

test('a tenant is named by its id or its uid', async () => {
  const { tenant } = await hooks.tenants.upsert({ uid: 'acme', name: 'Acme' })
  const acme = hooks.tenant('acme')
  const topic = 'tenants.row'
  await acme.endpoints.create({ url: `${receiver.url}/hook`, topics: [topic] })
  const byUid = publishInto(app.db, { topic, payload: {} }, { tenant: 'acme' })
  const byId = app.insert({ topic, payload: '{}', tenant: tenant.id })
  await delivered(topic, 2)
  for (const id of [byUid, byId]) {
    expect(await acme.events.get(id)).toMatchObject({ topic })
    await expect(hooks.events.get(id)).rejects.toMatchObject({ code: 'not_found' })
  }
})

test('an idempotency key makes one event of several rows, and of a row and a publish', async () => {
  const event = { topic: 'same.idempotency', payload: { id: 1 }, idempotencyKey: 'once' }
  const first = publishInto(app.db, event)
  publishInto(app.db, event)
  await drained()
  expect(await hooks.publish(event)).toMatchObject({ id: first, replayed: true })
  await delivered(event.topic, 1)
  expect(await hooks.events.get(first)).toMatchObject({ hasIdempotencyKey: true })
  const other = publishInto(app.db, { ...event, payload: { id: 2 } })
  await expect.poll(() => app.count(`id = '${other}' and error like 'idempotency_conflict: %'`)).toBe(1)
  app.db.exec('delete from outhook_outbox')
})

test('a row that comes again, as after a restored backup, is known by its id', async () => {
  const topic = 'restored.row'
  const id = app.insert({ topic, payload: '{"n":1}' })
  await delivered(topic, 1)
  await drained()
  app.insert({ id, topic, payload: '{"n":1}' })
  // Its idempotency key is another now, as if that of its id were forgotten: the event itself is still there.
  app.insert({ id: 'second', topic, payload: '{"n":1}', idempotency_key: 'restored' })
  await drained()
  app.insert({ id, topic, payload: '{"n":1}', idempotency_key: 'other' })
  await drained()
  await delivered(topic, 2)
  expect(new Set(idsOf(topic)).size).toBe(2)
  // Another event under the same id is none that was published.
  app.insert({ id, topic, payload: '{"n":2}', idempotency_key: 'another' })
  await expect.poll(() => app.count("error like 'store_refused: %'")).toBe(1)
  app.db.exec('delete from outhook_outbox')
})

test('an id of the row’s own is its key; the event has one of Outhook’s where it is none of an event or of the future', async () => {
  const topic = 'own.id'
  const future = `evt_${'7'.repeat(10)}e00800000000000`.slice(0, 30)
  for (const id of ['order-17', future]) {
    app.insert({ id, topic, payload: '{}' })
    await drained()
    app.insert({ id, topic, payload: '{}' })
    await drained()
  }
  await delivered(topic, 2)
  for (const id of idsOf(topic)) expect(Math.abs(idTime(id ?? '') - Date.now())).toBeLessThan(600_000)
})

test.each([
  ['no topic', { topic: '' }, 'invalid_body: topic must not be empty'],
  ['two words', { topic: 'two words' }, 'invalid_body: topic must not hold spaces'],
  ['a reserved topic', { topic: 'endpoint.disabled' }, 'invalid_body: topic "endpoint.disabled" is reserved'],
  ['a topic that is too long', { topic: 'x'.repeat(2000) }, 'invalid_body: topic must be at most 255'],
  ['a payload that is no JSON', { payload: '{"a":' }, 'invalid_payload: the body must be JSON'],
  ['an empty payload', { payload: '' }, 'invalid_payload: the body must be JSON: it is empty'],
  [
    'a payload that is not UTF-8',
    { payload: new Uint8Array([0x22, 0xff, 0x22]) },
    'invalid_payload: the body must be JSON: it is not UTF-8',
  ],
  ['a payload of more than 256 KiB', { payload: `"${'x'.repeat(262_143)}"` }, 'payload_too_large: '],
  ['a payload of many megabytes', { payload: `"${'x'.repeat(20_000_000)}"` }, 'payload_too_large: '],
  ['a tenant that does not exist', { tenant: 'nobody' }, 'not_found: there is no tenant "nobody"'],
  ['an empty tenant', { tenant: '' }, 'invalid_request: tenant must be the id or the uid'],
  ['metadata that is no JSON', { metadata: 'a=b' }, 'invalid_request: metadata must be a JSON object'],
  ['metadata that is no object', { metadata: '["a"]' }, 'invalid_request: metadata must be an object'],
  ['an ordering key that is too long', { ordering_key: 'x'.repeat(257) }, 'ordering_key_too_long: '],
  ['a time that is none', { deliver_at: 'tomorrow' }, 'invalid_request: deliver_at must be a time'],
  ['a time that is a number', { deliver_at: 5 }, 'invalid_request: '],
  ['a time in two years', { deliver_at: '2099-01-01' }, 'invalid_request: its time is more than 366 days'],
  ['two ordering keys', { ordering_key: 'a', payload: '{"ordering_key":"b"}' }, 'ordering_key_conflict: '],
  ['an empty idempotency key', { idempotency_key: '' }, 'invalid_request: the idempotency key must be'],
  ['an empty id', { id: '' }, 'invalid_request: id must be 1 to 255 bytes'],
  ['a long id', { id: 'x'.repeat(5000) }, 'invalid_request: id must be 1 to 255 bytes'],
  ['an id of bytes', { id: new Uint8Array([1, 2]) }, 'invalid_request: id must be 1 to 255 bytes'],
  [
    'long metadata',
    { metadata: `{"a":"${'x'.repeat(70_000)}"}` },
    'invalid_request: metadata must be an object',
  ],
  ['control characters', { ordering_key: 'a\u0000b' }, 'invalid_request: ordering_key must not hold'],
])('a row with %s is set aside, says why, and holds up none behind it', async (what, row, error) => {
  const topic = `behind.${what.replaceAll(' ', '-')}`
  app.db.exec('begin immediate')
  app.insert({ topic: 'orders.created', payload: '{}', ...row })
  app.insert({ topic, payload: '{}' })
  app.db.exec('commit')
  await delivered(topic, 1)
  await expect.poll(() => app.count('error is not null')).toBe(1)
  expect(app.db.prepare('select error from outhook_outbox').get()?.error).toContain(error)
  expect(said('app', 'error').at(-1)).toContain('were set aside')
  app.db.exec('delete from outhook_outbox')
})

test.each<readonly [string, object]>([
  ['no topic', { payload: {} }],
  ['a topic of two words', { topic: 'two words', payload: {} }],
  ['a reserved topic', { topic: 'delivery.failing', payload: {} }],
  ['another one', { topic: 'credential.expiring', payload: {} }],
  ['no payload', { topic: 'a.b' }],
  ['a payload that JSON has not', { topic: 'a.b', payload: { n: Number.NaN } }],
  ['a body that is no JSON', { topic: 'a.b', body: '{' }],
  ['a payload and a body', { topic: 'a.b', payload: {}, body: '{}' }],
  ['a payload of more than 256 KiB', { topic: 'a.b', payload: 'x'.repeat(262_143) }],
  ['metadata that is no text', { topic: 'a.b', payload: {}, metadata: { n: 1 } }],
  ['an empty idempotency key', { topic: 'a.b', payload: {}, idempotencyKey: '' }],
  ['two ordering keys', { topic: 'a.b', payload: { ordering_key: 'x' }, orderingKey: 'y' }],
  ['a member that there is not', { topic: 'a.b', payload: {}, metdata: {} }],
])(
  'publishInto refuses an event with %s as publish does, and leaves the transaction usable',
  async (_, event) => {
    const { db } = app
    const refused = await hooks.publish(event as never).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(OuthookError)
    const { code, message } = refused as OuthookError
    db.exec("begin immediate; insert into orders values ('kept')")
    expect(() => publishInto(db, event as never)).toThrow(expect.objectContaining({ code, message }))
    expect(app.count()).toBe(0)
    db.exec('commit')
  },
)

test('publishInto says what is wrong with its database, its options and a missing table', () => {
  const event = { topic: 'a.b', payload: {} }
  const refusal = (work: () => unknown): string => {
    try {
      work()
    } catch (error) {
      return `${(error as OuthookError).code}: ${(error as Error).message}`
    }
    return 'taken'
  }
  const bare = new DatabaseSync(':memory:')
  expect(refusal(() => publishInto(bare, event))).toBe(
    'invalid_request: the database has no table outhook_outbox; make it once with db.exec(outboxSql())',
  )
  expect(refusal(() => publishInto({} as never, event))).toContain('invalid_request: db must be a database')
  expect(refusal(() => publishInto(app.db, event, { tenat: 'a' } as never))).toContain(
    'there is no option tenat',
  )
  expect(refusal(() => publishInto(app.db, event, { tenant: '' }))).toContain(
    'tenant must be the id or the uid',
  )
  const later = { prepare: () => ({ run: async () => ({}) }) }
  expect(refusal(() => publishInto(later, event))).toContain('db answers with promises')
  bare.close()
  expect(refusal(() => publishInto(bare, event))).toMatch(/ERR_INVALID_STATE: /)
})

test('a row that was set aside is relayed once it is corrected', async () => {
  const topic = 'corrected.row'
  const id = app.insert({ topic: 'two words', payload: '{}' })
  await expect.poll(() => app.count('error is not null')).toBe(1)
  app.db.prepare('update outhook_outbox set topic = ?, error = null where id = ?').run(topic, id)
  await delivered(topic, 1)
  await drained()
})

test('a tenant whose rate is spent waits, and holds up no other', async () => {
  await hooks.tenants.upsert({ uid: 'slow', name: 'Slow', settings: { ingestRate: 1 } })
  const topic = 'spent.rate'
  app.db.exec('begin immediate')
  // More than a batch, so that the rows behind them are only found when these are left out.
  for (let n = 0; n < 450; n++) publishInto(app.db, { topic: 'slow.row', payload: { n } }, { tenant: 'slow' })
  publishInto(app.db, { topic, payload: {} })
  app.db.exec('commit')
  await delivered(topic, 1)
  expect(app.count("tenant = 'slow' and error is null")).toBeGreaterThan(400)
  // Not deleted: their places would be given again, some of which the relay may still have to remove.
  await hooks.tenants.upsert({ uid: 'slow', name: 'Slow', settings: { ingestRate: null } })
  await drained()
})

test('while the program holds its write lock, rows go on being published, and are removed afterwards', async () => {
  const topic = 'held.lock'
  app.db.exec('begin immediate')
  for (let n = 0; n < 300; n++) publishInto(app.db, { topic, payload: { n } })
  app.db.exec('commit; begin immediate')
  await delivered(topic, 300)
  // Nothing was removed: nobody waited for the lock.
  expect(app.count()).toBeGreaterThan(0)
  app.db.exec('commit')
  await drained()
  expect(bodiesOf(topic)).toHaveLength(300)
})

test('a missing file is named, stops no other, is not made, and is relayed once it is there', async () => {
  await expect.poll(() => said('missing', 'error')).toHaveLength(1)
  expect(said('missing', 'error')[0]).toContain('there is no such file')
  const file = openProgramFile(pathOf('missing'))
  onTestFinished(() => file.db.close())
  const topic = 'missing.file'
  publishInto(file.db, { topic, payload: {} })
  await delivered(topic, 1)
  await expect.poll(() => said('missing', 'info')).toEqual([expect.stringContaining('relayed again')])
})

test('a damaged file and one without the table say so once each, until they are put right', async () => {
  await expect.poll(() => said('damaged', 'error')).toHaveLength(1)
  expect(said('damaged', 'error')[0]).toContain('it is damaged, or no SQLite database')
  await expect.poll(() => said('no-table', 'error')).toHaveLength(1)
  expect(said('no-table', 'error')[0]).toContain(
    'it has no table outhook_outbox; make it with the SQL of outboxSql()',
  )
  rmSync(pathOf('damaged'))
  for (const name of ['damaged', 'no-table']) {
    const file = openProgramFile(pathOf(name))
    onTestFinished(() => file.db.close())
    const topic = `${name}.file`
    publishInto(file.db, { topic, payload: {} })
    await delivered(topic, 1)
  }
})

test('a file that somebody has locked altogether says so, and is relayed when they let go', async () => {
  const file = openProgramFile(pathOf('locked'), 'pragma journal_mode = delete')
  onTestFinished(() => file.db.close())
  const topic = 'locked.file'
  file.db.exec('begin exclusive')
  publishInto(file.db, { topic, payload: {} })
  await expect.poll(() => said('locked', 'warn').at(-1)).toContain('somebody else holds a lock on it')
  file.db.exec('commit')
  await delivered(topic, 1)
  await drained(file)
})

test('a file that is replaced is noticed: what waits in the new one is relayed, what was relayed is not sent again', async () => {
  const topic = 'replaced.file'
  const file = openProgramFile(pathOf('replaced'), 'pragma journal_mode = delete')
  file.db.exec('begin immediate')
  publishInto(file.db, { topic, payload: { n: 1 } })
  // As a backup has it that was made before the row was relayed.
  const backup = openProgramFile(pathOf('backup'), 'pragma journal_mode = delete')
  const [row] = file.db.prepare('select id, topic, payload from outhook_outbox').all()
  backup.insert({ id: String(row?.id), topic, payload: String(row?.payload) })
  publishInto(backup.db, { topic, payload: { n: 2 } })
  backup.db.close()
  file.db.exec('commit')
  await delivered(topic, 1)
  await drained(file)
  file.db.close()
  copyFileSync(pathOf('backup'), `${pathOf('replaced')}.new`)
  renameSync(`${pathOf('replaced')}.new`, pathOf('replaced'))
  await delivered(topic, 2)
  expect(new Set(bodiesOf(topic))).toEqual(new Set(['{"n":1}', '{"n":2}']))
  const renewed = openProgramFile(pathOf('replaced'), '')
  onTestFinished(() => renewed.db.close())
  await drained(renewed)
  expect(bodiesOf(topic)).toHaveLength(2)
})

test.each([
  ['utf-16', "pragma encoding = 'UTF-16'"],
  ['journal', 'pragma journal_mode = truncate'],
])('a file of the form %s keeps it, and its bytes are delivered', async (name, pragmas) => {
  const file = openProgramFile(pathOf(name), pragmas)
  onTestFinished(() => file.db.close())
  const topic = `${name}.file`
  publishInto(file.db, { topic, body: '{"ü": "😀"}' })
  file.insert({ topic, payload: new TextEncoder().encode('{"ö": 1.0}') })
  await delivered(topic, 2)
  expect(new Set(bodiesOf(topic))).toEqual(new Set(['{"ü": "😀"}', '{"ö": 1.0}']))
  await drained(file)
  const pragma = (wanted: string) => Object.values(file.db.prepare(`pragma ${wanted}`).get() ?? {})[0]
  expect([pragma('encoding'), pragma('journal_mode')]).toEqual(
    name === 'utf-16' ? ['UTF-16le', 'delete'] : ['UTF-8', 'truncate'],
  )
})
