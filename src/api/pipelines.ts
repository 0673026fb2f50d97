/**
 * Requests that a client sends ahead of the answers. Node hands on all that one read brings, hundreds at a time, and
 * each answer waits in memory for a client that does not read. Here a connection has a few requests under way; the
 * next begin when an answer has gone out, and until then nothing more is read from the socket.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Of one connection. Clients that pipeline at all send about ten ahead. */
const maxUnderWay = 16
/** Answers that the client has not taken: no further request begins. */
const maxUnreadBytes = 256 * 1024
/** One read of the socket brings a few hundred; a connection with more than this is closed. */
const maxHeld = 1000

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** The listener for a server's `request`, which calls the given one. */
export function boundPipelines(listener: RequestListener): RequestListener {
  const pipelines = new WeakMap<Socket, Pipeline>()
  return (request, response) => {
    const { socket } = request
    let pipeline = pipelines.get(socket)
    if (pipeline === undefined) {
      pipeline = new Pipeline(socket, listener)
      pipelines.set(socket, pipeline)
    }
    pipeline.take({ request, response })
  }
}

class Pipeline {
  readonly #socket: Socket
  readonly #listener: RequestListener
  #underWay = 0
  #held: Exchange[] = []

  constructor(socket: Socket, listener: RequestListener) {
    this.#socket = socket
    this.#listener = listener
  }

  take(exchange: Exchange): void {
    // What the parser still finds in bytes that came before the connection was closed.
    if (this.#socket.destroyed) return
    if (this.#held.length === 0 && this.#hasRoom()) this.#start(exchange)
    else if (this.#held.length < maxHeld) {
      this.#held.push(exchange)
      this.#socket.pause()
    } else {
      this.#held = []
      this.#socket.destroy()
    }
  }

  #hasRoom(): boolean {
    return this.#underWay < maxUnderWay && this.#socket.writableLength < maxUnreadBytes
  }

  #start({ request, response }: Exchange): void {
    this.#underWay++
    // Of an answer this comes once the system has taken its last byte.
    response.once('close', this.#onAnswered)
    this.#listener(request, response)
  }

  readonly #onAnswered = (): void => {
    this.#underWay--
    if (this.#held.length === 0) return
    if (this.#socket.destroyed) {
      this.#held = []
      return
    }
    while (this.#held.length > 0 && this.#hasRoom()) this.#start(this.#held.shift() as Exchange)
    // Node reads on after each answer, so it is told again.
    if (this.#held.length > 0) this.#socket.pause()
    else this.#socket.resume()
  }
}
