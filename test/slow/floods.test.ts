/** Memory of a real server while peers flood it, and after; publishing goes on beside. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { aDirectory, adminToken, startServer } from './server-process.ts'

const mb = 1024 * 1024
/** In MB over what the server took before. Bodies that are under way may take 64 of them. */
const mostRise = 170
/** Of answers that nobody reads. It was 1 060 while nothing bounded them, and as much after. */
const mostRiseOfAnswers = 110
const riseAfterAnswers = 80
/** Publishing beside a flood took up to 9.6 s while nothing bounded it, and takes 0.1 to 1 s on two quiet cores. */
const slowestPublishMs = 9_000
/** Of bodies in large chunks nothing is left but what publishing beside them needs. */
const riseAfterBodies = 60
/** Of tens of thousands of small objects V8 keeps a young generation that grew, until it next collects everything. */
const riseAfterSmallObjects = 130
const patience = { timeout: 60_000, interval: 200 }

async function aServer() {
  const server = await startServer({ database: join(aDirectory(), 'hooks.db') })
  const rss = async (): Promise<number> => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]) / mb
  }
  const publish = async (payload: unknown): Promise<void> => {
    const response = await fetch(`${server.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}` },
      body: JSON.stringify({ topic: 'a', payload }),
    })
    expect(response.status).toBe(202)
    await response.arrayBuffer()
  }
  // What a server needs once it is in use is no leak.
  for (let n = 0; n < 50; n++) await publish('x'.repeat(200_000))
  for (let n = 0; n < 20; n++) await (await fetch(`${server.url}/openapi.json`)).arrayBuffer()
  return { port: Number(new URL(server.url).port), rss, publish, before: await rss() }
}

type Server = Awaited<ReturnType<typeof aServer>>

interface Beside {
  readonly most: number
  /** Of the 80 publishes, the second slowest. */
  readonly p99Ms: number
}

/** Publishes small and large events while it lasts, and gives the most memory that was seen. */
async function publishBeside({ publish, rss, before }: Server, name: string): Promise<Beside> {
  let most = 0
  const times: number[] = []
  for (let n = 0; n < 40; n++) {
    for (const payload of [{ n }, 'x'.repeat(200_000)]) {
      const began = performance.now()
      await publish(payload)
      times.push(performance.now() - began)
    }
    most = Math.max(most, await rss())
  }
  const p99Ms = times.toSorted((a, b) => a - b).at(-2) ?? 0
  process.stdout.write(
    `${name}: ${before.toFixed(0)} MB before, ${most.toFixed(0)} MB at most, publishing p99 ${p99Ms.toFixed(0)} ms\n`,
  )
  return { most, p99Ms }
}

async function flood(port: number, count: number, send: (socket: Socket) => void): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.all(
    sockets.map(async (socket) => {
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      send(socket)
    }),
  )
  return sockets
}

async function memoryIsGivenUp(
  { rss, before, publish }: Server,
  sockets: readonly Socket[],
  rise: number,
): Promise<void> {
  for (const socket of sockets) socket.destroy()
  await vi.waitFor(async () => {
    await publish('small')
    expect((await rss()) - before).toBeLessThan(rise)
  }, patience)
}

const wrongToken = 'authorization: Bearer somebody'

test.each([
  ['GET /openapi.json', 20, 600],
  ['GET /openapi.json', 200, 60],
  ['GET /docs/static/swagger-ui-bundle.js', 20, 600],
  ['GET /metrics', 20, 600],
  ['GET /v1/events', 20, 600],
])(
  '%s: answers that %i clients with %i requests each do not read are bounded, while it lasts and after',
  {
    timeout: 300_000,
  },
  async (line, clients, requests) => {
    const server = await aServer()
    const request = `${[`${line} HTTP/1.1`, 'host: x', wrongToken].join('\r\n')}\r\n\r\n`
    const sockets = await flood(server.port, clients, (socket) => {
      socket.pause()
      socket.write(request.repeat(requests))
    })
    const { most, p99Ms } = await publishBeside(server, `${clients} × ${requests} × ${line}`)
    expect(most - server.before).toBeLessThan(mostRiseOfAnswers)
    expect(p99Ms).toBeLessThan(slowestPublishMs)
    await memoryIsGivenUp(server, sockets, riseAfterAnswers)
  },
)

test.each([
  [
    'with their length told',
    (size: number) => `content-length: ${size}\r\n\r\n`,
    (part: string) => part,
    riseAfterBodies,
  ],
  [
    'in chunks',
    () => 'transfer-encoding: chunked\r\n\r\n',
    (part: string) => `${part.length.toString(16)}\r\n${part}\r\n`,
    riseAfterBodies,
  ],
  [
    'in chunks of one byte',
    () => 'transfer-encoding: chunked\r\n\r\n',
    () => '1\r\nx\r\n'.repeat(1024),
    riseAfterSmallObjects,
  ],
])(
  '100 unfinished batches, %s, are bounded, while it lasts and after',
  { timeout: 300_000 },
  async (_name, head, wrap, rise) => {
    const server = await aServer()
    const size = 4 * mb
    const start = `POST /v1/events/batch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${adminToken}\r\n`
    const part = wrap('x'.repeat(mb / 4))
    const sockets = await flood(server.port, 100, (socket) => {
      socket.write(start + head(size))
      // All but the last byte or so.
      for (let n = 0; n < 15; n++) socket.write(part)
    })
    const { most } = await publishBeside(server, 'unfinished bodies')
    expect(most - server.before).toBeLessThan(mostRise)
    await memoryIsGivenUp(server, sockets, rise)
  },
)
