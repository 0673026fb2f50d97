/**
 * Damage under traffic: a deleted file, overwritten pages, a full disk, a database that is away at the start. Nothing
 * that was acknowledged before is lost, as far as the damage lets it be read, and once the damage is noticed everything
 * is refused. The counts are printed.
 */
import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { testedServers } from '../servers/postgres.ts'
import { call, until } from './api-calls.ts'
import { aDirectory, spawnServer, startServer } from './server-process.ts'

const run = promisify(execFile)
const entry = resolve(import.meta.dirname, '../../src/cli/main.ts')
const publishers = 4
const limits = { timeout: 300_000 }

interface Traffic {
  /** The payload of each event that was answered with 202. */
  readonly acknowledged: Map<string, string>
  refused: number
  stop(): Promise<void>
}

/** A few who publish one event after the other, whatever they are answered. */
function startTraffic(url: string, payloadBytes = 200): Traffic {
  let stopped = false
  const traffic: Traffic = {
    acknowledged: new Map(),
    refused: 0,
    async stop() {
      stopped = true
      await running
    },
  }
  const publish = async (): Promise<void> => {
    while (!stopped) {
      const payload = randomBytes(payloadBytes / 2).toString('hex')
      const answer = await call(url, '/v1/events', { body: { topic: 'chaos.damage', payload } }).catch(
        () => null,
      )
      if (answer?.status === 202) traffic.acknowledged.set(answer.json.event_id, JSON.stringify(payload))
      else traffic.refused++
    }
  }
  const running = Promise.all(Array.from({ length: publishers }, publish)).then(() => undefined)
  return traffic
}

/** From now on, while it lasts. */
async function refusesEverything(traffic: Traffic): Promise<void> {
  // What was under way may still have been acknowledged.
  const { refused } = traffic
  await until('it refuses', () => traffic.refused >= refused + 2 * publishers)
  const acknowledged = traffic.acknowledged.size
  const before = traffic.refused
  await until('it refuses more', () => traffic.refused >= before + 100)
  expect(traffic.acknowledged.size, 'acknowledged though it was refusing').toBe(acknowledged)
}

function report(what: string, { acknowledged, refused }: Traffic, rest: string): void {
  process.stdout.write(`${what}: ${acknowledged.size} acknowledged, ${refused} refused, ${rest}\n`)
}

/** How many of them are in the file with their bytes; the others. */
async function readBack(path: string, { acknowledged }: Traffic) {
  const store = await openSqliteStore({ path, clock: createSystemClock(), inProcess: true })
  const found = { whole: 0, missing: 0, unreadable: 0, wrong: 0 }
  for (const [id, payload] of acknowledged) {
    try {
      const bytes = await store.getPayload(defaultTenantId, id)
      if (bytes === null) found.missing++
      else if (Buffer.from(bytes).toString() === payload) found.whole++
      else found.wrong++
    } catch {
      found.unreadable++
    }
  }
  await store.close()
  return found
}

test('a file that is deleted under traffic', limits, async () => {
  const directory = join(aDirectory(), 'data')
  mkdirSync(directory)
  const path = join(directory, 'hooks.db')
  const server = await startServer({ database: path })
  const traffic = startTraffic(server.url)
  await until('there is traffic', () => traffic.acknowledged.size >= 200)
  rmSync(directory, { recursive: true })
  const before = traffic.acknowledged.size
  await refusesEverything(traffic)
  expect((await call(server.url, '/readyz')).status).toBe(503)
  await traffic.stop()
  const copy = join(aDirectory(), 'copy.db')
  await run(process.execPath, [entry, 'backup', copy, '--store', `sqlite:${path}`])
  const found = await readBack(copy, traffic)
  const late = traffic.acknowledged.size - before
  report('deleted file', traffic, `${late} of them until it was noticed, ${found.whole} rescued`)
  expect(found).toEqual({ whole: traffic.acknowledged.size, missing: 0, unreadable: 0, wrong: 0 })
})

test('pages that are overwritten under traffic', limits, async () => {
  const path = join(aDirectory(), 'hooks.db')
  const first = await startServer({ database: path })
  const before = startTraffic(first.url, 3000)
  await until('there is data', () => before.acknowledged.size >= 800)
  await before.stop()
  first.signal('SIGTERM')
  await first.ended
  const server = await startServer({ database: path })
  const traffic = startTraffic(server.url, 3000)
  await until('there is traffic', () => traffic.acknowledged.size >= 20)
  const damaged = overwritePages(path, 20)
  // The damage is noticed where it is read.
  const read = async () => {
    for (const id of before.acknowledged.keys())
      await call(server.url, `/v1/events/${id}/payload`).catch(() => null)
    return server.output().includes('the database is damaged')
  }
  await until('the damage is noticed', read, 60_000)
  await refusesEverything(traffic)
  const ready = await call(server.url, '/readyz')
  expect(ready).toMatchObject({ status: 503, json: { title: 'not ready' } })
  expect(ready.json.detail).toContain('the database is damaged')
  await traffic.stop()
  server.signal('SIGKILL')
  await server.ended

  // However often a supervisor starts it.
  for (let start = 0; start < 2; start++) {
    const again = spawnServer({ database: path })
    expect((await again.ended).code, again.output()).toBe(6)
    expect(again.output()).toContain('is damaged')
  }
  const doctor = await run(process.execPath, [entry, 'doctor', '--store', `sqlite:${path}`]).catch(
    (error) => error,
  )
  expect(doctor).toMatchObject({ code: 1, stdout: expect.stringContaining('integrity') })
  // Without the check that stands before every start now, to see what the damage has left.
  rmSync(`${path}.unchecked`)
  const found = await readBack(path, before).catch(() => ({ whole: 0, missing: 0, unreadable: -1, wrong: 0 }))
  report(
    'overwritten pages',
    traffic,
    `${damaged} pages; of ${before.acknowledged.size} before, ${JSON.stringify(found)}`,
  )
  expect(found.wrong, 'events that are read with other bytes').toBe(0)
})

function overwritePages(path: string, every: number): number {
  const pageBytes = 4096
  const pages = statSync(path).size / pageBytes
  const file = openSync(path, 'r+')
  let damaged = 0
  for (let page = every; page < pages; page += every, damaged++) {
    writeSync(file, randomBytes(pageBytes), 0, pageBytes, page * pageBytes)
  }
  closeSync(file)
  return damaged
}

const mayMount = process.platform === 'linux' && process.getuid?.() === 0 && canMount()

function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-mount-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory])
  if (status === 0) spawnSync('umount', [directory])
  rmSync(directory, { recursive: true, force: true })
  return status === 0
}

test.skipIf(!mayMount)('a disk that is full under traffic', limits, async () => {
  const directory = join(aDirectory(), 'small')
  mkdirSync(directory)
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', directory])
  onTestFinished(() => void spawnSync('umount', ['-l', directory]))
  const path = join(directory, 'hooks.db')
  const server = await startServer({ database: path })
  const traffic = startTraffic(server.url, 20_000)
  await until('there is traffic', () => traffic.acknowledged.size >= 50)
  fillUp(directory)
  const before = traffic.acknowledged.size
  await until('it is full', () => traffic.refused > 0)
  await refusesEverything(traffic)
  const ready = await call(server.url, '/readyz')
  expect(ready.status).toBe(503)
  expect(ready.json.detail).toContain('the disk of the database is full')
  const late = traffic.acknowledged.size - before
  rmSync(join(directory, 'ballast'))
  const full = traffic.acknowledged.size
  await until('it goes on', () => traffic.acknowledged.size > full)
  await traffic.stop()
  server.signal('SIGTERM')
  expect((await server.ended).code).toBe(0)
  const found = await readBack(path, traffic)
  report('full disk', traffic, `${late} in the room that was left, ${found.whole} kept`)
  expect(found).toEqual({ whole: traffic.acknowledged.size, missing: 0, unreadable: 0, wrong: 0 })
})

const newest = testedServers().at(-1)

/** The server takes room at the same time. */
function fillUp(directory: string): void {
  const file = openSync(join(directory, 'ballast'), 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(64 * 1024))
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    closeSync(file)
  }
}

test.skipIf(newest === undefined || Boolean(process.env.OUTHOOK_TEST_POSTGRES_URL))(
  'a database that is away when the process starts under traffic',
  limits,
  async () => {
    const postgres = await (newest as NonNullable<typeof newest>).start()
    onTestFinished(() => postgres.stop())
    await postgres.crash()
    const port = await aFreePort()
    const server = spawnServer({
      database: postgres.url,
      env: { OUTHOOK_MASTER_KEY: '44'.repeat(32) },
      flags: ['--port', `${port}`],
    })
    await server.printed('waiting for PostgreSQL')
    const traffic = startTraffic(`http://127.0.0.1:${port}`)
    await refusesEverything(traffic)
    expect((await call(`http://127.0.0.1:${port}`, '/healthz')).status).toBe(200)
    const refused = traffic.refused
    await postgres.restart()
    await until('it acknowledges', () => traffic.acknowledged.size >= 200)
    await traffic.stop()
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    const { rows } = await client.query('select count(*)::int as n from outhook.events')
    await client.end()
    report('database away at the start', traffic, `${refused} of them while it was away, ${rows[0].n} stored`)
    expect(rows[0].n).toBeGreaterThanOrEqual(traffic.acknowledged.size)
    server.signal('SIGTERM')
    expect((await server.ended).code).toBe(0)
  },
)

async function aFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as { readonly port: number }
  await new Promise((closed) => server.close(closed))
  return port
}
