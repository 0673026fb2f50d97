/**
 * Publishes what tenants are told of their endpoints. The store keeps a notice of each change from the transaction that
 * made it until its event is published, under an idempotency key of the notice's own: whoever dies in between, and
 * whichever processes find the same notice, make one event of it. Where no subscription names the topic there is none.
 */
import { OuthookError } from '../core/errors.ts'
import { ofNoProducer } from '../core/event-fields.ts'
import { type EndpointNotice, renderEndpointNotice } from '../core/operational-events.ts'
import type { RoutingCache } from '../delivery/routing-cache.ts'
import type { ConfigStore, PendingNotice } from '../store/port.ts'
import type { Publisher } from './publish.ts'
import type { PublishRequest } from './publish-request.ts'
import type { DurableWork } from './work-loop.ts'

const noticesAtOnce = 100
/** No producer key has it, and neither have admin tokens. */
const scope = 'outhook'

export interface OperationalEventsOptions {
  /** As people see it: the times go into payloads. */
  readonly store: Pick<ConfigStore, 'listNotices' | 'removeNotice'>
  readonly publisher: Pick<Publisher, 'publish'>
  readonly routing: Pick<RoutingCache, 'get'>
  /** Another process may have left a notice, so one is looked for this often; null: there is no other. */
  readonly lookEveryMs: number | null
}

export function operationalEvents(options: OperationalEventsOptions): DurableWork {
  const { store, lookEveryMs } = options
  return {
    failing: 'tenants are told of their endpoints later: it failed and is tried again',
    async next() {
      const found = await store.listNotices(noticesAtOnce)
      for (const pending of found) {
        if (!(await tell(options, pending))) return lookEveryMs
        await store.removeNotice(pending.endpointId, pending.notice.version)
      }
      return found.length === 0 ? lookEveryMs : 0
    },
  }
}

/** False: this process takes no more events. */
async function tell(
  { publisher, routing }: OperationalEventsOptions,
  { notice, ...pending }: PendingNotice,
): Promise<boolean> {
  const { endpointId, tenantId } = pending
  const { topic, version } = notice
  const except = exceptedBy(notice, endpointId)
  const { fanOut, targets } = await routing.get(tenantId)
  const isHeard = fanOut.match(topic).some((to) => to.endpointId !== except && targets.has(to.endpointId))
  if (!isHeard) return true
  const request: PublishRequest = {
    tenantId,
    topic,
    payload: new TextEncoder().encode(renderEndpointNotice(pending, notice)),
    metadata: null,
    orderingKey: null,
    ...ofNoProducer,
    traceContext: null,
    idempotency: { scope, key: `${topic} ${endpointId} ${version}` },
    operational: { exceptEndpointId: except },
  }
  try {
    await publisher.publish(request)
  } catch (error) {
    if (error instanceof OuthookError && error.code === 'shutting_down') return false
    if (!isDone(error)) throw error
  }
  return true
}

/** It could not get what says that nothing is sent to it. */
function exceptedBy({ topic }: EndpointNotice, endpointId: string): string | null {
  return topic === 'endpoint.disabled' ? endpointId : null
}

/** The tenant is gone; or it was published before, when the endpoint had another name or URL. */
function isDone(error: unknown): boolean {
  return (
    error instanceof OuthookError && (error.code === 'not_found' || error.code === 'idempotency_conflict')
  )
}
