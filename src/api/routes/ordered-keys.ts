import type { Api, ApiContext } from '../context.ts'
import { idFilter, pageRequest } from '../page-request.ts'
import { OrderedKeyPage, OrderedKeyQuery } from '../schemas/ordered-keys.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toOrderedKey } from '../views/ordered-keys.ts'

export function orderedKeyRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const listSchema = {
      operationId: 'listOrderedKeys',
      tags: ['ordered keys'],
      summary: 'Ordering keys with deliveries that have not come to an end, by subscription and key',
      description:
        'Of ordered subscriptions. `blocked=true` gives those that go on only when somebody replays or skips their head.',
      querystring: OrderedKeyQuery,
      response: { 200: OrderedKeyPage },
    }
    app.get('/v1/ordered-keys', { schema: listSchema }, async (request) => {
      const { query } = request
      const { blocked, subscription_id: subscriptionId, ordering_key: orderingKey } = query
      const filter = {
        ...(blocked !== undefined && { blocked }),
        ...(subscriptionId !== undefined && {
          subscriptionId: idFilter(subscriptionId, 'subscription_id', 'sub'),
        }),
        ...(orderingKey !== undefined && { orderingKey }),
      }
      const page = await engine.orderedKeys.list(tenantIdOf(request), filter, pageRequest(query))
      return { items: page.items.map(toOrderedKey), next_cursor: page.nextCursor }
    })
  }
}
