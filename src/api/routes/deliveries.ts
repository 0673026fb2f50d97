import type { Api, ApiContext } from '../context.ts'
import { idFilter, pageRequest, timeRange } from '../page-request.ts'
import { DeliveryDetailBody, DeliveryPage, DeliveryQuery } from '../schemas/deliveries.ts'
import { idParams } from '../schemas/shapes.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toDelivery, toDeliveryDetail } from '../views/deliveries.ts'

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
  }
}
