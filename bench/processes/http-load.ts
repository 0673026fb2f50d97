/** Posts the same request over and over on kept-alive connections, as fast as it is answered or at a steady rate. */
import { connect, type Socket } from 'node:net'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { monotonicNanos } from '../harness/monotonic.ts'
import { serveCommands } from '../harness/serve-commands.ts'
import { type SteadyRate, sendSteadily } from '../harness/steady-rate.ts'

interface HttpTarget {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly connections: number
  readonly expectStatus: number
}

export interface HttpLoad extends HttpTarget {
  readonly count: number
}

/** `sent_at` in its body becomes the time at which each was due to be sent. */
export interface HttpStream extends HttpTarget, SteadyRate {}

const headEnd = Buffer.from('\r\n\r\n')
const stampMark = '"sent_at":"'
const stampDigits = 20

const commands = {
  /** As fast as the answers come. */
  async post(load: HttpLoad): Promise<Spent> {
    const request = makeRequest(load)
    const sockets = await openAll(load)
    let left = load.count - load.connections
    const spent = startMeter()
    await Promise.all(sockets.map((socket) => drive(socket, { request, load, goOn: () => left-- > 0 })))
    const result = spent()
    for (const socket of sockets) socket.destroy()
    return result
  },
  /** At a steady rate, whatever becomes of the answers; the connections take turns. */
  async stream(load: HttpStream): Promise<{ readonly lateMs: number }> {
    const sockets = await openAll(load)
    const lateMs = await streamOver(sockets, load)
    for (const socket of sockets) socket.destroy()
    return { lateMs }
  },
}

export type HttpLoadCommands = typeof commands

function makeRequest({ port, path, headers, body }: HttpTarget): Buffer {
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    ...headers,
    'content-length': Buffer.byteLength(body),
  })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${head}\r\n${body}`)
}

function openAll({ port, connections }: HttpTarget): Promise<Socket[]> {
  return Promise.all(Array.from({ length: connections }, () => open(port)))
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.on('error', reject)
  })
}

interface Drive {
  readonly request: Buffer
  readonly load: HttpTarget
  readonly goOn: () => boolean
}

function drive(socket: Socket, { request, load, goOn }: Drive): Promise<void> {
  return new Promise((resolve, reject) => {
    const answered = () => {
      if (goOn()) socket.write(request)
      else resolve()
    }
    onAnswer(socket, load, { answered, failed: reject })
    socket.write(request)
  })
}

/** Resolves with the longest lateness once all are answered. */
function streamOver(sockets: readonly Socket[], load: HttpStream): Promise<number> {
  const template = makeRequest(load)
  const stampAt = template.indexOf(stampMark) + stampMark.length
  const free = [...sockets]
  const queue: Buffer[] = []
  return new Promise((resolve, reject) => {
    let unanswered = 0
    let lateMs: number | null = null
    const endWhenAnswered = () => {
      if (lateMs !== null && unanswered === 0) resolve(lateMs)
    }
    const send = () => {
      // Before it waits for a connection: that wait is the server's doing.
      const request = Buffer.from(template)
      request.write(String(monotonicNanos()).padStart(stampDigits, '0'), stampAt, 'latin1')
      unanswered++
      const socket = free.shift()
      if (socket === undefined) queue.push(request)
      else socket.write(request)
    }
    for (const socket of sockets) {
      const answered = () => {
        unanswered--
        const next = queue.shift()
        if (next === undefined) free.push(socket)
        else socket.write(next)
        endWhenAnswered()
      }
      onAnswer(socket, load, { answered, failed: reject })
    }
    sendSteadily(load, send).then((late) => {
      lateMs = late
      endWhenAnswered()
    }, reject)
  })
}

interface AnswerListener {
  readonly answered: () => void
  readonly failed: (error: Error) => void
}

/** Tells of each answer; there is one request at a time on a connection. */
function onAnswer(socket: Socket, { expectStatus }: HttpTarget, { answered, failed }: AnswerListener): void {
  let rest: Buffer | null = null
  socket.on('error', failed)
  socket.on('close', () => failed(new Error('the server closed the connection')))
  socket.on('data', (chunk: Buffer) => {
    const bytes: Buffer = rest === null ? chunk : Buffer.concat([rest, chunk])
    const response = readResponse(bytes)
    rest = response === null ? bytes : null
    if (response === null) return
    if (response.status === expectStatus) answered()
    else failed(new Error(`unexpected answer: ${bytes.toString('utf8')}`))
  })
}

/** Null while it is incomplete. Every server measured here sends a content-length. */
function readResponse(bytes: Buffer): { readonly status: number } | null {
  const end = bytes.indexOf(headEnd)
  if (end < 0) return null
  const head = bytes.toString('latin1', 0, end).toLowerCase()
  const at = head.indexOf('content-length: ')
  const length = at < 0 ? 0 : Number.parseInt(head.slice(at + 16, at + 26), 10)
  return bytes.length < end + 4 + length ? null : { status: Number(head.slice(9, 12)) }
}

serveCommands(commands)
