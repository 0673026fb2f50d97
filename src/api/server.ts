/** The HTTP server: what every request goes through. What each route does stands in `routes/`. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { FastifyInstance, onSendHookHandler } from 'fastify'
import { fastify } from '../bundled/fastify.ts'
import { OuthookError } from '../core/errors.ts'
import type { Engine } from '../engine/engine.ts'
import { guardRoutes } from './access.ts'
import { nameCallers } from './acting-callers.ts'
import { createAuthenticator } from './auth.ts'
import { checkBodyForms } from './body-form.ts'
import { tagAnswers } from './conditional-requests.ts'
import type { Api, ApiContext } from './context.ts'
import { dashboardPage } from './dashboard-page.ts'
import { createDeadlines } from './deadlines.ts'
import { registerDocs } from './docs.ts'
import { docsPage } from './docs-page.ts'
import { createErrorLog, type ErrorLog } from './error-log.ts'
import { errorPages } from './error-pages.ts'
import { pathOf, registerErrors, sendError } from './errors.ts'
import { openedAfterMs } from './event-stream.ts'
import { takeIdempotencyKeys } from './idempotent-posts.ts'
import { IngestLimit } from './ingest-limit.ts'
import { readBodiesAsJson, refuseCompressed } from './json-body.ts'
import { type ApiOptions, type ApiTimeouts, defaultTimeouts } from './options.ts'
import { boundPipelines } from './pipelines.ts'
import { plainPortal, portalPage } from './portal-page.ts'
import { hideFromLinks } from './portal-rights.ts'
import { answerHeaders } from './problem.ts'
import { QuickPublish } from './quick-publish.ts'
import { answerBrokenRequest, answerUnusualRequests, closeConnections } from './raw-connections.ts'
import { createRequestBodies } from './request-bodies.ts'
import { allRoutes } from './routes/all-routes.ts'
import { operationRoutes } from './routes/operations.ts'
import { scopeTenants } from './tenant-scope.ts'
import { brokenQuery, strictCompiler } from './validation.ts'

/** Bodies of all routes but those for publishing. */
const maxBodyBytes = 64 * 1024
const maxHeaderBytes = 16 * 1024
/** Of what is known about every route: an id has at most 32 characters. */
/** A topic, each of whose bytes is escaped. */
const maxPathPartLength = 800

/**
 * A server that is not listening yet: `await server.listen({ host, port })`. `server.close()` stops accepting,
 * answers what runs, closes idle connections, and after `timeouts.closeMs` all others.
 */
export function buildServer(engine: Engine, options: ApiOptions): FastifyInstance {
  const timeouts = { ...defaultTimeouts, ...options.timeouts }
  const { log, metrics, clock } = options
  const errorLog = createErrorLog(log, clock)
  const quick = new QuickPublish()
  const app = createFastify({ errorLog, timeouts, quick })
  const deadlines = createDeadlines(clock, timeouts.handlerMs)
  const auth = createAuthenticator({
    authentication: {
      authenticate: (tokens) => engine.authentication.authenticate(tokens),
      authenticatePortal: (tokens) => engine.authentication.authenticatePortal(tokens),
    },
    signIns: {
      authenticate: (texts, configured) => engine.signIns.authenticate(texts, configured),
      create: (token, configured) => engine.signIns.create(token, configured),
      createCode: (token, configured) => engine.signIns.createCode(token, configured),
      exchange: (code, configured) => engine.signIns.exchange(code, configured),
      end: (text) => engine.signIns.end(text),
    },
    adminTokens: options.adminTokens ?? [],
    cacheMs: options.keyCacheMs ?? 5_000,
    clock,
    deadlines,
    log,
    metrics,
  })
  app.addHook('onClose', (_instance, done) => {
    auth.close()
    done()
  })
  const isClosing = closeGracefully(app, options, timeouts)
  const context: ApiContext = {
    engine,
    clock,
    auth,
    metrics,
    deadlines,
    log,
    errorLog,
    isClosing,
    hasPublicEventTypes: options.publicEventTypes ?? false,
    ingestLimit: new IngestLimit({
      rates: () => engine.keyRates,
      defaultRps: options.ingestRate ?? 0,
      deadlines,
    }),
    keepsLastAdmin: (options.adminTokens ?? []).length === 0,
    bodies: createRequestBodies(),
    publicUrl: options.publicUrl ?? null,
  }

  app.decorateRequest('principal', null)
  app.decorateRequest('signInText', null)
  scopeTenants(app, context)
  takeIdempotencyKeys(app, context)
  nameCallers(app, context)
  const { operationsOnly = false } = options
  countRequests(app, context)
  protectAnswers(app)
  registerErrors(
    app,
    errorLog,
    operationsOnly ? 'this process only delivers; ask one whose --role is api or all' : undefined,
  )
  refuseUntilStarted(app, options.whyStarting ?? (() => null))
  registerChecks(app, context)
  guardRoutes(app, auth)
  hideFromLinks(app)
  limitHandlers(app, timeouts.handlerMs)
  tagAnswers(app)
  endJsonWithNewline(app)
  if (!operationsOnly) {
    registerDocs(app, options.version)
    app.register(docsPage)
    if (options.dashboard ?? true) app.register(dashboardPage)
    if (options.portal !== null) app.register(portalPage(options.portal ?? plainPortal))
  }
  app.register(errorPages)
  const whyStarting = options.whyStarting ?? (() => null)
  if (!operationsOnly) {
    quick.serve({ ...context, elapsed: () => clock.elapsed(), hasStarted: () => whyStarting() === null })
  }
  registerRoutes(app, context, operationsOnly ? [operationRoutes] : allRoutes)
  return app
}

interface ServerParts {
  readonly errorLog: ErrorLog
  readonly timeouts: ApiTimeouts
  readonly quick: QuickPublish
}

function createFastify({ errorLog, timeouts, quick }: ServerParts): FastifyInstance {
  const app = fastify({
    // A logger of fastify's would make one child per request; what matters is logged where it happens.
    logger: false,
    bodyLimit: maxBodyBytes,
    routerOptions: { maxParamLength: maxPathPartLength },
    return503OnClosing: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => sendError(errorLog, error, request, reply),
    serverFactory: (listener) => createHttpServer(quick.before(listener), timeouts),
  })
  return app
}

/** Fastify may ask for several, one for each address of a name. */
function createHttpServer(listener: RequestListener, timeouts: ApiTimeouts): Server {
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: Math.min(timeouts.headersMs, timeouts.requestMs),
      requestTimeout: timeouts.requestMs,
      keepAliveTimeout: timeouts.keepAliveMs,
      connectionsCheckingInterval: timeouts.checkMs,
      noDelay: true,
      // Checked here, because Node's own answer has no body.
      requireHostHeader: false,
    },
    boundPipelines(listener),
  )
  server.timeout = timeouts.idleMs
  answerUnusualRequests(server)
  return server
}

/** First of all hooks, so that what the others refuse is counted too. */
function countRequests(
  app: FastifyInstance,
  { metrics, bodies }: Pick<ApiContext, 'metrics' | 'bodies'>,
): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? null : request.routeOptions.url?.replace(/:(\w+)/g, '{$1}')
    metrics.request({
      method: request.method,
      route: route ?? null,
      status: reply.statusCode,
      elapsedMs: openedAfterMs(request.raw) ?? reply.elapsedTime + bodies.waitedMs(request.raw),
    })
    done()
  })
}

function protectAnswers(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(answerHeaders)
    done()
  })
}

/** Until the store is open there is nothing to ask but whether the process lives. */
function refuseUntilStarted(app: FastifyInstance, whyStarting: () => string | null): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const why = whyStarting()
    const path = pathOf(request.raw.url ?? '')
    if (why === null || path === '/healthz') return done()
    const title = path === '/readyz' ? 'not ready' : 'starting'
    done(new OuthookError('store_unavailable', why, { publicDetail: why, title }))
  })
}

/** Runs before credentials and body: what no route takes. */
function registerChecks(
  app: FastifyInstance,
  { isClosing, bodies }: Pick<ApiContext, 'isClosing' | 'bodies'>,
): void {
  app.removeAllContentTypeParsers()
  readBodiesAsJson(app, bodies)
  app.setValidatorCompiler(strictCompiler)
  checkBodyForms(app)
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers, httpVersionMinor } = request.raw
    if (isClosing())
      return done(new OuthookError('shutting_down', 'the server is stopping; send it to another'))
    if (headers.host === undefined && httpVersionMinor === 1) {
      return done(new OuthookError('invalid_request', 'the Host header is missing; HTTP/1.1 requires one'))
    }
    const broken = brokenQuery(request.raw.url ?? '')
    if (broken !== null) return done(broken)
    // Every body is JSON whatever is said of it; without this a content type that cannot be parsed would be refused.
    headers['content-type'] = undefined
    done(refuseCompressed(headers['content-encoding']) ?? undefined)
  })
}

/** No request is left hanging; the hot path has a cheaper way of its own. */
function limitHandlers(app: FastifyInstance, handlerMs: number): void {
  app.addHook('onRoute', (route) => {
    const { ownDeadline } = (route.config ?? {}) as { readonly ownDeadline?: boolean }
    if (ownDeadline !== true) route.handlerTimeout ??= handlerMs
  })
}

/** For whoever reads answers in a terminal. The hot path writes its own; bytes, as payloads are, stay as they are. */
function endJsonWithNewline(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { ownDeadline } = (route.config ?? {}) as { readonly ownDeadline?: boolean }
    if (ownDeadline !== true) route.onSend = [addNewline, ...[route.onSend ?? []].flat()]
  })
}

const addNewline: onSendHookHandler = (_request, reply, payload, done) => {
  const isJson = String(reply.getHeader('content-type')).startsWith('application/json')
  done(null, isJson && typeof payload === 'string' && !payload.endsWith('\n') ? `${payload}\n` : payload)
}

function closeGracefully(
  app: FastifyInstance,
  { clock }: ApiOptions,
  { closeMs }: ApiTimeouts,
): () => boolean {
  let closing = false
  let stopSweeping = (): void => undefined
  app.addHook('preClose', (done) => {
    closing = true
    stopSweeping = closeConnections(app.server, clock, closeMs)
    done()
  })
  app.addHook('onClose', (_instance, done) => {
    stopSweeping()
    done()
  })
  return () => closing
}

function registerRoutes(
  app: FastifyInstance,
  context: ApiContext,
  all: readonly (typeof allRoutes)[number][],
): void {
  // Routes are typed by their schemas; validation is `strictCompiler`'s for all of them.
  const api = app as unknown as Api
  for (const routes of all) api.register(routes(context))
}
