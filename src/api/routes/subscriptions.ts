import { OuthookError } from '../../core/errors.ts'
import { ifMatchOf } from '../conditional-requests.ts'
import type { Api, ApiContext } from '../context.ts'
import { retryPolicyOf } from '../hookrail-policy.ts'
import { idFilter, pageRequest } from '../page-request.ts'
import { DeletedQuery } from '../schemas/endpoints.ts'
import { idParams, NoBody } from '../schemas/shapes.ts'
import {
  PreviewAnswerBody,
  PreviewBody,
  SubscriptionBody,
  SubscriptionChangeBody,
  SubscriptionCreateBody,
  SubscriptionPage,
  SubscriptionQuery,
  type SubscriptionSettings,
} from '../schemas/subscriptions.ts'
import { IfMatchHeaders, IfNoneMatchHeaders } from '../schemas/versions.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toPreview, toSubscription } from '../views/subscriptions.ts'

const tags = ['subscriptions']

export function subscriptionRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    registerReads(app, engine)
    registerChanges(app, engine)
    registerPreview(app, engine)

    const createSchema = {
      operationId: 'createSubscription',
      'x-problems': [404, 409, 422],
      tags,
      summary: 'Send an endpoint the events whose topic matches',
      description: 'One delivery per event, however many of the patterns match.',
      body: SubscriptionCreateBody,
      response: { 201: SubscriptionBody },
    }
    app.post('/v1/subscriptions', { schema: createSchema }, async (request, reply) => {
      const topicPatterns = patternsOf(request.body)
      if (topicPatterns === undefined) {
        throw new OuthookError('invalid_body', 'topic_patterns is required: a list such as ["orders.*"]')
      }
      const subscription = await engine.subscriptions.create(tenantIdOf(request), {
        endpointId: request.body.endpoint_id,
        topicPatterns,
        filter: request.body.filter ?? null,
        ...(request.body.headers !== undefined && { headers: request.body.headers }),
        retryPolicy: retryPolicyOf(request.body, null),
        ...(request.body.ordered !== undefined && { ordered: request.body.ordered }),
        ...(request.body.active !== undefined && { active: request.body.active }),
      })
      return reply.code(201).send(toSubscription(subscription))
    })
  }
}

function registerReads(app: Api, engine: ApiContext['engine']): void {
  const listSchema = {
    operationId: 'listSubscriptions',
    tags,
    summary: 'Subscriptions, newest first',
    querystring: SubscriptionQuery,
    response: { 200: SubscriptionPage },
  }
  app.get('/v1/subscriptions', { schema: listSchema }, async (request) => {
    const { endpoint_id: endpointId, include_deleted: includeDeleted = false } = request.query
    const page = await engine.subscriptions.list(tenantIdOf(request), {
      ...pageRequest(request.query),
      ...(endpointId !== undefined && { endpointId: idFilter(endpointId, 'endpoint_id', 'ep') }),
      includeDeleted,
    })
    return { items: page.items.map(toSubscription), next_cursor: page.nextCursor }
  })

  const getSchema = {
    operationId: 'getSubscription',
    tags,
    summary: 'A subscription',
    params: idParams('sub'),
    querystring: DeletedQuery,
    headers: IfNoneMatchHeaders,
    response: { 200: SubscriptionBody, 304: NoBody },
  }
  app.get('/v1/subscriptions/:id', { schema: getSchema }, async (request) => {
    const { include_deleted: includeDeleted = false } = request.query
    const tenantId = tenantIdOf(request)
    return toSubscription(await engine.subscriptions.get(tenantId, request.params.id, { includeDeleted }))
  })
}

function registerPreview(app: Api, engine: ApiContext['engine']): void {
  const schema = {
    operationId: 'previewSubscription',
    'x-problems': [422],
    tags,
    summary: 'Which recent events a subscription would have got, and why not the others',
    description:
      'Nothing is changed. Without `payload`, the newest events are looked at: 1000 at most, to find `limit` of the topics.',
    body: PreviewBody,
    response: { 200: PreviewAnswerBody },
  }
  app.post('/v1/subscriptions/preview', { schema }, async (request) => {
    const { filter, topic_patterns: topicPatterns, payload, topic, limit } = request.body
    const result = await engine.subscriptions.preview(tenantIdOf(request), {
      filter,
      ...(topicPatterns !== undefined && { topicPatterns }),
      ...(payload !== undefined && { payload }),
      ...(topic !== undefined && { topic }),
      ...(limit !== undefined && { limit }),
    })
    return toPreview(result)
  })
}

function registerChanges(app: Api, engine: ApiContext['engine']): void {
  const patchSchema = {
    operationId: 'updateSubscription',
    'x-problems': [409, 412, 422],
    tags,
    summary: 'Change a subscription; members that are absent stay',
    params: idParams('sub'),
    headers: IfMatchHeaders,
    body: SubscriptionChangeBody,
    response: { 200: SubscriptionBody },
  }
  app.patch('/v1/subscriptions/:id', { schema: patchSchema }, async (request) => {
    const tenantId = tenantIdOf(request)
    const { body, params } = request
    const current = await engine.subscriptions.get(tenantId, params.id, { includeDeleted: true })
    const topicPatterns = patternsOf(body)
    const change = {
      retryPolicy: retryPolicyOf(body, current.retryPolicy),
      ...(topicPatterns !== undefined && { topicPatterns }),
      ...(body.filter !== undefined && { filter: body.filter }),
      ...(body.headers !== undefined && { headers: body.headers }),
      ...(body.active !== undefined && { active: body.active }),
      ...(body.ordered !== undefined && { ordered: body.ordered }),
    }
    return toSubscription(await engine.subscriptions.update(tenantId, params.id, change, ifMatchOf(request)))
  })

  const deleteSchema = {
    operationId: 'deleteSubscription',
    'x-problems': [412],
    tags,
    summary: 'Delete a subscription and cancel what waits for it',
    params: idParams('sub'),
    headers: IfMatchHeaders,
    response: { 204: NoBody },
  }
  app.delete('/v1/subscriptions/:id', { schema: deleteSchema }, async (request, reply) => {
    await engine.subscriptions.delete(tenantIdOf(request), request.params.id, ifMatchOf(request))
    return reply.code(204).send()
  })
}

function patternsOf(body: SubscriptionSettings): readonly string[] | undefined {
  const { topic_patterns: patterns, topic_pattern: pattern } = body
  if (patterns !== undefined && pattern !== undefined) {
    throw new OuthookError(
      'invalid_body',
      'topic_pattern cannot stand beside topic_patterns; give one or the other',
    )
  }
  return pattern === undefined ? patterns : [pattern]
}
