/** A process that starts while PostgreSQL is away waits for it, says so, and answers /healthz meanwhile. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '../../src/core/logger.ts'
import { Outhook } from '../../src/index.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { call, until } from './api-calls.ts'
import { aDirectory, spawnServer } from './server-process.ts'

const entry = resolve(import.meta.dirname, '../../src/cli/main.ts')

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let postgres: PostgresServer
beforeAll(async () => {
  postgres = await newest.start()
})
afterAll(() => postgres?.stop())

// A server that was named for the tests is not ours to end.
const isBorrowed = Boolean(process.env.OUTHOOK_TEST_POSTGRES_URL)
const masterKey = '33'.repeat(32)
const env = { OUTHOOK_MASTER_KEY: masterKey }

async function aFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

const statusOf = (url: string, path: string) =>
  call(url, path).then(
    ({ status }) => status,
    () => null,
  )

test.skipIf(isBorrowed).each([
  ['serve', []],
  ['serve --processes 2', ['--processes', '2']],
])('%s waits until PostgreSQL is there, answers /healthz meanwhile, and then serves', async (_, flags) => {
  const port = await aFreePort()
  const url = `http://127.0.0.1:${port}`
  await postgres.crash()
  const database = `${postgres.url}?schema=outhook_wait_${flags.length}`
  const server = spawnServer({ database, env, flags: [...flags, '--port', `${port}`] })
  try {
    await server.printed(`waiting for PostgreSQL at ${new URL(postgres.url).host}, for 60 s more`)
    await until('it answers', async () => (await statusOf(url, '/healthz')) === 200)
    const ready = await call(url, '/readyz')
    expect(ready).toMatchObject({ status: 503, json: { title: 'not ready', code: 'store_unavailable' } })
    expect(ready.json.detail).toContain('waits for PostgreSQL')
    const refused = await call(url, '/v1/events', { body: { topic: 'a', payload: 1 } })
    expect(refused).toMatchObject({ status: 503, json: { code: 'store_unavailable' } })
    expect(refused.json.detail).toContain('waits for PostgreSQL')
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
  } finally {
    await postgres.restart()
  }
  expect(await server.listening).toBe(url)
  expect(server.output()).toContain('answers')
  expect((await call(url, '/v1/events', { body: { topic: 'a', payload: 1 } })).status).toBe(202)
  expect(await statusOf(url, '/readyz')).toBe(200)
  server.signal('SIGTERM')
  expect(await server.ended).toEqual({ code: 0, signal: null })
})

test.each([
  ['serve', []],
  ['serve --processes 2', ['--processes', '2']],
])('SIGTERM ends the wait of %s, with exit code 0', async (_, flags) => {
  const database = `postgres://postgres@127.0.0.1:${await aFreePort()}/postgres`
  const server = spawnServer({ database, env, flags })
  await server.printed('waiting for PostgreSQL')
  server.signal('SIGTERM')
  expect(await server.ended).toEqual({ code: 0, signal: null })
  expect(server.output()).not.toContain('"listening"')
})

test('after --store-wait it ends with exit code 5 and says what it waited for; 0 does not wait', async () => {
  const port = await aFreePort()
  const database = `postgres://postgres@127.0.0.1:${port}/postgres`
  for (const wait of ['1s', '0']) {
    const server = spawnServer({ database, env, flags: ['--store-wait', wait] })
    expect(await server.ended).toEqual({ code: 5, signal: null })
    expect(server.output()).toContain(`ECONNREFUSED 127.0.0.1:${port}`)
    expect(server.output().includes('did not answer within 1 s')).toBe(wait === '1s')
  }
})

/** A command that ends by itself. */
function runCommand(args: readonly string[]) {
  const child = spawn(process.execPath, [entry, ...args], {
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const text = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text.out += part
  })
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text.err += part
  })
  const ended = once(child, 'close').then(([code]) => ({ code, ...text }))
  return { text, ended }
}

/** Each with what it prints in the end. */
const commands: readonly (readonly [string, (store: string) => readonly string[], RegExp])[] = [
  [
    'migrate --dry-run',
    (store) => ['migrate', '--dry-run', '--store', store],
    /would be brought from schema 0/,
  ],
  ['migrate', (store) => ['migrate', '--store', store], /was brought from schema 0/],
  ['keys create', (store) => ['keys', 'create', 'first', '--store', store], /hk_/],
  [
    'migrate-store',
    (store) => ['migrate-store', '--from', `sqlite:${aFilledDatabase}`, '--to', store],
    /source and target agree/,
  ],
]
let aFilledDatabase = ''

test.skipIf(isBorrowed).each(commands)(
  '%s waits as well, and says so on standard error',
  async (name, argsFor, printed) => {
    aFilledDatabase = join(aDirectory(), 'from.db')
    await (await Outhook.open({ store: `sqlite:${aFilledDatabase}`, masterKey })).close()
    const schema = `outhook_wait_${name.replace(/\W/g, '_')}`
    await postgres.crash()
    const command = runCommand([...argsFor(`${postgres.url}?schema=${schema}`)])
    try {
      await until('it says so', () => command.text.err.includes('waiting for PostgreSQL at'))
    } finally {
      await postgres.restart()
    }
    const { code, out, err } = await command.ended
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/for 60 s more: it does not answer yet\n.* answers\n/),
    ])
    expect(out).toMatch(printed)
  },
)

test.each(commands)('%s waits for as long as it is told, and ends with 5', async (_name, argsFor) => {
  aFilledDatabase = join(aDirectory(), 'from.db')
  await (await Outhook.open({ store: `sqlite:${aFilledDatabase}`, masterKey })).close()
  const store = `postgres://postgres@127.0.0.1:${await aFreePort()}/postgres`
  for (const [wait, words] of [
    ['1s', 'did not answer within 1 s'],
    ['0', 'ECONNREFUSED'],
  ] as const) {
    const { code, err } = await runCommand([...argsFor(store), '--store-wait', wait]).ended
    expect([code, err]).toEqual([5, expect.stringContaining(words)])
    expect(err.includes('waiting for')).toBe(wait === '1s')
  }
})

test('doctor does not wait: that PostgreSQL is away is what it finds, and its help says so', async () => {
  const store = `postgres://postgres@127.0.0.1:${await aFreePort()}/postgres`
  const { code, out, err } = await runCommand(['doctor', '--store', store]).ended
  expect([code, err]).toEqual([1, ''])
  expect(out).toContain('ECONNREFUSED')
  const help = (await runCommand(['doctor', '--help']).ended).out.replace(/\s+/g, ' ')
  expect(help).toContain('is not waited for')
})

test.skipIf(isBorrowed)('what PostgreSQL refuses for good is not waited for', async () => {
  const unknown = postgres.url.replace(/postgres$/, 'no_such_database')
  const server = spawnServer({ database: unknown, env })
  expect((await server.ended).code).not.toBe(0)
  expect(server.output()).toContain('3D000')
  expect(server.output()).not.toContain('waiting for')
})

test.skipIf(isBorrowed)('the library waits too, for as long as it is told', async () => {
  await postgres.crash()
  const lines: string[] = []
  const logger = { ...silentLogger, warn: (_: unknown, text: string) => void lines.push(text) }
  const options = { store: `${postgres.url}?schema=outhook_wait_library`, masterKey, logger }
  await expect(Outhook.open({ ...options, storeWait: 0 })).rejects.toMatchObject({
    code: 'store_unavailable',
    fault: 'unreachable',
  })
  const opening = Outhook.open(options)
  await until('it says so', () => lines.length > 0)
  await postgres.restart()
  const hooks = await opening
  await hooks.publish({ topic: 'a.b', payload: 1 })
  await hooks.close()
})
