/**
 * Receivers on `node:net`, as cheap as they can be: whatever they cost is taken from the engine beside them.
 * They read no more of a request than its length, and of its body at most when it was published.
 */

import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { openHostileReceivers } from '../../test/sender/hostile-receivers.ts'
import { monotonicNanos } from '../harness/monotonic.ts'
import { serveCommands } from '../harness/serve-commands.ts'

export interface Behaviour {
  /** Until the answer; null: never. Default 0. */
  delayMs?: number | null
  /** Notes the time from `sent_at` in the payload to its arrival, and counts only what has one. */
  stamps?: boolean
  /** Of each port: what comes beyond is answered with 429 and `Retry-After: 1`. Default: it takes all. */
  takesPerSecond?: number
}

const answer = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
const refusal = Buffer.from('HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n')
const headEnd = Buffer.from('\r\n\r\n')
const stampMark = Buffer.from('"sent_at":"')
const stampDigits = 20

const servers: Server[] = []
const behaviours: Behaviour[] = []
const sockets = new Set<Socket>()
let closeHostile = async (): Promise<void> => {}
let received = 0
let latenciesMs: number[] = []
let waiting: { readonly count: number; readonly resolve: () => void } | null = null

const commands = {
  /** Opens `count` ports that all behave so. */
  async listen({ count, ...behaviour }: { count: number } & Behaviour): Promise<readonly number[]> {
    const ports: number[] = []
    behaviours.push(behaviour)
    for (let index = 0; index < count; index++) ports.push(await open(behaviour))
    return ports
  },
  /** Opens one of each that means harm: endless answers, garbage, resets, a byte now and then. Resolves with their URLs. */
  async listenHostile(): Promise<readonly string[]> {
    const { receivers, close } = await openHostileReceivers()
    closeHostile = close
    return receivers.map(({ url }) => url)
  },
  /** From now on every port answers so late. */
  answerAfter(delayMs: number): void {
    for (const behaviour of behaviours) behaviour.delayMs = delayMs
  },
  /** Requests since the last reset. */
  received(): number {
    return received
  },
  /** Milliseconds from publish to arrival of each stamped request since the last reset. */
  latencies(): readonly number[] {
    return latenciesMs
  },
  reset(): void {
    received = 0
    latenciesMs = []
  },
  /** Resolves with the monotonic time, in ns, at which the count since the last reset reached `count`. */
  async waitFor(count: number): Promise<bigint> {
    if (received < count) await new Promise<void>((resolve) => (waiting = { count, resolve }))
    return monotonicNanos()
  },
  /** Cuts all connections and ports, so that nothing of a part lives on into the next. */
  async close(): Promise<void> {
    for (const socket of sockets) socket.destroy()
    behaviours.length = 0
    await closeHostile()
    closeHostile = async () => {}
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
    commands.reset()
  },
}

export type ReceiverCommands = typeof commands

function open(behaviour: Behaviour): Promise<number> {
  const takes = limiter(behaviour.takesPerSecond ?? Number.POSITIVE_INFINITY)
  const server = createServer({ noDelay: true }, (socket) => serve(socket, behaviour, takes))
  servers.push(server)
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, '127.0.0.1', 1024, () => resolve((server.address() as AddressInfo).port))
  })
}

/** Whether it takes one more, by seconds that begin with the first request. */
function limiter(perSecond: number): () => boolean {
  let startedAt = Number.NEGATIVE_INFINITY
  let count = 0
  return () => {
    const now = performance.now()
    if (now - startedAt >= 1000) {
      startedAt = now
      count = 0
    }
    return ++count <= perSecond
  }
}

function serve(socket: Socket, behaviour: Behaviour, takes: () => boolean): void {
  let rest: Buffer | null = null
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    let bytes = rest === null ? chunk : Buffer.concat([rest, chunk])
    rest = null
    while (bytes.length > 0) {
      const length = requestLength(bytes)
      if (length === null || bytes.length < length) {
        rest = bytes
        return
      }
      if (takes()) onRequest(socket, bytes.subarray(0, length), behaviour)
      else socket.write(refusal)
      bytes = bytes.subarray(length)
    }
  })
}

/** Null while the head is incomplete. */
function requestLength(bytes: Buffer): number | null {
  const end = bytes.indexOf(headEnd)
  if (end < 0) return null
  const head = bytes.toString('latin1', 0, end)
  let at = head.indexOf('content-length: ')
  if (at < 0) at = head.toLowerCase().indexOf('content-length: ')
  return end + 4 + (at < 0 ? 0 : Number.parseInt(head.slice(at + 16, at + 26), 10))
}

function onRequest(socket: Socket, request: Buffer, { delayMs = 0, stamps = false }: Behaviour): void {
  if (!stamps || noteLatency(request)) received++
  if (delayMs === 0) socket.write(answer)
  else if (delayMs !== null) setTimeout(() => socket.writable && socket.write(answer), delayMs)
  if (waiting !== null && received >= waiting.count) {
    waiting.resolve()
    waiting = null
  }
}

/** False: it was published to warm up, and counts for nothing. */
function noteLatency(request: Buffer): boolean {
  const at = request.indexOf(stampMark)
  const start = at + stampMark.length
  const sentAt = BigInt(request.toString('latin1', start, start + stampDigits))
  if (sentAt === 0n) return false
  latenciesMs.push(Number(monotonicNanos() - sentAt) / 1e6)
  return true
}

serveCommands(commands)
