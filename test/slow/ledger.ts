/**
 * The receiving side as a ledger: per delivery what came, what was answered and what is open at this moment. How a
 * request is answered is decided by its path.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { patienceMs } from '../patience.ts'

const waitTimeoutMs = patienceMs

export interface Reply {
  readonly status: number
  /** A promise: when it resolves. */
  readonly afterMs: number | Promise<void>
}

export interface LedgerEntry {
  readonly deliveryId: string
  readonly eventId: string
  readonly path: string
  /** Requests whose body came whole. */
  requests: number
  /** Of these, those that were answered with 2xx. */
  accepted: number
  /** Digests of the bodies: one, unless somebody changed the bytes. */
  readonly bodies: Set<string>
  /** When each request came, as `Date.now()`. */
  readonly arrivedAt: number[]
}

export interface Ledger {
  readonly url: string
  readonly entries: ReadonlyMap<string, LedgerEntry>
  /** Requests without their answer now. */
  readonly open: number
  readonly requests: number
  /** Requests whose sender went away before it had its answer, by path. */
  readonly cut: ReadonlyMap<string, number>
  /** Requests by what their `user-agent` says. */
  readonly agents: ReadonlyMap<string, number>
  /** Resolves when at least so many requests are open, at once if they are; rejects after `patienceMs`. */
  untilOpen(count: number): Promise<void>
  /** Resolves when no connection is left: all that a dead sender had sent is in the ledger then. */
  untilDeserted(): Promise<void>
  close(): Promise<void>
}

/** `decide` gets the path and the number of the delivery's request, from 1. */
export async function openLedger(decide: (path: string, requestNo: number) => Reply): Promise<Ledger> {
  const entries = new Map<string, LedgerEntry>()
  const waiting = new Set<() => void>()
  let open = 0
  let requests = 0
  const cut = new Map<string, number>()
  const agents = new Map<string, number>()

  const handle = async (message: IncomingMessage, response: ServerResponse) => {
    open++
    response.once('close', () => {
      open--
      const path = message.url ?? ''
      if (!response.writableFinished) cut.set(path, (cut.get(path) ?? 0) + 1)
    })
    const body = await readBody(message)
    requests++
    const entry = entryOf(entries, message)
    entry.requests++
    entry.bodies.add(digest(body))
    entry.arrivedAt.push(Date.now())
    const agent = message.headers['user-agent'] ?? ''
    agents.set(agent, (agents.get(agent) ?? 0) + 1)
    for (const check of waiting) check()
    const { status, afterMs } = decide(entry.path, entry.requests)
    const answer = () => {
      if (response.destroyed) return
      if (status < 300) entry.accepted++
      response.writeHead(status).end()
    }
    if (afterMs === 0) answer()
    else if (typeof afterMs === 'number') setTimeout(answer, afterMs)
    else void afterMs.then(answer)
  }

  const server = createServer((message, response) => {
    handle(message, response).catch(() => message.destroy())
  })
  server.keepAliveTimeout = 120_000
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    entries,
    get open() {
      return open
    },
    get requests() {
      return requests
    },
    cut,
    agents,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
    untilDeserted: async () => {
      for (const socket of sockets) await new Promise((resolve) => socket.once('close', resolve))
    },
    untilOpen: (count) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check)
          reject(new Error(`${open} requests are open after ${waitTimeoutMs} ms, not ${count}`))
        }, waitTimeoutMs)
        const check = () => {
          if (open < count) return
          waiting.delete(check)
          clearTimeout(timer)
          resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}

export function digest(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('base64')
}

function entryOf(entries: Map<string, LedgerEntry>, message: IncomingMessage): LedgerEntry {
  const deliveryId = String(message.headers['outhook-delivery-id'])
  const known = entries.get(deliveryId)
  if (known !== undefined) return known
  const eventId = String(message.headers['outhook-event-id'])
  const entry = {
    deliveryId,
    eventId,
    path: message.url ?? '',
    requests: 0,
    accepted: 0,
    bodies: new Set<string>(),
    arrivedAt: [],
  }
  entries.set(deliveryId, entry)
  return entry
}

async function readBody(message: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
