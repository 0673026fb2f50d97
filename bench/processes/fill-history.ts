/** Fills a store with deliveries that are over, on the store's port: most succeeded, some dead, a few wait. */
import { defaultBreakerPolicy } from '../../src/core/endpoint-health.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import type { ClaimedDelivery, DeliveryOutcome, NewEvent, Routing, Store } from '../../src/store/port.ts'
import { loadIds } from '../harness/product.ts'

const leaseMs = 60_000
const maxBytes = 64 * 1024 * 1024
const batch = 1000
/** One of so many ends otherwise. */
const deadEvery = 50
const waitingEvery = 1000
const payload = new TextEncoder().encode('{"order":4711,"total":"19.90","currency":"EUR"}')
const answer = { headers: [['content-type', 'text/plain']] as const, body: new TextEncoder().encode('no') }

/** One delivery for each event, to the endpoints that the store has, in turns. */
export async function fillHistory(store: Store, deliveries: number): Promise<void> {
  const ids = (await loadIds()).createIdFactory(() => store.time.now())
  const routing = await store.loadRouting(defaultTenantId)
  const slots = new Map(routing.endpoints.map(({ id }) => [id, batch]))
  for (let at = 0; at < deliveries; at += batch) {
    const count = Math.min(batch, deliveries - at)
    const events = Array.from({ length: count }, (_, nth) => anEvent(ids, routing, at + nth))
    await store.publish(events, { leaseMs })
    const { deliveries: claimed } = await store.claim({ limit: batch, maxBytes, leaseMs, slots })
    await store.recordOutcomes(
      claimed.map((one, nth) => outcomeOf(one, at + nth)),
      defaultBreakerPolicy,
    )
  }
}

type Ids = ReturnType<Awaited<ReturnType<typeof loadIds>>['createIdFactory']>

function anEvent(ids: Ids, { subscriptions, version }: Routing, number: number): NewEvent {
  const subscription = subscriptions[number % subscriptions.length]
  if (subscription === undefined) throw new Error('the store has no subscription')
  const { id: subscriptionId, endpointId } = subscription
  return {
    id: ids.next('evt'),
    tenantId: defaultTenantId,
    topic: `orders.kind-${number % 20}`,
    payload,
    metadata: { source: 'bench' },
    traceContext: null,
    orderingKey: null,
    producerKeyId: null,
    deliverAt: null,
    request: null,
    filteredSubscriptions: null,
    hasIdempotencyKey: false,
    idempotency: null,
    routingVersion: version,
    deliveries: [
      {
        id: ids.next('dlv'),
        subscriptionId,
        endpointId,
        targetId: endpointId,
        rateLimitRps: null,
        handOff: false,
        ordered: false,
        parked: null,
      },
    ],
  }
}

function outcomeOf({ id, claimVersion }: ClaimedDelivery, number: number): DeliveryOutcome {
  const isDead = number % deadEvery === 0
  const isWaiting = !isDead && number % waitingEvery === 1
  const errorClass = isDead ? 'http_422' : isWaiting ? 'http_503' : null
  return {
    deliveryId: id,
    claimVersion,
    attempt: {
      attemptNo: 1,
      status: isDead ? 'permanent_failure' : isWaiting ? 'retryable_failure' : 'success',
      httpStatus: isDead ? 422 : isWaiting ? 503 : 200,
      errorClass,
      error: errorClass === null ? null : 'HTTP error',
      latencyMs: 5 + (number % 40),
      startedAt: Date.now(),
      response: { ...answer, truncated: false },
    },
    next: isDead
      ? { state: 'dead_lettered', finalError: 'http_422' }
      : // Beyond the benchmark, so that nothing is sent meanwhile but what it publishes.
        isWaiting
        ? { state: 'retry_scheduled', delayMs: 6 * 3_600_000 }
        : { state: 'succeeded' },
    observation: null,
    disableEndpoint: null,
  }
}
