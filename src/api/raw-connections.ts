/**
 * What happens on a socket outside of any request: bytes that are no HTTP, headers that do not end, bodies that
 * trickle, CONNECT, and closing. Node would answer these with bare status lines; here they are problems too.
 */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import { answerHeaders, type Problem, problemContentType, problemOf, renderProblem } from './problem.ts'

/** Requests that were answered before their body was complete, by their socket. */
const answeredEarly = new WeakMap<Duplex, IncomingMessage>()

/** The request has its answer: should its body then fail or stall, nothing more is written. */
export function markAnswered(request: IncomingMessage): void {
  answeredEarly.set(request.socket, request)
}

/** For the server's `clientError`: answers if the client can still hear it, then closes. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  // Node counts from the connection's start; a client's pool may open one ahead. Node counts anew from the first byte.
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0) return
  const current = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage
  if (
    error.code === 'ECONNRESET' ||
    !socket.writable ||
    answeredEarly.get(socket)?.complete === false ||
    current?.headersSent === true
  ) {
    socket.destroy()
    return
  }
  endWith(socket, brokenRequest(error.code))
}

function brokenRequest(code: string | undefined): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return problemOf('headers_too_large', 'URL and headers together are over 16 KiB; send less of them')
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problemOf('payload_too_large', 'the chunk extensions are over 16 KiB; send none')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problemOf('request_timeout', 'the request did not arrive in time; send headers and body at once')
    case 'HPE_INVALID_METHOD':
      return problemOf('invalid_request', 'this is no HTTP method; send GET, POST, PATCH or DELETE')
    default:
      return problemOf('invalid_request', 'this is not HTTP/1.1 that can be read; send a well-formed request')
  }
}

function endWith(socket: Duplex, problem: Problem): void {
  const body = renderProblem(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}`,
    `content-type: ${problemContentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(answerHeaders).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ]
  // Half-closed first: a reset right behind the answer would make some clients lose it.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

/** Listens where Node has no answer of its own, or only an empty one. */
export function answerUnusualRequests(server: Server): void {
  server.on('connect', (_request, socket) => {
    endWith(
      socket,
      problemOf('method_not_allowed', 'this server is no proxy; ask it for its own paths, see /docs'),
    )
  })
  server.on('checkExpectation', (_request, response) => {
    const problem = problemOf(
      'expectation_failed',
      'the only Expect that is met is 100-continue; send that or none',
    )
    const body = renderProblem(problem)
    response.writeHead(problem.status, {
      'content-type': problemContentType,
      'content-length': Buffer.byteLength(body),
    })
    response.end(body)
  })
}

/** How often connections that fell idle are closed while the server stops. */
const idleSweepMs = 50

/**
 * Goes on closing connections as they fall idle, and after `deadlineMs` all that are left. The returned function
 * ends it. `server.close()` alone would wait for the keep-alive time of each.
 */
export function closeConnections(server: Server, clock: Clock, deadlineMs: number): () => void {
  const deadline = clock.elapsed() + deadlineMs
  let cancel = (): void => undefined
  const sweep = (): void => {
    if (clock.elapsed() >= deadline) server.closeAllConnections()
    else server.closeIdleConnections()
    cancel = clock.schedule(idleSweepMs, sweep)
  }
  sweep()
  return () => cancel()
}
