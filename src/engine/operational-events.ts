/**
 * Publishes what tenants are told of their endpoints and of deliveries that fail. The store keeps a notice of each from
 * the transaction that made it until its event is published, under an idempotency key of the notice's own: whoever dies in
 * between, and whichever processes find the same notice, make one event of it. Where no subscription names the topic there
 * is none.
 */
import { OuthookError } from '../core/errors.ts'
import { ofNoProducer } from '../core/event-fields.ts'
import {
  type DeliveryNotice,
  type EndpointNotice,
  renderDeliveryNotice,
  renderEndpointNotice,
} from '../core/operational-events.ts'
import type { RoutingCache } from '../delivery/routing-cache.ts'
import type { ConfigStore, DeliveryStore, PendingNotice } from '../store/port.ts'
import type { Publisher } from './publish.ts'
import type { PublishRequest } from './publish-request.ts'
import type { DurableWork } from './work-loop.ts'

const noticesAtOnce = 100
/** No producer key has it, and neither have admin tokens. */
const scope = 'outhook'

export interface OperationalEventsOptions {
  /** As people see it: the times go into payloads. */
  readonly store: Pick<ConfigStore, 'listNotices' | 'removeNotice'> &
    Pick<DeliveryStore, 'listDeliveryNotices' | 'removeDeliveryNotices'>
  readonly publisher: Pick<Publisher, 'publish'>
  readonly routing: Pick<RoutingCache, 'get'>
  /** Another process may have left a notice, so one is looked for this often; null: there is no other. */
  readonly lookEveryMs: number | null
}

export function operationalEvents(options: OperationalEventsOptions): DurableWork {
  const { store, lookEveryMs } = options
  return {
    failing: 'tenants are told of endpoints and deliveries later: it failed and is tried again',
    async next() {
      const found = await store.listNotices(noticesAtOnce)
      for (const pending of found) {
        if (!(await tell(options, ofEndpoint(pending)))) return lookEveryMs
        await store.removeNotice(pending.endpointId, pending.notice.version)
      }
      const ofDeliveries = await store.listDeliveryNotices(noticesAtOnce)
      if (ofDeliveries.length > 0) {
        // Side by side, so that they share commits.
        const events = await Promise.all(ofDeliveries.map((notice) => ofDelivery(options, notice)))
        const told = await Promise.all(events.map((event) => tell(options, event)))
        await store.removeDeliveryNotices(ofDeliveries.filter((_, index) => told[index]))
        if (told.includes(false)) return lookEveryMs
      }
      return found.length === 0 && ofDeliveries.length === 0 ? lookEveryMs : 0
    },
  }
}

interface Told {
  readonly tenantId: string
  readonly topic: string
  readonly payload: string
  readonly key: string
  readonly exceptEndpointId: string | null
}

function ofEndpoint({ notice, ...pending }: PendingNotice): Told {
  const { endpointId, tenantId } = pending
  const { topic, version } = notice
  return {
    tenantId,
    topic,
    payload: renderEndpointNotice(pending, notice),
    key: `${topic} ${endpointId} ${version}`,
    exceptEndpointId: exceptedBy(notice, endpointId),
  }
}

async function ofDelivery({ routing }: OperationalEventsOptions, notice: DeliveryNotice): Promise<Told> {
  const { tenantId, topic, endpointId, deliveryId, claimVersion } = notice
  const { targets } = await routing.get(tenantId)
  const uid = targets.get(endpointId ?? '')?.endpoint.uid ?? null
  return {
    tenantId,
    topic,
    payload: renderDeliveryNotice(notice, uid),
    key: `${topic} ${deliveryId} ${claimVersion}`,
    exceptEndpointId: null,
  }
}

/** False: this process takes no more events. */
async function tell({ publisher, routing }: OperationalEventsOptions, told: Told): Promise<boolean> {
  const { tenantId, topic, exceptEndpointId } = told
  const { fanOut, targets } = await routing.get(tenantId)
  const isHeard = fanOut
    .match(topic)
    .some((to) => to.endpointId !== exceptEndpointId && targets.has(to.endpointId))
  if (!isHeard) return true
  const request: PublishRequest = {
    tenantId,
    topic,
    payload: new TextEncoder().encode(told.payload),
    metadata: null,
    orderingKey: null,
    ...ofNoProducer,
    traceContext: null,
    idempotency: { scope, key: told.key },
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
