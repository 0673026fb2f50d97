/** One event of Outhook's own, for a tenant: published once, and only where somebody listens. */
import { OuthookError } from '../core/errors.ts'
import { ofNoProducer } from '../core/event-fields.ts'
import { ownKeyScopes } from '../core/idempotency.ts'
import type { operationalTopics } from '../core/operational-events.ts'
import type { RoutingCache } from '../delivery/routing-cache.ts'
import type { Publisher } from './publish.ts'
import type { PublishRequest } from './publish-request.ts'

export interface OperationalPublishing {
  readonly publisher: Pick<Publisher, 'publish'>
  readonly routing: Pick<RoutingCache, 'get'>
}

export interface OperationalEvent {
  readonly tenantId: string
  readonly topic: (typeof operationalTopics)[number]
  /** JSON. */
  readonly payload: string
  /** Of what it tells, and of nothing else. */
  readonly key: string
  /** Not to this endpoint, though it may ask for the topic; null: to all. */
  readonly exceptEndpointId: string | null
}

/** False: this process takes no more events. */
export async function publishOperational(
  { publisher, routing }: OperationalPublishing,
  { tenantId, topic, payload, key, exceptEndpointId }: OperationalEvent,
): Promise<boolean> {
  const { fanOut, targets } = await routing.get(tenantId)
  const isHeard = fanOut
    .match(topic)
    .some((to) => to.endpointId !== exceptEndpointId && targets.has(to.endpointId))
  if (!isHeard) return true
  const request: PublishRequest = {
    tenantId,
    topic,
    payload: new TextEncoder().encode(payload),
    metadata: null,
    orderingKey: null,
    ...ofNoProducer,
    traceContext: null,
    idempotency: { scope: ownKeyScopes.operational, key },
    operational: { exceptEndpointId },
  }
  try {
    await publisher.publish(request)
  } catch (error) {
    if (error instanceof OuthookError && error.code === 'shutting_down') return false
    if (!isDone(error)) throw error
  }
  return true
}

/** The tenant is gone; or it was published before, when what it names was called otherwise. */
function isDone(error: unknown): boolean {
  return (
    error instanceof OuthookError && (error.code === 'not_found' || error.code === 'idempotency_conflict')
  )
}
