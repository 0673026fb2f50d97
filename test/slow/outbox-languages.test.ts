/** Rows of the outbox in a SQLite file as programs in Python write them, with the library that comes with Python. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { idTime, parseId } from '../../src/core/ids.ts'
import { Outhook, outboxSql } from '../../src/index.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { openProgramFile } from '../library/a-program-file.ts'
import { aDirectory, adminToken, startServer } from './server-process.ts'

const page = readFileSync(resolve(import.meta.dirname, '../../docs/guides/outbox.md'), 'utf8')
const [, guideProgram = ''] = /^```python\n([\s\S]*?)^```$/m.exec(page) ?? []

function python(directory: string, code: string): string {
  return execFileSync('python3', ['-c', code], {
    cwd: directory,
    env: { ...process.env, PYTHONUTF8: '1' },
    encoding: 'utf8',
  }).trim()
}

/** Why there is no Python to run; null when there is. */
function whyNoPython(): string | null {
  try {
    execFileSync('python3', ['-c', 'import sqlite3'], { stdio: 'pipe' })
    return null
  } catch {
    return 'python3 with sqlite3 is not on this machine'
  }
}

test('the program of the guide and rows of every form that Python writes are delivered, and what it rolls back is not', async ({
  skip,
}) => {
  const reason = whyNoPython()
  skip(reason !== null, reason ?? '')
  const directory = aDirectory()
  const app = openProgramFile(join(directory, 'app.db'))
  onTestFinished(() => app.db.close())
  app.db.exec('alter table orders add column amount integer')
  const receiver = await aReceiver()
  const hooks = await Outhook.open({
    store: 'memory:',
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    outboxes: [`sqlite:${app.path}`],
  })
  onTestFinished(() => hooks.close())
  await hooks.endpoints.create({ url: `${receiver.url}/hook`, topics: ['*'] })
  const guideId = python(directory, guideProgram)
  const others = JSON.parse(
    python(
      directory,
      `
import json, sqlite3
connection = sqlite3.connect("app.db", timeout=5)
def insert(**row):
    names = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    cursor = connection.execute(f"insert into outhook_outbox ({names}) values ({marks})", tuple(row.values()))
    return connection.execute("select id from outhook_outbox where seq = ?", (cursor.lastrowid,)).fetchone()[0]
gone = insert(topic="python.gone", payload="{}")
connection.rollback()
text = insert(topic="python.text", payload='{"ü": "😀", "a": 1.0}', metadata=json.dumps({"source": "python"}), ordering_key="k")
data = insert(topic="python.bytes", payload=b'{"b":\\t12345678901234567890}')
once = [insert(topic="python.once", payload="{}", idempotency_key="once") for _ in range(2)]
connection.commit()
print(json.dumps({"gone": gone, "text": text, "data": data, "once": once}))
`,
    ),
  )
  await expect.poll(() => app.count()).toBe(0)
  await expect.poll(() => receiver.received.length).toBe(4)
  const bodyOf = (id: string) =>
    Buffer.from(receiver.received.find(({ eventId }) => eventId === id)?.body ?? '').toString()
  expect(bodyOf(guideId)).toBe('{"id": "o_1", "amount": 42}')
  expect(bodyOf(others.text)).toBe('{"ü": "😀", "a": 1.0}')
  expect(bodyOf(others.data)).toBe('{"b":\t12345678901234567890}')
  expect(receiver.received.filter(({ eventId }) => others.once.includes(eventId))).toHaveLength(1)
  expect(await hooks.events.get(others.text)).toMatchObject({
    metadata: { source: 'python' },
    orderingKey: 'k',
  })
  await expect(hooks.events.get(others.gone)).rejects.toMatchObject({ code: 'not_found' })
  expect(app.db.prepare('select * from orders').all()).toEqual([{ id: 'o_1', amount: 42 }])
})

test('outhook serve --outbox, given twice, relays both files and counts what it does', async () => {
  const directory = aDirectory()
  const files = ['one', 'two'].map((name) => openProgramFile(join(directory, `${name}.db`)))
  onTestFinished(() => {
    for (const { db } of files) db.close()
  })
  const receiver = await aReceiver()
  const flags = files.flatMap(({ path }) => ['--outbox', `sqlite:${path}`])
  const server = await startServer({ database: join(directory, 'hooks.db'), flags })
  const created = await fetch(`${server.url}/v1/endpoints`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}` },
    body: JSON.stringify({ url: `${receiver.url}/hook`, topics: ['*'] }),
  })
  expect(created.status).toBe(201)
  for (const file of files) file.insert({ topic: 'orders.created', payload: '{}' })
  files[0]?.insert({ topic: 'two words', payload: '{}' })
  await expect.poll(() => receiver.received.length).toBe(2)
  await expect.poll(() => files.map((file) => file.count())).toEqual([0, 0])
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  for (const { path } of files) {
    expect(metrics).toContain(`outhook_outbox_up{outbox="sqlite:${path}"} 1`)
    expect(metrics).toContain(`outhook_outbox_events_total{outbox="sqlite:${path}",result="relayed"} 1`)
  }
  expect(metrics).toContain(
    `outhook_outbox_events_total{outbox="sqlite:${files[0]?.path}",result="refused"} 1`,
  )
})

test('the SQL that outhook outbox-sql prints makes the outbox from Python, and can run again', ({ skip }) => {
  const reason = whyNoPython()
  skip(reason !== null, reason ?? '')
  const directory = aDirectory()
  const entry = resolve(import.meta.dirname, '../../src/cli/main.ts')
  const sql = execFileSync(process.execPath, [entry, 'outbox-sql'], { encoding: 'utf8' })
  expect(sql.trim()).toBe(outboxSql().trim())
  writeFileSync(join(directory, 'outbox.sql'), sql)
  const printed = python(
    directory,
    `
import sqlite3
connection = sqlite3.connect("app.db")
for _ in range(2):
    connection.executescript(open("outbox.sql").read())
connection.execute("insert into outhook_outbox (topic, payload) values ('a.b', '{}')")
print(connection.execute("select id from outhook_outbox").fetchone()[0])
`,
  )
  expect(parseId(printed, 'evt')).toBe(printed)
  expect(Math.abs(idTime(printed) - Date.now())).toBeLessThan(60_000)
})
