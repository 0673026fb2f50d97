/**
 * The requests of attempts, for people to look at. What was sent is not kept, because each delivery would pay for that: it
 * is built again from the event and from how the endpoint is now, at the second of the attempt. So it is what was sent as
 * long as nobody has changed the endpoint, its subscription or its secrets since, and the answer says when somebody has.
 */
import type { Attempt, Delivery, OutboundEvent } from '../core/model.ts'
import { calendarOf } from '../core/time-line.ts'
import type { RoutingCache } from '../delivery/routing-cache.ts'
import { targetOf } from '../delivery/work.ts'
import type { DescribedRequest } from '../destinations/port.ts'
import type { ConfigStore, ReadStore, SecretStore, StoreTime } from '../store/port.ts'

export interface RebuiltRequest extends DescribedRequest {
  /** As it may be shown to anybody: what may be a secret in it is left out. */
  readonly url: string
  /** The endpoint, one of its secrets or the subscription has been changed since the attempt. */
  readonly isChangedSince: boolean
}

export interface RebuildDeps {
  readonly store: Pick<ReadStore, 'getEvent' | 'getPayload'> &
    Pick<ConfigStore, 'getSubscription'> &
    Pick<SecretStore, 'listSecrets'>
  readonly routing: Pick<RoutingCache, 'get'>
  readonly time: StoreTime
  readonly userAgent: string
}

/** Each costs a signature of the whole payload, on the thread that publishes and delivers. */
const maxRebuilt = 10

/** By claim version, of the newest ten; of attempts that made no request, and where the endpoint is not there any more, there is none. */
export async function rebuildRequests(
  delivery: Delivery,
  attempts: readonly Attempt[],
  { store, routing, time, userAgent }: RebuildDeps,
): Promise<ReadonlyMap<number, RebuiltRequest>> {
  const rebuilt = new Map<number, RebuiltRequest>()
  const { tenantId, eventId } = delivery
  const sent = attempts
    .filter(({ errorClass }) => errorClass !== 'internal' && errorClass !== 'policy')
    .slice(-maxRebuilt)
  const event = sent.length === 0 ? null : await store.getEvent(tenantId, eventId)
  if (event === null) return rebuilt
  const payload = await store.getPayload(tenantId, eventId)
  const known = await routing.get(tenantId)
  const target = targetOf({ ...delivery, request: event.request }, known)
  const endpoint = known.targets.get(delivery.endpointId ?? '')?.endpoint
  const { describe } = target?.destination ?? {}
  if (target === undefined || describe === undefined) return rebuilt
  const changedAt = await lastChange(delivery, store, endpoint?.updatedAt ?? 0)
  for (const attempt of sent) {
    const { startedAt } = attempt
    try {
      const described = describe.call(
        target.destination,
        { ...claimOf(delivery, event, attempt), payload },
        { clock: { now: () => startedAt }, time, userAgent },
      )
      rebuilt.set(attempt.claimVersion, {
        ...described,
        url: target.destination.label,
        isChangedSince: calendarOf(time.line, changedAt) > startedAt,
      })
    } catch {
      // It could not be sent now either, such as without a secret: then there is nothing to show.
    }
  }
  return rebuilt
}

/** Of the endpoint, its secrets and the subscription, on the store's line. */
async function lastChange(
  { tenantId, endpointId, subscriptionId }: Delivery,
  store: RebuildDeps['store'],
  endpointAt: number,
): Promise<number> {
  const secrets = endpointId === null ? null : await store.listSecrets(tenantId, endpointId)
  const subscription = subscriptionId === null ? null : await store.getSubscription(tenantId, subscriptionId)
  const signed = (secrets ?? []).flatMap(({ createdAt, primarySince }) => [createdAt, primarySince ?? 0])
  return Math.max(endpointAt, subscription?.updatedAt ?? 0, ...signed)
}

function claimOf(delivery: Delivery, event: OutboundEvent, { claimVersion, attemptNo }: Attempt) {
  const { id, tenantId, eventId, subscriptionId, endpointId, targetId, topic, createdAt } = delivery
  const { metadata, traceContext, request } = event
  return {
    ...{ id, tenantId, eventId, subscriptionId, endpointId, targetId, topic, createdAt },
    ...{ metadata, traceContext, request, claimVersion },
    attemptCount: attemptNo - 1,
    lostClaims: 0,
  }
}
