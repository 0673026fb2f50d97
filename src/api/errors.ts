/** How every error is answered: thrown ones, unknown routes and wrong methods, and what fails before a route is found. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { problemContentType, renderProblem, toProblem } from './problem.ts'
import { markAnswered } from './raw-connections.ts'

/** A body beyond this is not read to its end after a refusal; the connection is closed instead. */
const maxDrainedBytes = 16 * 1024 * 1024

/** Answers with the problem that the error is. 5xx are logged with their cause; nothing of it leaves the server. */
export function sendError(log: Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error)
  if (problem.status === 500) {
    log.error({ err: error, method: request.method, path: pathOf(request.url) }, 'a request failed')
  }
  keepOrClose(request, reply)
  reply.code(problem.status).header('content-type', problemContentType)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  if (problem.retryAfterSeconds !== null) reply.header('retry-after', `${problem.retryAfterSeconds}`)
  // Bytes, because fastify would add a charset to text, which problem+json does not have.
  reply.send(Buffer.from(renderProblem(problem)))
}

/** `hint` says where to turn with what no route takes. */
export function registerErrors(
  app: FastifyInstance,
  log: Logger,
  hint = 'see /docs for what there is',
): void {
  const methodsAt = collectRoutes(app)
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(log, error, request, reply))
  app.setNotFoundHandler((request, reply) => {
    sendError(log, refuseUnknown(request, reply, { methodsAt, hint }), request, reply)
  })
  // Before the body is read: a wrong path is a 404 whatever was sent along.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) done(refuseUnknown(request, reply, { methodsAt, hint }))
    else done()
  })
}

function refuseUnknown(
  request: FastifyRequest,
  reply: FastifyReply,
  { methodsAt, hint }: { readonly methodsAt: (path: string) => readonly string[]; readonly hint: string },
): OuthookError {
  const path = pathOf(request.url)
  const methods = methodsAt(path)
  if (methods.length === 0 || methods.includes(request.method)) {
    return new OuthookError('not_found', `there is no ${clip(path)}; ${hint}`)
  }
  const allowed = methods.join(', ')
  reply.header('allow', allowed)
  return new OuthookError('method_not_allowed', `${clip(path)} takes ${allowed}, not ${request.method}`)
}

/** Which methods a path has. The router itself only knows what matches a method and path together. */
function collectRoutes(app: FastifyInstance): (path: string) => readonly string[] {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() }
    for (const one of [method].flat()) route.methods.add(one)
    routes.set(url, route)
  })
  return (path) => {
    const found = [...routes.values()].filter(({ pattern }) => pattern.test(path))
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort()
  }
}

function patternOf(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) =>
      part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.+*?^$()[\]{}|\\]/g, '\\$&'),
    )
    .join('/')
  return new RegExp(`^${source}$`)
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
