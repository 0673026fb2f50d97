/**
 * A disk that answers EIO, as a failing one does: strace has the system calls of the real process fail, on the files of
 * its database only. What is then refused, said and logged, and that it passes by itself. Skipped where strace is not
 * installed or may not trace.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Answer, ask, call, isDrained, until } from './api-calls.ts'
import type { Ledger } from './ledger.ts'
import { startLedger } from './ledger-receiver.ts'
import { aDirectory, spawnServer, startServer } from './server-process.ts'

const calls = {
  write: ['pwrite64', 'write', 'ftruncate'],
  fsync: ['fsync', 'fdatasync'],
  read: ['pread64', 'read'],
} as const
type Kind = keyof typeof calls

const ioError = 'fails to read or write (I/O error)'
/** The words of other faults. */
const otherFaults = /busy|is full|damaged|deleted|standby|cannot be reached/
const limits = { timeout: 300_000 }

function straceArguments(database: string, kinds: readonly Kind[], fault = 'error=EIO'): readonly string[] {
  const names = kinds.flatMap((kind) => calls[kind]).join()
  const paths = [database, `${database}-wal`, `${database}-shm`].flatMap((path) => ['-P', path])
  return ['-f', '-o', '/dev/null', ...paths, '-e', `trace=${names}`, '-e', `inject=${names}:${fault}`]
}

/** Whether strace is there and may attach to a process that is none of its children. */
async function whyNoStrace(): Promise<string | null> {
  const target = spawn('sleep', ['60'], { stdio: 'ignore' })
  const attempt = spawnSync(
    'timeout',
    ['-s', 'INT', '1', 'strace', '-o', '/dev/null', '-p', String(target.pid)],
    { encoding: 'utf8' },
  )
  target.kill('SIGKILL')
  if (attempt.error !== undefined) return attempt.error.message
  return attempt.stderr.includes('attached') ? null : attempt.stderr.trim()
}
const obstacle = await whyNoStrace()
if (obstacle !== null) process.stdout.write(`I/O errors: not tried, ${obstacle}\n`)

/** From when this resolves until the returned function does. */
async function failCalls(
  pid: number,
  database: string,
  kinds: readonly Kind[],
): Promise<() => Promise<void>> {
  const strace = spawn('strace', ['-p', String(pid), ...straceArguments(database, kinds)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void strace.kill('SIGKILL'))
  const ended = once(strace, 'exit')
  let said = ''
  strace.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  await until('strace is attached', () => said.includes(`Process ${pid} attached`))
  return async () => {
    strace.kill('SIGINT')
    await ended
  }
}

interface Scene {
  readonly url: string
  readonly pid: number
  readonly database: string
  readonly output: () => string
  readonly ledger: Ledger
  /** The payload of each event that was answered with 202, by its id. */
  readonly acknowledged: Map<string, string>
  publish(): Promise<Answer>
}

/** A server with events that were delivered. */
async function aScene(): Promise<Scene> {
  const database = join(aDirectory(), 'hooks.db')
  const { url, pid, output } = await startServer({ database })
  const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
  const endpoint = { url: `${ledger.url}/hook`, topics: ['*'] }
  await ask(url, '/v1/endpoints', { body: endpoint })
  const acknowledged = new Map<string, string>()
  let no = 0
  const publish = async (): Promise<Answer> => {
    const payload = `${no++} ${'x'.repeat(20_000)}`
    const answer = await call(url, '/v1/events', { body: { topic: 'disk.fails', payload } })
    if (answer.status === 202) acknowledged.set(answer.json.event_id, payload)
    return answer
  }
  for (let n = 0; n < 40; n++) expect((await publish()).status).toBe(202)
  await until('all is delivered', () => isDrained(url))
  return { url, pid, database, output, ledger, acknowledged, publish }
}

function expectIoError({ status, json }: Answer): void {
  expect(status).toBe(503)
  expect(json).toMatchObject({ code: 'store_unavailable', detail: expect.stringContaining(ioError) })
  expect(json.detail).not.toMatch(otherFaults)
}

/** Without a restart: everything that was acknowledged is there and was delivered, and new events are taken. */
async function goesOn(scene: Scene): Promise<void> {
  const { url, acknowledged, ledger, publish } = scene
  await until('it is ready again', async () => (await call(url, '/readyz')).status === 200)
  expect((await publish()).status).toBe(202)
  await until('all is delivered', () => isDrained(url))
  await everythingIsThere(url, acknowledged)
  const heard = new Set([...ledger.entries.values()].map(({ eventId }) => eventId))
  for (const id of acknowledged.keys()) expect(heard).toContain(id)
}

async function everythingIsThere(url: string, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  for (const [id, payload] of acknowledged) {
    expect((await call(url, `/v1/events/${id}/payload`)).json, id).toBe(payload)
  }
}

test.skipIf(obstacle !== null).each<readonly [string, readonly Kind[]]>([
  ['writes', ['write']],
  ['fsync', ['fsync']],
  ['everything', ['write', 'fsync', 'read']],
])(
  'a disk that fails at %s: 503 and not ready in words of their own, nothing lost, and it passes',
  {
    ...limits,
  },
  async (_name, kinds) => {
    const scene = await aScene()
    const { url, publish, output, acknowledged } = scene
    const recover = await failCalls(scene.pid, scene.database, kinds)
    await until('publishing is refused', async () => (await publish()).status !== 202)
    const before = acknowledged.size
    for (let n = 0; n < 5; n++) expectIoError(await publish())
    let quickest = Number.POSITIVE_INFINITY
    await until('/readyz answers within half a second', async () => {
      const began = performance.now()
      expectIoError(await call(url, '/readyz'))
      quickest = Math.min(quickest, performance.now() - began)
      return quickest < 500
    })
    expect((await call(url, '/readyz')).json.title).toBe('not ready')
    const lines = output()
      .split('\n')
      .filter((line) => line.includes('not ready: a publish would not be durable'))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(ioError)
    await recover()
    expect(acknowledged.size).toBe(before)
    await goesOn(scene)
    process.stdout.write(
      `I/O error at ${kinds}: /readyz in ${quickest.toFixed(0)} ms, ${acknowledged.size} kept\n`,
    )
  },
)

test.skipIf(obstacle !== null)(
  'a disk that fails at reads is told from damage, and publishing goes on after it',
  {
    ...limits,
  },
  async () => {
    const scene = await aScene()
    const recover = await failCalls(scene.pid, scene.database, ['read'])
    const [first] = scene.acknowledged.keys()
    expectIoError(await call(scene.url, `/v1/events/${first}/payload`))
    await recover()
    await goesOn(scene)
    expect(scene.output()).not.toContain('the database is damaged')
  },
)

const ownerOf = (database: string) => Number(/pid (\d+)/.exec(readFileSync(`${database}.owner`, 'utf8'))?.[1])

/** Whatever runs on it then: a server goes on when the strace that started it is killed. */
function killAfterTest(database: string): void {
  onTestFinished(() => {
    try {
      process.kill(ownerOf(database), 'SIGKILL')
    } catch {
      // It has ended, or never came as far as a lock file.
    }
  })
}

/** `strace` ends with the code of what it started. */
async function expectFailedStart(database: string, kind: Kind): Promise<void> {
  const start = spawnServer({ database, launcher: ['strace', ...straceArguments(database, [kind])] })
  killAfterTest(database)
  const end = await Promise.race([start.ended, start.listening])
  expect([kind, end]).toEqual([kind, { code: 5, signal: null }])
  expect(start.output(), kind).toContain('I/O error')
  expect(start.output(), kind).not.toMatch(otherFaults)
}

test.skipIf(obstacle !== null).each<Kind>(['write', 'fsync', 'read'])(
  'a start on a disk that fails at %s ends with 5 and the words',
  limits,
  async (kind) => {
    await expectFailedStart(join(aDirectory(), 'hooks.db'), kind)
  },
)

test.skipIf(obstacle !== null)(
  'a start after a crash on a disk that cannot be read is told from damage, and later finds everything',
  limits,
  async () => {
    const database = join(aDirectory(), 'hooks.db')
    const crashed = await startServer({ database })
    const { event_id } = await ask(crashed.url, '/v1/events', { body: { topic: 'a', payload: 'kept' } })
    crashed.signal('SIGKILL')
    await crashed.ended
    await expectFailedStart(database, 'read')
    const { url } = await startServer({ database })
    await everythingIsThere(url, new Map([[event_id, 'kept']]))
  },
)

test.skipIf(obstacle !== null)(
  'a start after a crash on a slow disk answers /healthz while it checks the file, and serves after that',
  limits,
  async () => {
    const database = join(aDirectory(), 'hooks.db')
    const crashed = await startServer({ database })
    for (let n = 0; n < 8; n++) {
      await ask(crashed.url, '/v1/events', { body: { topic: 'a', payload: 'x'.repeat(100_000) } })
    }
    crashed.signal('SIGKILL')
    await crashed.ended
    const { port } = new URL(crashed.url)
    const start = spawnServer({
      database,
      flags: ['--port', port],
      // Each page takes 20 ms, and there are hundreds.
      launcher: ['strace', ...straceArguments(database, ['read'], 'delay_enter=20000')],
    })
    killAfterTest(database)
    const statusOf = (path: string) =>
      call(crashed.url, path).then(
        (answer) => answer,
        () => null,
      )
    await until('it answers', async () => (await statusOf('/healthz'))?.status === 200)
    expect(start.output()).toContain('checking it')
    expect(start.output()).not.toContain('"listening"')
    expect(await statusOf('/readyz')).toMatchObject({ status: 503, json: { title: 'not ready' } })
    expect(await statusOf('/v1/events')).toMatchObject({ status: 503, json: { code: 'store_unavailable' } })
    expect(await start.listening).toBe(crashed.url)
    expect(start.output()).toContain('is whole')
    expect((await statusOf('/readyz'))?.status).toBe(200)
    // Not strace, whose end would leave it running.
    process.kill(ownerOf(database), 'SIGTERM')
    expect(await start.ended).toEqual({ code: 0, signal: null })
  },
)
