/** What becomes of the processes when nobody reads what they print, and how they end when something fails. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { aReceiver } from '../delivery/an-app.ts'
import { testedServers } from '../servers/postgres.ts'
import { aDirectory, adminToken } from './server-process.ts'

const entry = resolve(import.meta.dirname, '../../src/cli/main.ts')
const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
const patience = { timeout: 60_000, interval: 20 }

interface Setup {
  readonly args: readonly string[]
  /** Text of a module that each thread of the process runs first. */
  readonly first?: string
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<readonly [number | null, string | null]>
  /** Of standard output, until nobody reads any more. */
  readonly out: () => string
  readonly err: () => string
  /** Its address, as soon as it is printed. */
  url(): Promise<string>
}

function run({ args, first }: Setup): Running {
  const preload = first && `--import=data:text/javascript,${encodeURIComponent(first)}`
  const child = spawn(process.execPath, [entry, ...args], {
    env: {
      PATH: process.env.PATH,
      OUTHOOK_ADMIN_TOKEN: adminToken,
      OUTHOOK_TOKEN: adminToken,
      NODE_NO_WARNINGS: '1',
      ...(preload && { NODE_OPTIONS: preload }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const text = { out: '', err: '' }
  child.stdout?.on('data', (chunk) => {
    text.out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    text.err += chunk
  })
  return {
    child,
    ended,
    out: () => text.out,
    err: () => text.err,
    url: () =>
      vi.waitFor(() => {
        const found = /(?:"url":"|running at |receiver at )(http:[^"\s]+)/.exec(text.out)?.[1]
        if (found === undefined) throw new Error(`no address yet: ${text.out}${text.err}`)
        return found
      }, patience),
  }
}

const network = ['--port', '0', '--allow-http', '--allow-network', '127.0.0.0/8']
const serve = (store: string): string[] => ['serve', '--store', store, ...network, '--log-level', 'debug']
const aStore = (directory = aDirectory()): string => `sqlite:${join(directory, 'hooks.db')}`

/** As `head -1` does, and a terminal that is closed. */
function closeOutput({ child }: Running): void {
  child.stdout?.destroy()
  child.stderr?.destroy()
}

/** A reader that is there and does not read. */
function stopReading({ child }: Running): void {
  child.stdout?.pause()
  child.stderr?.pause()
}

async function call(url: string, path: string, body?: unknown) {
  const response = await fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${adminToken}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  expect(response.ok, path).toBe(true)
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into at will.
  return (await response.json()) as any
}

async function publish(url: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 500) {
    const events = Array.from({ length: Math.min(500, count - sent) }, (_, n) => ({
      topic: 'a',
      payload: { n: sent + n },
    }))
    await call(url, '/v1/events/batch', { events })
  }
}

async function anEndpoint(url: string, topic = 'a', path = '/succeed') {
  const receiver = await aReceiver()
  await call(url, '/v1/endpoints', { url: receiver.url + path, topics: [topic] })
  return receiver
}

describe('a log that nobody reads any more', { timeout: 300_000 }, () => {
  async function losesNothing(args: readonly string[]): Promise<void> {
    const server = run({ args })
    const url = await server.url()
    const receiver = await anEndpoint(url)
    closeOutput(server)
    await publish(url, 300)
    await vi.waitFor(() => expect(receiver.received).toHaveLength(300), patience)
    const slow = await anEndpoint(url, 'slow', '/slow/2000')
    const { id } = await call(url, '/v1/events', { topic: 'slow', payload: 1 })
    await vi.waitFor(() => expect(slow.received).toHaveLength(1), patience)
    server.child.kill('SIGTERM')
    expect(await server.ended).toEqual([0, null])
    const again = await run({ args }).url()
    expect((await call(again, `/v1/events/${id}`)).deliveries).toMatchObject([{ state: 'succeeded' }])
    expect(slow.received).toHaveLength(1)
  }

  test('costs "serve" neither deliveries nor its drain: what is in flight ends, and is sent once', () =>
    losesNothing(serve(aStore())))

  test('costs "serve --processes" nothing, neither the parent nor a worker', async () => {
    const database = await newest.start()
    onTestFinished(() => database.stop())
    await losesNothing([...serve(database.url), '--master-key', 'ab'.repeat(32), '--processes', '2'])
  })

  test('costs no memory without end when its reader stands still, and the process ends all the same', async () => {
    const server = run({ args: serve(aStore()) })
    const url = await server.url()
    const receiver = await anEndpoint(url)
    stopReading(server)
    await publish(url, 4000)
    await vi.waitFor(async () => {
      const stats = await fetch(`${receiver.url}/stats`)
      expect(await stats.json()).toMatchObject({ distinct_deliveries: 4000 })
    }, patience)
    server.child.kill('SIGTERM')
    expect(await server.ended).toEqual([0, null])
  })

  test('costs "dev" nothing', async () => {
    const server = run({ args: ['dev', '--data-dir', aDirectory(), '--port', '0'] })
    const url = await server.url()
    closeOutput(server)
    const receiver = await anEndpoint(url)
    await publish(url, 10)
    await vi.waitFor(() => expect(receiver.received).toHaveLength(10), patience)
    server.child.kill('SIGTERM')
    expect(await server.ended).toEqual([0, null])
  })

  test('costs the receiver nothing', async () => {
    const receiver = run({ args: ['receiver', '--port', '0'] })
    const url = await receiver.url()
    closeOutput(receiver)
    for (let n = 0; n < 5; n++) {
      expect((await fetch(`${url}/succeed`, { method: 'POST', body: '{}' })).status).toBe(200)
    }
    receiver.child.kill('SIGTERM')
    expect(await receiver.ended).toEqual([0, null])
  })

  test('is no fault of a short command, which ends quietly', async () => {
    const server = run({ args: serve(aStore()) })
    const url = await server.url()
    await publish(url, 200)
    const command = run({ args: ['events', 'list', '--limit', '200', '--json', '--url', url] })
    command.child.stdout?.destroy()
    expect(await command.ended).toEqual([0, null])
    expect(command.err()).toBe('')
  })
})

describe('an end that nobody asked for has an exit code that makes a supervisor start the process again', {
  timeout: 300_000,
}, () => {
  const later = (code: string) => (trigger: string) =>
    `
    import { existsSync } from 'node:fs'
    import { isMainThread } from 'node:worker_threads'
    setInterval(() => { if (existsSync(${JSON.stringify(trigger)})) { ${code} } }, 20).unref()`

  test.each([
    ['an exception that nobody catches', later('if (isMainThread) throw new Error("boom")'), 1, /boom/],
    [
      'a rejection that nobody handles',
      later('if (isMainThread) Promise.reject(new Error("boom"))'),
      1,
      /boom/,
    ],
    [
      'a store thread that ends',
      later('if (!isMainThread) process.exit(0)'),
      5,
      /store's (writer|reader) thread has ended/,
    ],
    [
      'a store thread that fails',
      later('if (!isMainThread) throw new Error("boom")'),
      5,
      /store's (writer|reader) thread failed: boom/,
    ],
  ])('%s', async (_name, first, code, message) => {
    const directory = aDirectory()
    const trigger = join(directory, 'now')
    const server = run({ args: serve(aStore(directory)), first: first(trigger) })
    await server.url()
    writeFileSync(trigger, '')
    expect(await server.ended).toEqual([code, null])
    expect(server.out() + server.err()).toMatch(message)
  })

  test('a command that has nothing left to wait for and is not done', async () => {
    const command = run({
      args: ['events', 'list', '--url', 'http://127.0.0.1:9'],
      first: 'globalThis.fetch = () => new Promise(() => {})',
    })
    expect(await command.ended).toEqual([1, null])
  })
})
