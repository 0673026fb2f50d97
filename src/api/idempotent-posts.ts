/**
 * `Idempotency-Key` on every POST but those of events and direct sends, which have keys of their own: the same request
 * with the same key is done once, and gets the same answer again. Done for every route, so that no new one can forget it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendAsyncHookHandler } from 'fastify'
import { validateIdempotencyKey } from '../core/idempotency.ts'
import type { Answered } from '../engine/idempotent-requests.ts'
import { principalOf } from './auth.ts'
import type { ApiContext } from './context.ts'
import { headerText } from './event-members.ts'
import { IdempotencyHeaders } from './schemas/idempotency.ts'

/** Of an answer, beside its status and its body. */
const keptHeaders = ['content-type', 'etag']

interface KeptAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

type Run = Extract<Answered, { readonly kind: 'run' }>
/** Requests that are being run, and whose answers are to be kept. */
type Runs = WeakMap<FastifyRequest, Run>

/** Before the routes are registered. */
export function takeIdempotencyKeys(app: FastifyInstance, context: ApiContext): void {
  const runs: Runs = new WeakMap()
  app.addHook('onRoute', (route) => {
    if (route.method !== 'POST' || !route.url.startsWith('/v1/')) return
    if (route.url.startsWith('/v1/events') || route.url === '/v1/deliveries') return
    const { schema = {}, handler } = route
    const problems = ((schema as { 'x-problems'?: readonly number[] })['x-problems'] ??
      []) as readonly number[]
    route.schema = {
      ...schema,
      headers: IdempotencyHeaders,
      'x-problems': [...problems, 409],
    } as typeof schema
    route.onSend = [...[route.onSend ?? []].flat(), keepAnswer(context, runs)]
    route.handler = async function (request, reply) {
      const key = headerText(request.raw, 'idempotency-key') ?? request.headers['idempotency-key']
      if (key === undefined) return handler.call(this, request, reply)
      return context.engine.idempotentRequests.run(
        identityOf(request, validateIdempotencyKey(key)),
        (answered) => {
          if (answered.kind === 'again') return sendAgain(reply, JSON.parse(answered.answer) as KeptAnswer)
          runs.set(request, answered)
          if (answered.isAgain) reply.header('idempotent-replay', 'true')
          return handler.call(this, request, reply) as Promise<unknown>
        },
      )
    }
  })
}

function identityOf(request: FastifyRequest, key: string) {
  const { keyId } = principalOf(request)
  const { query, body, url } = request
  const [path] = url.split('?')
  // What is given in another order is the same.
  return { owner: [keyId, request.tenantId], key, content: inOrder([path, query, body]) }
}

/** JSON, with the members of each object by name. */
function inOrder(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
  })
}

async function sendAgain(reply: FastifyReply, { status, headers, body }: KeptAnswer): Promise<FastifyReply> {
  return reply
    .code(status)
    .headers({ ...headers, 'idempotent-replay': 'true' })
    .send(body)
}

/** The last hook, which sees the answer as it leaves. What was done is kept in any case; its answer as well as can be. */
function keepAnswer({ log }: ApiContext, runs: Runs): onSendAsyncHookHandler {
  return async (request, reply, payload) => {
    const run = runs.get(request)
    if (run === undefined || reply.statusCode >= 300 || typeof payload !== 'string') return payload
    runs.delete(request)
    const headers = keptHeaders.flatMap((name) => {
      const value = reply.getHeader(name)
      return value === undefined ? [] : [[name, String(value)]]
    })
    const answer = { status: reply.statusCode, headers: Object.fromEntries(headers), body: payload }
    try {
      await run.keep(JSON.stringify(answer))
    } catch (error) {
      log.warn({ err: error }, 'the answer to a request with an idempotency key could not be kept')
    }
    return payload
  }
}
