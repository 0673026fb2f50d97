/** Posts the same request over and over on kept-alive connections, each as soon as the last was answered. */
import { connect, type Socket } from 'node:net'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { serveCommands } from '../harness/serve-commands.ts'

export interface HttpLoad {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly connections: number
  readonly count: number
  readonly expectStatus: number
}

const headEnd = Buffer.from('\r\n\r\n')

const commands = {
  async post(load: HttpLoad): Promise<Spent> {
    const request = makeRequest(load)
    const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load.port)))
    let left = load.count - load.connections
    const spent = startMeter()
    await Promise.all(sockets.map((socket) => drive(socket, { request, load, goOn: () => left-- > 0 })))
    const result = spent()
    for (const socket of sockets) socket.destroy()
    return result
  },
}

export type HttpLoadCommands = typeof commands

function makeRequest({ port, path, headers, body }: HttpLoad): Buffer {
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    ...headers,
    'content-length': Buffer.byteLength(body),
  })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${head}\r\n${body}`)
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.on('error', reject)
  })
}

interface Drive {
  readonly request: Buffer
  readonly load: HttpLoad
  readonly goOn: () => boolean
}

function drive(socket: Socket, { request, load, goOn }: Drive): Promise<void> {
  return new Promise((resolve, reject) => {
    let rest: Buffer | null = null
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the server closed the connection')))
    socket.on('data', (chunk: Buffer) => {
      const bytes: Buffer = rest === null ? chunk : Buffer.concat([rest, chunk])
      const response = readResponse(bytes)
      rest = response === null ? bytes : null
      if (response === null) return
      if (response.status !== load.expectStatus)
        reject(new Error(`unexpected answer: ${bytes.toString('utf8')}`))
      else if (goOn()) socket.write(request)
      else resolve()
    })
    socket.write(request)
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
