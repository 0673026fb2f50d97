/**
 * Requests that a client sends ahead of the answers. Node parses all that one read brings, up to 64 KiB and so more
 * than a thousand requests, and each answer waits in memory for a client that does not read. Here a connection has a
 * few requests under way; the next begin when an answer has gone out, and until then nothing more is read from the
 * socket. What was parsed by then is held, within a bound for all connections together; beyond it the connection that
 * has stood still for the longest is ended.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Of one connection. Clients that pipeline at all send about ten ahead. It begins with two and gets one more with each
 * answer that the client takes, so that one that takes none has no more than two made for it.
 */
const maxUnderWay = 16
const firstUnderWay = 2
/** Bytes of answers that the client has not taken: no further request begins. */
const maxUnreadBytes = 64 * 1024
/** Of all connections together. One takes about 5 kB: 20 connections that held what one read had brought took 70 MB. */
const maxHeld = 1000

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** The listener for a server's `request`, which calls the given one. */
export function boundPipelines(listener: RequestListener): RequestListener {
  const pipelines = new WeakMap<Socket, Pipeline>()
  const waiting = new WaitingPipelines()
  return (request, response) => {
    const { socket } = request
    let pipeline = pipelines.get(socket)
    if (pipeline === undefined) {
      pipeline = new Pipeline(socket, listener, waiting)
      pipelines.set(socket, pipeline)
    }
    pipeline.take({ request, response })
  }
}

/** Those that hold requests. The one whose last answer went out first stands first, and is the first to be ended. */
class WaitingPipelines {
  readonly #pipelines = new Set<Pipeline>()
  #held = 0

  /** One request more is held; `pipeline` may be ended for it. */
  add(pipeline: Pipeline): void {
    this.#pipelines.add(pipeline)
    this.#held++
    if (this.#held <= maxHeld) return
    for (const first of this.#pipelines) {
      first.end()
      return
    }
  }

  /** `count` requests of it are no longer held, and `pipeline` has got on or ended. */
  remove(pipeline: Pipeline, count: number): void {
    this.#held -= count
    this.#pipelines.delete(pipeline)
    if (pipeline.held > 0) this.#pipelines.add(pipeline)
  }
}

class Pipeline {
  readonly #socket: Socket
  readonly #listener: RequestListener
  readonly #waiting: WaitingPipelines
  readonly #underWay = new Set<ServerResponse>()
  #mostUnderWay = firstUnderWay
  #held: Exchange[] = []

  constructor(socket: Socket, listener: RequestListener, waiting: WaitingPipelines) {
    this.#socket = socket
    this.#listener = listener
    this.#waiting = waiting
  }

  get held(): number {
    return this.#held.length
  }

  take(exchange: Exchange): void {
    // What the parser still finds in bytes that came before the connection was closed.
    if (this.#socket.destroyed) return
    if (this.#held.length === 0 && this.#hasRoom()) {
      this.#start(exchange)
      return
    }
    if (this.#held.length === 0) this.#socket.once('close', this.#drop)
    this.#held.push(exchange)
    this.#socket.pause()
    this.#waiting.add(this)
  }

  end(): void {
    this.#drop()
    this.#socket.destroy()
  }

  readonly #drop = (): void => {
    const count = this.#held.length
    this.#held = []
    if (count > 0) this.#waiting.remove(this, count)
  }

  #hasRoom(): boolean {
    if (this.#underWay.size === 0) return true
    if (this.#underWay.size >= this.#mostUnderWay) return false
    let unread = this.#socket.writableLength
    for (const response of this.#underWay) {
      // What has its turn writes to the socket, whose bytes it counts as its own.
      if (response.socket === null) unread += response.writableLength
    }
    return unread < maxUnreadBytes
  }

  #start({ request, response }: Exchange): void {
    this.#underWay.add(response)
    // Of an answer this comes once the system has taken its last byte.
    response.once('close', () => this.#onAnswered(response))
    this.#listener(request, response)
  }

  #onAnswered(response: ServerResponse): void {
    this.#underWay.delete(response)
    if (this.#held.length === 0) return
    if (this.#socket.destroyed) {
      this.#drop()
      return
    }
    if (this.#mostUnderWay < maxUnderWay) this.#mostUnderWay++
    const before = this.#held.length
    while (this.#held.length > 0 && this.#hasRoom()) this.#start(this.#held.shift() as Exchange)
    this.#waiting.remove(this, before - this.#held.length)
    // Node reads on after each answer, so it is told again.
    if (this.#held.length > 0) {
      this.#socket.pause()
      return
    }
    this.#socket.off('close', this.#drop)
    this.#socket.resume()
  }
}
