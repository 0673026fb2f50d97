/**
 * A webhook receiver for tests and for trying things out: keeps what it gets, and misbehaves on demand (the path
 * says how, see `receiverModes`).
 *
 * `GET /received?delivery_id=…` answers `{"delivery_id","count"}`: requests of that delivery, refused ones included.
 * `GET /stats` answers `{"receipts","distinct_deliveries","duplicates"}`, over accepted requests only: a retry of a
 * request that was refused is no duplicate.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Clock, createSystemClock } from '../core/clock.ts'
import { callListener, warnOfListener } from '../core/listeners.ts'
import {
  hasValidSignature,
  type ReceivedRequest,
  toReceivedRequest,
  type UnansweredRequest,
} from './received-request.ts'
import { readBody, sendJson, statusOf } from './receiver-http.ts'
import { type Answer, modeOf, type ReceiverMode } from './receiver-modes.ts'

export type { ReceivedRequest } from './received-request.ts'

export interface ReceiverOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  readonly host?: string
  /** An endpoint's secret: requests without a valid `standard` or `hookrail` signature are answered with 401. */
  readonly secret?: string
  /** Older requests are forgotten; counts are not. Default 1000. */
  readonly keepRequests?: number
  /** For the mode `/flap`: numbers from 0 up to 1. */
  readonly random?: () => number
  readonly clock?: Clock
  /** Called for each request when its answer is decided. */
  readonly onRequest?: (request: ReceivedRequest) => void
}

export interface ReceiverStats {
  /** Requests answered with 2xx. */
  readonly receipts: number
  readonly distinctDeliveries: number
  /** Receipts beyond the first of their delivery. */
  readonly duplicates: number
}

export interface Receiver {
  /** Without a slash at the end. */
  readonly url: string
  readonly port: number
  /** The requests that are kept, oldest first. */
  readonly received: readonly ReceivedRequest[]
  /**
   * Waits for that many requests since the start, or until the function says so of the requests kept; answers with
   * those. Rejects after `timeoutMs` (default 5000).
   */
  waitFor(
    condition: number | ((received: readonly ReceivedRequest[]) => boolean),
    timeoutMs?: number,
  ): Promise<readonly ReceivedRequest[]>
  stats(): ReceiverStats
  /** Ends open requests too. */
  close(): Promise<void>
}

interface Tally {
  requests: number
  receipts: number
}

interface Waiter {
  readonly isMet: () => boolean
  readonly resolve: (received: readonly ReceivedRequest[]) => void
  readonly reject: (error: Error) => void
  readonly cancelTimer: () => void
}

const maxTallies = 100_000
const slowBody = { chunks: 64, chunkBytes: 16_384, everyMs: 100 }

/**
 * @example
 * const receiver = await startReceiver()
 * await hooks.endpoints.create({ url: `${receiver.url}/fail/2`, topics: ['*'] })
 * await receiver.waitFor(3)
 * await receiver.close()
 */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const receiver = new TestReceiver(options)
  await receiver.listen(options.port ?? 0, options.host ?? '127.0.0.1')
  return receiver
}

class TestReceiver implements Receiver {
  url = ''
  port = 0
  readonly received: ReceivedRequest[] = []
  readonly #options: ReceiverOptions
  readonly #clock: Clock
  readonly #server: Server
  readonly #tallies = new Map<string, Tally>()
  readonly #waiters = new Set<Waiter>()
  readonly #cancels = new Set<() => void>()
  #requests = 0
  #receipts = 0
  #distinctDeliveries = 0
  #duplicates = 0
  #closed: Promise<void> | null = null

  constructor(options: ReceiverOptions) {
    this.#options = options
    this.#clock = options.clock ?? createSystemClock()
    this.#server = createServer((message, response) => {
      this.#handle(message, response).catch(() => message.destroy())
    })
  }

  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        this.port = (this.#server.address() as AddressInfo).port
        this.url = `http://${host.includes(':') ? `[${host}]` : host}:${this.port}`
        resolve()
      })
    })
  }

  waitFor(
    condition: number | ((received: readonly ReceivedRequest[]) => boolean),
    timeoutMs = 5000,
  ): Promise<readonly ReceivedRequest[]> {
    const isMet = () =>
      typeof condition === 'number' ? this.#requests >= condition : condition(this.received)
    if (isMet()) return Promise.resolve([...this.received])
    return new Promise((resolve, reject) => {
      const cancelTimer = this.#schedule(timeoutMs, () => {
        this.#waiters.delete(waiter)
        reject(new Error(`after ${timeoutMs} ms only ${this.#requests} requests have come to ${this.url}`))
      })
      const waiter: Waiter = { isMet, resolve, reject, cancelTimer }
      this.#waiters.add(waiter)
    })
  }

  stats(): ReceiverStats {
    return {
      receipts: this.#receipts,
      distinctDeliveries: this.#distinctDeliveries,
      duplicates: this.#duplicates,
    }
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
      for (const cancel of this.#cancels) cancel()
      for (const waiter of this.#waiters)
        waiter.reject(new Error('the receiver was closed while a test waited'))
      this.#waiters.clear()
    })
    return this.#closed
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '/', 'http://receiver')
    if (message.method === 'GET' && this.#answerQuestion(url, response)) return
    const body = await readBody(message)
    if (body === null) {
      response.writeHead(413, { connection: 'close' }).end()
      return
    }
    const request = toReceivedRequest(message, body, this.#clock.now())
    const verified =
      this.#options.secret === undefined ? null : hasValidSignature(request, this.#options.secret)
    const tally = this.#tallyOf(request)
    if (tally !== null) tally.requests++
    const mode = this.#decide(
      verified === false ? { kind: 'answer', status: 401 } : modeOf(url.pathname),
      tally,
    )
    this.#keep({ ...request, verified, status: statusOf(mode) })
    this.#answer(mode, response, () => this.#countReceipt(mode, tally))
  }

  /** Modes that depend on something become a plain answer. */
  #decide(mode: ReceiverMode, tally: Tally | null): Answer {
    if (mode.kind === 'fail_first') {
      return { kind: 'answer', status: (tally?.requests ?? 1) <= mode.times ? 500 : 200 }
    }
    if (mode.kind === 'flap') {
      return { kind: 'answer', status: (this.#options.random ?? Math.random)() < 0.5 ? 500 : 200 }
    }
    return mode
  }

  #answer(mode: Answer, response: ServerResponse, onAnswered: () => void): void {
    const end = (status: number, headers: Readonly<Record<string, string>> = {}) => {
      if (response.destroyed) return
      onAnswered()
      response.writeHead(status, headers).end()
    }
    switch (mode.kind) {
      case 'answer':
        end(mode.status, mode.headers)
        return
      case 'delay':
        this.#schedule(mode.ms, () => end(200))
        return
      case 'slow_body':
        onAnswered()
        response.writeHead(200, { 'content-type': 'application/octet-stream' })
        this.#dribble(response, slowBody.chunks)
        return
      case 'drop':
        response.destroy()
        return
    }
  }

  #dribble(response: ServerResponse, chunksLeft: number): void {
    if (response.destroyed) return
    if (chunksLeft === 0) {
      response.end()
      return
    }
    response.write(Buffer.alloc(slowBody.chunkBytes, 'x'))
    this.#schedule(slowBody.everyMs, () => this.#dribble(response, chunksLeft - 1))
  }

  #answerQuestion(url: URL, response: ServerResponse): boolean {
    if (url.pathname === '/stats') {
      const { receipts, distinctDeliveries, duplicates } = this.stats()
      sendJson(response, { receipts, distinct_deliveries: distinctDeliveries, duplicates })
      return true
    }
    if (url.pathname !== '/received') return false
    const deliveryId = url.searchParams.get('delivery_id') ?? ''
    sendJson(response, { delivery_id: deliveryId, count: this.#tallies.get(deliveryId)?.requests ?? 0 })
    return true
  }

  #tallyOf(request: UnansweredRequest): Tally | null {
    const key = request.deliveryId
    if (key === null) return null
    let tally = this.#tallies.get(key)
    if (tally === undefined) {
      tally = { requests: 0, receipts: 0 }
      this.#tallies.set(key, tally)
      const oldest = this.#tallies.keys().next()
      if (this.#tallies.size > maxTallies && !oldest.done) this.#tallies.delete(oldest.value)
    }
    return tally
  }

  #countReceipt(mode: Answer, tally: Tally | null): void {
    const status = statusOf(mode) ?? 0
    if (status < 200 || status >= 300) return
    this.#receipts++
    if (tally === null) return
    if (tally.receipts++ > 0) this.#duplicates++
    else this.#distinctDeliveries++
  }

  #keep(request: ReceivedRequest): void {
    this.#requests++
    this.received.push(request)
    if (this.received.length > (this.#options.keepRequests ?? 1000)) this.received.shift()
    const { onRequest } = this.#options
    if (onRequest !== undefined) {
      callListener(
        () => onRequest(request),
        (error) => warnOfListener('the hook onRequest', error),
      )
    }
    for (const waiter of this.#waiters) {
      if (!waiter.isMet()) continue
      this.#waiters.delete(waiter)
      waiter.cancelTimer()
      waiter.resolve([...this.received])
    }
  }

  /** A timer that ends with the receiver. */
  #schedule(delayMs: number, callback: () => void): () => void {
    const cancelTimer = this.#clock.schedule(delayMs, () => {
      this.#cancels.delete(cancel)
      callback()
    })
    const cancel = () => {
      this.#cancels.delete(cancel)
      cancelTimer()
    }
    this.#cancels.add(cancel)
    return cancel
  }
}
