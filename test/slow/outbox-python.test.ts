/** The SQL function as programs in Python call it, through drivers that are none of ours. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'outhook-python-'))
const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
const schema = `outhook_python_${process.pid}`
/** Why there is no Python to run; null when there is. */
let missing: string | null = null
let server: PostgresServer

beforeAll(async () => {
  server = await newest.start()
  try {
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe', timeout: 300_000 })
  } catch {
    missing = 'python3 with venv is not on this machine'
  }
}, 120_000)
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server?.stop()
})

/** Null once the driver can be imported; else why not. */
async function install(driver: string): Promise<string | null> {
  if (missing !== null) return missing
  try {
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', driver], {
      timeout: 300_000,
    })
    return null
  } catch {
    return `${driver} cannot be had from the package index`
  }
}

/** A store with an endpoint for everything, a table `orders` beside it, and Python on the same database. */
async function aDatabase() {
  const admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  const tables = `${schema}_app`
  await admin.query(`create schema ${tables}; create table ${tables}.orders (id text, amount integer)`)
  onTestFinished(async () => {
    await admin.query(`drop schema ${schema} cascade; drop schema ${tables} cascade`)
    await admin.end()
  })
  const receiver = await aReceiver()
  const hooks = await Outhook.open({
    store: `${server.url}?schema=${schema}`,
    masterKey: 'ab'.repeat(32),
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
  })
  onTestFinished(() => hooks.close())
  await hooks.endpoints.upsert({ uid: 'all', url: `${receiver.url}/hook`, topics: ['*'] })
  const execute = async (code: string) => {
    const { stdout } = await run(python, ['-c', code], {
      env: {
        ...process.env,
        DATABASE_URL: server.url,
        PGOPTIONS: `-c search_path=${tables}`,
        PYTHONUTF8: '1',
      },
      timeout: patienceMs,
    })
    return stdout.trim()
  }
  const orders = async () => (await admin.query(`select id from ${tables}.orders`)).rows.map(({ id }) => id)
  return { hooks, receiver, execute, orders }
}

/** Of each driver: how to give bytes, how to connect, and where an error has its SQLSTATE. */
const drivers = [
  {
    name: 'psycopg',
    package: 'psycopg[binary]',
    bytes: '%s',
    code: `
import psycopg
connection = psycopg.connect(os.environ["DATABASE_URL"])
DriverError = psycopg.Error
def state(error): return error.sqlstate`,
  },
  {
    name: 'pg8000',
    package: 'pg8000',
    // It says of no value what type it is.
    bytes: 'cast(%s as bytea)',
    code: `
import urllib.parse, pg8000.dbapi
url = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
connection = pg8000.dbapi.connect(user=urllib.parse.unquote(url.username), host=url.hostname, port=url.port,
  password=url.password and urllib.parse.unquote(url.password), database=url.path[1:])
DriverError = pg8000.dbapi.Error
def state(error): return error.args[0]["C"]
connection.cursor().execute("set search_path to " + os.environ["PGOPTIONS"].split("=")[1])
connection.commit()`,
  },
]

const program = ({ code, bytes }: (typeof drivers)[number]): string => `
import json, os
${code}
cursor = connection.cursor()
def publish(args, values):
    cursor.execute("select ${schema}.publish(" + args + ")", values)
    return cursor.fetchone()[0]
cursor.execute("insert into orders values ('gone', 1)")
gone = publish("%s, %s", ("orders.created", "{}"))
connection.rollback()
cursor.execute("insert into orders values ('o_1', 42)")
text = publish("%s, %s, idempotency_key => %s", ("orders.created", ' {"a": 1.0, "ü": "😀"}', "o_1"))
again = publish("%s, %s, idempotency_key => %s", ("orders.created", ' {"a": 1.0, "ü": "😀"}', "o_1"))
data = publish("%s, ${bytes}", ("orders.created", ' {"b":\\t12345678901234567890}'.encode()))
asjson = publish("%s, cast(%s as json), metadata => cast(%s as jsonb)", ("orders.created", ' {"c" : 1}', '{"source":"python"}'))
connection.commit()
try:
    publish("%s, %s", ("two words", "{}"))
    refused = None
except DriverError as error:
    refused = state(error)
    connection.rollback()
print(json.dumps({"gone": gone, "text": text, "again": again, "bytes": data, "json": asjson, "refused": refused}))
connection.close()
`

test.for(drivers)('$name publishes in its transaction', { timeout: 300_000 }, async (driver, { skip }) => {
  const reason = await install(driver.package)
  skip(reason !== null, reason ?? '')
  const { hooks, receiver, execute, orders } = await aDatabase()
  const printed = JSON.parse(await execute(program(driver)))
  expect(printed).toMatchObject({ again: printed.text, refused: '22023' })
  const ids = [printed.text, printed.bytes, printed.json]
  for (const id of ids) await hooks.events.wait(id, { timeoutMs: patienceMs })
  const bodyOf = (id: string) =>
    Buffer.from(receiver.received.find((request) => request.eventId === id)?.body ?? '').toString()
  expect(ids.map(bodyOf)).toEqual([' {"a": 1.0, "ü": "😀"}', ' {"b":\t12345678901234567890}', ' {"c" : 1}'])
  expect((await hooks.events.get(printed.json)).metadata).toEqual({ source: 'python' })
  expect(receiver.received).toHaveLength(3)
  await expect(hooks.events.get(printed.gone)).rejects.toMatchObject({ code: 'not_found' })
  expect(await orders()).toEqual(['o_1'])
})

test('the program of the guide publishes what it says', { timeout: 300_000 }, async ({ skip }) => {
  const reason = await install('psycopg[binary]')
  skip(reason !== null, reason ?? '')
  const { hooks, execute, orders } = await aDatabase()
  const page = readFileSync(
    resolve(import.meta.dirname, '../../docs/guides/transactional-publish.md'),
    'utf8',
  )
  const code = /^```python\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? ''
  const id = await execute(code.replace('outhook.publish', `${schema}.publish`))
  expect(await hooks.events.wait(id, { timeoutMs: patienceMs })).toMatchObject({ topic: 'orders.created' })
  expect(await orders()).toEqual(['o_1'])
})
