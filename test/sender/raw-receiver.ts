/** Receivers below the level of HTTP: each gets sockets and says byte by byte what comes back. */
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { onTestFinished } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { createHttpSender, type HttpSenderOptions } from '../../src/sender/http-sender.ts'
import type { AttemptRequest, AttemptResult, Sender } from '../../src/sender/port.ts'

export interface RawReceiver {
  readonly port: number
  readonly url: string
  /** Connections since the start. */
  connections(): number
  /** Connections that are open now. */
  open(): number
  /** Resolves when no connection is open. */
  allClosed(): Promise<void>
}

export type SocketHandler = (socket: Socket) => void

const tlsDirectory = new URL('../fixtures/tls/', import.meta.url)
export const testAuthority = readFileSync(new URL('ca.pem', tlsDirectory), 'utf8')

export async function aRawReceiver(onSocket: SocketHandler): Promise<RawReceiver> {
  return await listen(createServer(onSocket), 'http')
}

export async function aTlsReceiver(onSocket: SocketHandler): Promise<RawReceiver> {
  const key = readFileSync(new URL('server-key.pem', tlsDirectory))
  const cert = readFileSync(new URL('server.pem', tlsDirectory))
  return await listen(createTlsServer({ key, cert }, onSocket), 'https')
}

async function listen(server: Server, scheme: string): Promise<RawReceiver> {
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) for (const resolve of waiting.splice(0)) resolve()
    })
  })
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => {}))
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    connections: () => connections,
    open: () => sockets.size,
    allClosed: () =>
      sockets.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
  }
}

/** Answers each request that ends (bodies of these tests end with `}`) with the given bytes. */
export function answering(response: string | Buffer): SocketHandler {
  return (socket) => {
    socket.on('data', (chunk) => {
      if (chunk.at(-1) === 0x7d) socket.write(response)
    })
  }
}

export const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

export function aSender(options: Partial<HttpSenderOptions> = {}): Sender {
  const sender = createHttpSender({ clock: createSystemClock(), guard: null, ...options })
  onTestFinished(() => sender.close())
  return sender
}

export function aRequest(url: string | URL, change: Partial<AttemptRequest> = {}): AttemptRequest {
  return {
    destination: { kind: 'http', url: new URL(url) },
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode('{"a":1}'),
    ...change,
  }
}

export type ResponseResult = Extract<AttemptResult, { kind: 'response' }>
export type FailureResult = Extract<AttemptResult, { kind: 'failure' }>

export async function responseFrom(sender: Sender, request: AttemptRequest): Promise<ResponseResult> {
  const result = await sender.attempt(request)
  if (result.kind !== 'response')
    throw new Error(`expected a response, got ${result.errorClass}: ${result.error}`)
  return result
}

export async function failureFrom(sender: Sender, request: AttemptRequest): Promise<FailureResult> {
  const result = await sender.attempt(request)
  if (result.kind !== 'failure') throw new Error(`expected a failure, got ${result.httpStatus}`)
  return result
}
