import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { patienceMs } from '../patience.ts'
import { aServer } from './a-server.ts'
import { expectRawProblem } from './expect-problem.ts'

const fast = { headersMs: 150, requestMs: 300, checkMs: 30 }

async function aConnection(
  port: number,
): Promise<{ socket: Socket; text: () => string; closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.on('close', resolve))
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return { socket, text: () => text, closed }
}

const get = (path: string, ...lines: string[]) =>
  `${[`GET ${path} HTTP/1.1`, 'host: x', ...lines].join('\r\n')}\r\n\r\n`

describe('requests that a client sends ahead', () => {
  test('are all answered, in order, when it reads the answers', async () => {
    const { port } = await aServer()
    const { socket, text, closed } = await aConnection(port)
    const count = 5000
    const padding = 'x'.repeat(60)
    for (let n = 0; n < count; n += 100) {
      const part = Array.from({ length: 100 }, (_, k) => get(`/there-is-no-${n + k}`, `padding: ${padding}`))
      if (!socket.write(part.join(''))) await once(socket, 'drain')
    }
    socket.write(get('/healthz', 'connection: close'))
    await closed
    const answered = [...text().matchAll(/there is no \/there-is-no-(\d+);/g)].map(([, n]) => Number(n))
    expect(answered).toEqual(Array.from({ length: count }, (_, n) => n))
    expect(
      text()
        .match(/HTTP\/1\.1 \d+ /g)
        ?.at(-1),
    ).toBe('HTTP/1.1 200 ')
  })

  test('begin no more than a few at a time', async () => {
    let underWay = 0
    let most = 0
    const server = await aServer({
      wrapEngine: (engine) => ({
        ...engine,
        events: Object.assign(Object.create(engine.events), {
          async list(...args: Parameters<typeof engine.events.list>) {
            most = Math.max(most, ++underWay)
            await new Promise(setImmediate)
            underWay--
            return engine.events.list(...args)
          },
        }),
      }),
    })
    const { socket, text, closed } = await aConnection(server.port)
    const list = get('/v1/events', 'authorization: Bearer test-admin-token')
    socket.write(list.repeat(200) + get('/healthz', 'connection: close'))
    await closed
    expect(text().match(/HTTP\/1\.1 200 /g)).toHaveLength(201)
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(16)
  })

  test('publish each its event, bodies included', async () => {
    const server = await aServer()
    const { socket, text, closed } = await aConnection(server.port)
    const post = (n: number): string => {
      const body = JSON.stringify({ topic: 'a', payload: { n } })
      return `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer test-admin-token\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    }
    socket.write(
      Array.from({ length: 150 }, (_, n) => post(n)).join('') + get('/healthz', 'connection: close'),
    )
    await closed
    expect(text().match(/HTTP\/1\.1 202 /g)).toHaveLength(150)
    expect((await server.call('GET', '/v1/events?limit=200')).json.items).toHaveLength(150)
  })

  test('of a client that takes no answer are two begun, and one more with each that it takes', async () => {
    let begun = 0
    const answers: (() => void)[] = []
    const server = await aServer({
      wrapEngine: (engine) => ({
        ...engine,
        async ping() {
          begun++
          await new Promise<void>((answer) => answers.push(answer))
        },
      }),
    })
    const { socket, text } = await aConnection(server.port)
    socket.write(get('/readyz').repeat(50))
    for (const [answered, expected] of [
      [0, 2],
      [1, 4],
      [2, 6],
      [3, 8],
    ] as const) {
      await vi.waitFor(() => expect(begun).toBe(expected))
      // All that could have begun by then has.
      await server.call('GET', '/healthz')
      expect(begun).toBe(expected)
      answers[answered]?.()
      await vi.waitFor(() => expect(text().match(/HTTP\/1\.1 200 /g)).toHaveLength(answered + 1))
    }
    for (let n = 4; n < 50; n++) {
      await vi.waitFor(() => expect(answers[n]).toBeDefined())
      answers[n]?.()
    }
    await vi.waitFor(() => expect(text().match(/HTTP\/1\.1 200 /g)).toHaveLength(50))
  })

  test('of all clients are a thousand held: the client that has stood still longest is cut off first', async () => {
    const { port } = await aServer()
    const clients = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const socket = connect(port, '127.0.0.1')
        const ended = new Promise<boolean>((resolve) => socket.on('close', () => resolve(true)))
        socket.on('error', () => undefined)
        onTestFinished(() => void socket.destroy())
        await once(socket, 'connect')
        return { socket, ended }
      }),
    )
    const isEnded = ({ ended }: { ended: Promise<boolean> }) =>
      Promise.race([ended, new Promise<boolean>((resolve) => setImmediate(resolve, false))])
    for (const { socket } of clients) {
      socket.pause()
      socket.write(get('/openapi.json').repeat(600))
      // It is the next one's turn once this one's answers fill what the system takes.
      await vi.waitFor(() => expect(socket.readableLength).toBeGreaterThan(0))
    }
    // Whoever reads on sees the end.
    for (const { socket } of clients.slice(0, 4)) socket.resume()
    for (const { ended } of clients.slice(0, 4)) await ended
    expect(await isEnded(clients[5] as (typeof clients)[number])).toBe(false)
  })

  test('beyond a thousand in one go end the connection', async () => {
    const { port } = await aServer()
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.write('GET /openapi.json HTTP/1.1\r\nhost:x\r\n\r\n'.repeat(20_000))
    // Its end is seen by whoever reads on.
    socket.resume()
    await closed
  })
})

describe('a connection that a client opened ahead', () => {
  test('is answered when its first request comes after the time for headers', async () => {
    const { port } = await aServer({ timeouts: fast })
    const { socket, text, closed } = await aConnection(port)
    const opened = performance.now()
    await vi.waitFor(() => expect(performance.now() - opened).toBeGreaterThan(800), { timeout: patienceMs })
    expect(text()).toBe('')
    socket.write(get('/healthz', 'connection: close'))
    await closed
    expect(text()).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('has the time for headers from its first byte on', async () => {
    const { port } = await aServer({ timeouts: fast })
    const { socket, text, closed } = await aConnection(port)
    const opened = performance.now()
    await vi.waitFor(() => expect(performance.now() - opened).toBeGreaterThan(500), { timeout: patienceMs })
    socket.write('GET /healthz HTTP/1.1\r\nhost')
    await closed
    expectRawProblem(text(), { status: 408, detail: 'did not arrive in time' })
  })

  test('and never used is closed without a word, later', async () => {
    const { port } = await aServer({ timeouts: { ...fast, idleMs: 1000 } })
    const { text, closed } = await aConnection(port)
    await closed
    expect(text()).toBe('')
  })
})
