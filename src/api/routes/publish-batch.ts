import { OuthookError } from '../../core/errors.ts'
import { type BatchItem, parseBatchEnvelope } from '../../core/exact-json.ts'
import { limits } from '../../core/model.ts'
import type { TraceContext } from '../../core/trace-context.ts'
import type { TakenTokens } from '../../engine/key-rates.ts'
import type { PublishReceipt, PublishRequest } from '../../engine/publish.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import {
  type Caller,
  callerOf,
  refuseKeyHeaders,
  textMember,
  toPublishRequest,
  traceContextOf,
} from '../event-members.ts'
import { ingestResultOf, toIngestError } from '../ingest-error.ts'
import { rateExceeded } from '../ingest-limit.ts'
import { readBodiesAsBytes } from '../json-body.ts'
import { problemMembers, toProblem } from '../problem.ts'
import { BatchBody, type BatchItemResult, BatchResultBody, eventInput } from '../schemas/events.ts'
import { tenantIdOf } from '../tenant-scope.ts'

const itemMembers = Object.keys(eventInput)

const schema = {
  operationId: 'publishEvents',
  tags: ['events'],
  summary: 'Publish many events',
  description:
    'Each on its own: a refused one hinders no other. 503 for the whole when the store is out of reach. Where a key has a rate, each event costs a token, and those for which there is none are a 429 of their own: send them again later.',
  body: BatchBody,
  response: { 200: BatchResultBody },
}

export function publishBatchRoute(context: ApiContext) {
  return async (app: Api): Promise<void> => {
    readBodiesAsBytes(app, context.bodies)
    app.post('/v1/events/batch', {
      schema,
      onRequest: (request, _reply, done) =>
        context.ingestLimit.check(request.raw, principalOf(request), done),
      bodyLimit: limits.maxBatchBodyBytes,
      validatorCompiler: () => () => true,
      handler: async (request) => {
        refuseKeyHeaders(request.raw)
        const items = readItems(request.body)
        const principal = principalOf(request)
        // The first one's token is spent.
        const tokens = items.length > 1 ? await context.ingestLimit.take(principal, items.length - 1) : noMore
        const caller = {
          ...callerOf(principal, tenantIdOf(request)),
          tokens,
          traceContext: traceContextOf(request.raw),
        }
        return { items: await publishItems(context, items, caller) }
      },
    })
  }
}

/** Who publishes, and how many events beside the first. */
interface BatchCaller extends Caller {
  readonly tokens: TakenTokens
  readonly traceContext: TraceContext | null
}

const noMore: TakenTokens = { count: 0, waitMs: 0 }

function readItems(body: unknown): readonly BatchItem[] {
  if (!Buffer.isBuffer(body))
    throw new OuthookError('invalid_body', 'the body is empty; send {"events": […]}')
  const { members, items } = parseBatchEnvelope(body)
  const unknown = Object.keys(members).find((name) => name !== 'events')
  if (unknown !== undefined) {
    throw new OuthookError('invalid_body', `${unknown.slice(0, 80)} is not known; allowed: events`)
  }
  if (items.length === 0 || items.length > limits.maxBatchItems) {
    throw new OuthookError(
      'invalid_body',
      `events has ${items.length} items; send 1 to ${limits.maxBatchItems} in one request`,
    )
  }
  return items
}

async function publishItems(
  { engine, metrics, log }: ApiContext,
  items: readonly BatchItem[],
  caller: BatchCaller,
): Promise<BatchItemResult[]> {
  const { count, waitMs } = caller.tokens
  const read = items.map((item, index) =>
    attempt(() => {
      if (index > count) throw rateExceeded(waitMs)
      return readItem(item, index, caller)
    }),
  )
  const requests = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const published = await engine.publisher.publishMany(requests)
  // The store is out of reach for all: the whole is to be sent again, and every item's idempotency key protects it.
  const failure = published.find((one) => one.status === 'rejected' && toProblem(one.reason).status >= 500)
  if (
    published.length > 0 &&
    failure?.status === 'rejected' &&
    published.every((one) => one.status === 'rejected')
  ) {
    for (const _ of published) metrics.ingest('unavailable')
    throw toIngestError(failure.reason, log)
  }
  let next = 0
  return read.map((one) => {
    const outcome =
      one.status === 'fulfilled' ? (published[next++] as PromiseSettledResult<PublishReceipt>) : one
    const error = outcome.status === 'rejected' ? toIngestError(outcome.reason, log) : null
    if (outcome.status === 'rejected') {
      metrics.ingest(ingestResultOf(error))
      return problemMembers(toProblem(error))
    }
    const { eventId, deliveryIds, state, filteredSubscriptions, replayed, warnings } = outcome.value
    metrics.ingest(replayed ? 'replayed' : 'accepted')
    return {
      status: 202,
      event_id: eventId,
      delivery_ids: [...deliveryIds],
      replayed,
      ...(state === 'accepted' && { state }),
      ...(filteredSubscriptions > 0 && { filtered_subscriptions: filteredSubscriptions }),
      ...(warnings !== undefined && { warnings: [...warnings] }),
    }
  })
}

function attempt<T>(read: () => T): PromiseSettledResult<T> {
  try {
    return { status: 'fulfilled', value: read() }
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}

function readItem({ value, payload }: BatchItem, index: number, caller: BatchCaller): PublishRequest {
  const at = `events[${index}]`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OuthookError('invalid_body', `${at} must be an object`)
  }
  const item = value as Readonly<Record<string, unknown>>
  const unknown = Object.keys(item).find((name) => !itemMembers.includes(name))
  if (unknown !== undefined) {
    const known = itemMembers.join(', ')
    throw new OuthookError('invalid_body', `${at}.${unknown.slice(0, 80)} is not known; allowed: ${known}`)
  }
  const topic = textMember(item.topic, `${at}.topic`)
  if (topic === null || payload === null) {
    throw new OuthookError('invalid_body', `${at}: topic and payload are required`)
  }
  return toPublishRequest(
    { topic, members: item, payload, request: null, traceContext: caller.traceContext, at: `${at}.` },
    caller,
  )
}
