/** How every error is answered: thrown ones, unknown routes and wrong methods, and what fails before a route is found. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { type AllowedMethods, collectMethods } from './allowed-methods.ts'
import type { ErrorLog } from './error-log.ts'
import { answerHeaders, problemContentType, renderProblem, toProblem } from './problem.ts'
import { markAnswered } from './raw-connections.ts'

/** A body beyond this is not read to its end after a refusal; the connection is closed instead. */
const maxDrainedBytes = 16 * 1024 * 1024

/** Answers with the problem that the error is. Causes are logged; nothing of them leaves the server. */
export function sendError(log: ErrorLog, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error)
  if (problem.status === 500) log.failed(error, { method: request.method, path: pathOf(request.url) })
  if (problem.code === 'store_unavailable') log.storeUnavailable(error)
  keepOrClose(request, reply)
  // Also of a request that failed before any hook ran.
  reply.headers(answerHeaders)
  reply.code(problem.status).header('content-type', problemContentType)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  if (problem.retryAfterSeconds !== null) reply.header('retry-after', `${problem.retryAfterSeconds}`)
  // Bytes, because fastify would add a charset to text, which problem+json does not have.
  reply.send(Buffer.from(renderProblem(problem)))
}

/** `advice` says where to turn with what no route takes. */
export function registerErrors(
  app: FastifyInstance,
  log: ErrorLog,
  advice = 'see /docs for what there is',
): void {
  const methods = collectMethods(app)
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(log, error, request, reply))
  app.setNotFoundHandler((request, reply) => {
    sendError(log, refuseUnknown(request, reply, { methods, advice }), request, reply)
  })
  // Before the body is read: a wrong path is a 404 whatever was sent along.
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404 && !isAnotherPath(request, methods)) return done()
    if (request.method === 'OPTIONS' && tellMethods(request, reply, methods)) return
    done(refuseUnknown(request, reply, { methods, advice }))
  })
}

/** The router has taken a path with a route of its own for another route's id, because the method fits only there. */
function isAnotherPath(request: FastifyRequest, methods: AllowedMethods): boolean {
  return request.routeOptions.url?.includes(':') === true && methods.isSpelled(pathOf(request.url))
}

/** `OPTIONS` is answered with what the path takes. */
function tellMethods(request: FastifyRequest, reply: FastifyReply, methods: AllowedMethods): boolean {
  const allowed = methods.at(pathOf(request.url))
  if (allowed.length === 0) return false
  keepOrClose(request, reply)
  reply.code(204).header('allow', allowed.join(', ')).send()
  return true
}

function refuseUnknown(
  request: FastifyRequest,
  reply: FastifyReply,
  { methods, advice }: { readonly methods: AllowedMethods; readonly advice: string },
): OuthookError {
  const path = pathOf(request.url)
  const known = methods.at(path)
  if (known.length === 0 || known.includes(request.method)) {
    return new OuthookError('not_found', `there is no ${clip(path)}; ${advice}`)
  }
  reply.header('allow', known.join(', '))
  const useful = known.filter((method) => method !== 'OPTIONS').join(', ')
  return new OuthookError('method_not_allowed', `${clip(path)} takes ${useful}, not ${request.method}`)
}

/**
 * The rest of a refused body is read and dropped, so that the client gets to the answer instead of a reset, and the
 * connection stays usable; the request timeout bounds it. Fastify would close it after every unreadable body.
 */
function keepOrClose(request: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader('connection')
  if (request.raw.complete) return
  if (Number(request.headers['content-length'] ?? 0) > maxDrainedBytes) reply.header('connection', 'close')
  markAnswered(request.raw)
}

export function pathOf(url: string): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

function clip(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 120)}…`
}
