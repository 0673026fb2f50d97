import type { ErrorClass } from '../../core/model.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { jobInput } from '../job-request.ts'
import { idFilter, pageRequest, timeRange } from '../page-request.ts'
import {
  CancelledBody,
  DeliveryDetailBody,
  DeliveryPage,
  DeliveryQuery,
  ResentBody,
} from '../schemas/deliveries.ts'
import { CancelManyBody, DryRunBody, JobBody } from '../schemas/jobs.ts'
import { SkipBody, SkippedBody } from '../schemas/ordered-keys.ts'
import { idParams } from '../schemas/shapes.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toDelivery, toDeliveryDetail } from '../views/deliveries.ts'
import { toDryRun, toJob } from '../views/jobs.ts'

const tags = ['deliveries']

export function deliveryRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const listSchema = {
      operationId: 'listDeliveries',
      tags,
      summary: 'Deliveries, newest first',
      querystring: DeliveryQuery,
      response: { 200: DeliveryPage },
    }
    app.get('/v1/deliveries', { schema: listSchema }, async (request) => {
      const { query } = request
      const { endpoint_id: endpointId, subscription_id: subscriptionId, event_id: eventId } = query
      const filter = {
        ...(query.state !== undefined && { state: query.state }),
        ...(query.topic !== undefined && { topic: query.topic }),
        ...(query.error_class !== undefined && { errorClass: query.error_class as ErrorClass }),
        ...(endpointId !== undefined && { endpointId: idFilter(endpointId, 'endpoint_id', 'ep') }),
        ...(subscriptionId !== undefined && {
          subscriptionId: idFilter(subscriptionId, 'subscription_id', 'sub'),
        }),
        ...(eventId !== undefined && { eventId: idFilter(eventId, 'event_id', 'evt') }),
        ...timeRange(query),
      }
      const page = await engine.deliveries.list(tenantIdOf(request), filter, pageRequest(query))
      return { items: page.items.map(toDelivery), next_cursor: page.nextCursor }
    })

    const getSchema = {
      operationId: 'getDelivery',
      tags,
      summary: 'A delivery with its attempts and what the receiver answered',
      params: idParams('dlv'),
      response: { 200: DeliveryDetailBody },
    }
    app.get('/v1/deliveries/:id', { schema: getSchema }, async (request) =>
      toDeliveryDetail(await engine.deliveries.get(tenantIdOf(request), request.params.id)),
    )

    registerRepair(app, engine)
    registerSkip(app, engine)
  }
}

function registerRepair(app: Api, engine: ApiContext['engine']): void {
  const resendSchema = {
    operationId: 'resendDelivery',
    'x-problems': [409, 410],
    tags,
    summary: 'Send a delivery again that has come to an end: same id, attempts from 1',
    params: idParams('dlv'),
    response: { 200: ResentBody },
  }
  app.post('/v1/deliveries/:id/resend', { schema: resendSchema }, async (request) => {
    const { deliveryId, state } = await engine.deliveries.resend(tenantIdOf(request), request.params.id)
    return { delivery_id: deliveryId, state }
  })

  const cancelSchema = {
    operationId: 'cancelDelivery',
    'x-problems': [409],
    tags,
    summary: 'End a delivery that waits for an attempt',
    description:
      'An attempt under way is not interrupted (409, `attempt_under_way`), since the receiver may have answered it already: its outcome decides.',
    params: idParams('dlv'),
    response: { 200: CancelledBody },
  }
  app.post('/v1/deliveries/:id/cancel', { schema: cancelSchema }, async (request) => {
    const { deliveryId, state } = await engine.deliveries.cancel(tenantIdOf(request), request.params.id)
    return { delivery_id: deliveryId, state }
  })

  const cancelManySchema = {
    operationId: 'cancelDeliveries',
    'x-problems': [404],
    tags,
    summary: 'End many deliveries that wait, as a job',
    description:
      'Those that were made before the call. Attempts under way are left to their outcome, and cancelled afterwards if they wait again. With `dry_run` nothing is changed, and the answer is 200.',
    body: CancelManyBody,
    response: { 200: DryRunBody, 202: JobBody },
  }
  app.post('/v1/deliveries/cancel', { schema: cancelManySchema }, async (request, reply) => {
    const { dry_run: isDry = false, ...body } = request.body
    const tenantId = tenantIdOf(request)
    if (isDry) return toDryRun(await engine.jobs.dryCancelDeliveries(tenantId, jobInput(body)))
    return reply.code(202).send(toJob(await engine.jobs.cancelDeliveries(tenantId, jobInput(body))))
  })
}

function registerSkip(app: Api, engine: ApiContext['engine']): void {
  const skipSchema = {
    operationId: 'skipDelivery',
    'x-problems': [409, 422],
    'x-optional-body': true,
    tags,
    summary: 'Give up the dead head of an ordering key, so that what is behind it goes on',
    description:
      'It is not sent any more. Repeated, the answer is the same. 409 for a delivery that is not the dead-lettered head of its ordering key.',
    params: idParams('dlv'),
    body: SkipBody,
    response: { 200: SkippedBody },
  }
  app.post('/v1/deliveries/:id/skip', { schema: skipSchema }, async (request) => {
    const { reason } = request.body
    const { deliveryId, state, nextHeadDeliveryId } = await engine.deliveries.skip(
      tenantIdOf(request),
      request.params.id,
      { by: principalOf(request).keyId, ...(reason !== undefined && { reason }) },
    )
    return { delivery_id: deliveryId, state, next_head_delivery_id: nextHeadDeliveryId }
  })
}
