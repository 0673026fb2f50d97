/** Fills a store with ordered deliveries of many keys, on the store's port. */

import { defaultBreakerPolicy } from '../../src/core/endpoint-health.ts'
import { noHealthSettings } from '../../src/core/health-settings.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import type { NewEvent, Store } from '../../src/store/port.ts'
import { loadIds } from '../harness/product.ts'

const leaseMs = 60_000
const batch = 1000
const payload = new TextEncoder().encode('{"n":1}')

export interface Lines {
  /** With one delivery each. */
  readonly keys: number
  /** Deliveries behind a dead head of one key more; 0: there is no such key. */
  readonly behindBlocked: number
}

export async function fillLines(store: Store, { keys, behindBlocked }: Lines): Promise<void> {
  const ids = (await loadIds()).createIdFactory(() => store.time.now())
  const endpointId = ids.next('ep')
  const subscriptionId = ids.next('sub')
  const owner = { tenantId: defaultTenantId, endpointId }
  await store.insertEndpoint({
    endpoint: {
      id: endpointId,
      tenantId: defaultTenantId,
      uid: 'lines',
      kind: 'http',
      url: 'http://127.0.0.1:9/hook',
      moreUrls: [],
      failOver: false,
      sealedUrl: null,
      settings: null,
      description: '',
      method: 'POST',
      headers: {},
      contentType: null,
      timeoutMs: null,
      signingSchemes: ['standard'],
      maxInFlight: 1000,
      rateLimitRps: null,
      credentialId: null,
      clientCertificateId: null,
      retryPolicy: null,
      ...noHealthSettings,
    },
    secret: { id: ids.next('sec'), sealed: Uint8Array.of(1) },
    subscription: {
      ...owner,
      id: subscriptionId,
      topicPatterns: ['*'],
      filter: null,
      headers: {},
      retryPolicy: null,
      ordered: true,
      active: true,
      own: false,
    },
  })
  const { version: routingVersion } = await store.loadRouting(defaultTenantId)
  const anEvent = (orderingKey: string): NewEvent => ({
    id: ids.next('evt'),
    tenantId: defaultTenantId,
    topic: 'bench.ordered',
    payload,
    metadata: null,
    traceContext: null,
    orderingKey,
    producerKeyId: null,
    deliverAt: null,
    request: null,
    filteredSubscriptions: null,
    hasIdempotencyKey: false,
    idempotency: null,
    routingVersion,
    deliveries: [
      {
        id: ids.next('dlv'),
        subscriptionId,
        endpointId,
        targetId: endpointId,
        rateLimitRps: null,
        handOff: false,
        ordered: true,
        parked: null,
      },
    ],
  })
  const publish = async (count: number, keyOf: (nth: number) => string) => {
    for (let at = 0; at < count; at += batch) {
      const events = Array.from({ length: Math.min(batch, count - at) }, (_, nth) => anEvent(keyOf(at + nth)))
      await store.publish(events, { leaseMs })
    }
  }
  if (behindBlocked > 0) {
    await publish(1, () => 'blocked')
    await killHead(store, endpointId)
    await publish(behindBlocked, () => 'blocked')
  }
  await publish(keys, (nth) => `key-${nth}`)
}

async function killHead(store: Store, targetId: string): Promise<void> {
  const slots = new Map([[targetId, 1]])
  const { deliveries } = await store.claim({ limit: 1, maxBytes: 1_000_000, leaseMs, slots })
  const outcomes = deliveries.map(({ id, claimVersion }) => ({
    deliveryId: id,
    claimVersion,
    attempt: null,
    next: { state: 'dead_lettered', finalError: 'attempts_exhausted' } as const,
    observation: null,
    disableEndpoint: null,
  }))
  await store.recordOutcomes(outcomes, defaultBreakerPolicy)
}
