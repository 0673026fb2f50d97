/**
 * Publishes what tenants are told of their endpoints and of deliveries that fail. The store keeps a notice of each from
 * the transaction that made it until its event is published, under an idempotency key of the notice's own: whoever dies in
 * between, and whichever processes find the same notice, make one event of it. Where no subscription names the topic there
 * is none.
 */
import {
  type DeliveryNotice,
  type EndpointNotice,
  renderDeliveryNotice,
  renderEndpointNotice,
} from '../core/operational-events.ts'
import type { EndpointDisabledActivity } from '../delivery/activity.ts'
import type { ConfigStore, DeliveryStore, PendingNotice } from '../store/port.ts'
import {
  type OperationalEvent,
  type OperationalPublishing,
  publishOperational,
} from './publish-operational.ts'
import type { DurableWork } from './work-loop.ts'

const noticesAtOnce = 100

export interface OperationalEventsOptions extends OperationalPublishing {
  /** As people see it: the times go into payloads. */
  readonly store: Pick<ConfigStore, 'listNotices' | 'removeNotice'> &
    Pick<DeliveryStore, 'listDeliveryNotices' | 'removeDeliveryNotices'>
  /** Another process may have left a notice, so one is looked for this often; null: there is no other. */
  readonly lookEveryMs: number | null
  /** An endpoint that was disabled is enabled again; once from all processes. */
  readonly onEnabledAgain?: (enabled: EndpointDisabledActivity) => void
}

export function operationalEvents(options: OperationalEventsOptions): DurableWork {
  const { store, lookEveryMs } = options
  return {
    failing: 'tenants are told of endpoints and deliveries later: it failed and is tried again',
    async next() {
      const found = await store.listNotices(noticesAtOnce)
      for (const pending of found) {
        if (!(await publishOperational(options, ofEndpoint(pending)))) return lookEveryMs
        const { tenantId, endpointId, notice } = pending
        const isRemoved = await store.removeNotice(endpointId, notice.version)
        if (!isRemoved || notice.topic !== 'endpoint.recovered') continue
        options.onEnabledAgain?.({ tenantId, endpointId, reason: notice.reason })
      }
      const ofDeliveries = await store.listDeliveryNotices(noticesAtOnce)
      if (ofDeliveries.length > 0) {
        // Side by side, so that they share commits.
        const events = await Promise.all(ofDeliveries.map((notice) => ofDelivery(options, notice)))
        const told = await Promise.all(events.map((event) => publishOperational(options, event)))
        await store.removeDeliveryNotices(ofDeliveries.filter((_, index) => told[index]))
        if (told.includes(false)) return lookEveryMs
      }
      return found.length === 0 && ofDeliveries.length === 0 ? lookEveryMs : 0
    },
  }
}

function ofEndpoint({ notice, ...pending }: PendingNotice): OperationalEvent {
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

async function ofDelivery(
  { routing }: OperationalEventsOptions,
  notice: DeliveryNotice,
): Promise<OperationalEvent> {
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

/** It could not get what says that nothing is sent to it. */
function exceptedBy({ topic }: EndpointNotice, endpointId: string): string | null {
  return topic === 'endpoint.disabled' ? endpointId : null
}
