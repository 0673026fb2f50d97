/** Memory of a real server while peers flood it, and after; publishing goes on beside. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { aDirectory, adminToken, startServer } from './server-process.ts'

const mb = 1024 * 1024
/** In MB over what the server took before. Bodies that are under way may take 64 of them. */
const mostRise = 170
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

/** Publishes small and large events while it lasts, and gives the most memory that was seen. */
async function publishBeside({ publish, rss }: Server): Promise<number> {
  let most = 0
  for (let n = 0; n < 40; n++) {
    await publish({ n })
    await publish('x'.repeat(200_000))
    most = Math.max(most, await rss())
  }
  return most
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

test('answers that 20 clients with 600 requests each do not read are bounded, while it lasts and after', {
  timeout: 120_000,
}, async () => {
  const server = await aServer()
  const sockets = await flood(server.port, 20, (socket) => {
    socket.pause()
    socket.write('GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(600))
  })
  const most = await publishBeside(server)
  process.stdout.write(
    `unread answers: ${server.before.toFixed(0)} MB before, ${most.toFixed(0)} MB at most\n`,
  )
  expect(most - server.before).toBeLessThan(mostRise)
  await memoryIsGivenUp(server, sockets, riseAfterSmallObjects)
})

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
  { timeout: 120_000 },
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
    const most = await publishBeside(server)
    process.stdout.write(
      `unfinished bodies: ${server.before.toFixed(0)} MB before, ${most.toFixed(0)} MB at most\n`,
    )
    expect(most - server.before).toBeLessThan(mostRise)
    await memoryIsGivenUp(server, sockets, rise)
  },
)
