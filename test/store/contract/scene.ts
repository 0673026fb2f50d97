/** What the contract suite needs of an adapter, and builders for what stands in its tests. */

import {
  type BreakerPolicy,
  defaultBreakerPolicy,
  type HealthObservation,
} from '../../../src/core/endpoint-health.ts'
import { noHealthSettings } from '../../../src/core/health-settings.ts'
import { createIdFactory, type IdFactory } from '../../../src/core/ids.ts'
import {
  type Delivery,
  type DisabledReason,
  defaultTenantId,
  type Endpoint,
} from '../../../src/core/model.ts'
import { packReceivers } from '../../../src/core/receivers.ts'
import type {
  ClaimedDelivery,
  ClaimRequest,
  ClaimResult,
  DeliveryOutcome,
  FanOutSlice,
  NewApiKey,
  NewDelivery,
  NewEvent,
  NewIdempotencyKey,
  NextStep,
  PublishResult,
  RecordResult,
  Store,
} from '../../../src/store/port.ts'

export interface StoreHarness {
  readonly store: Store
  /** The store's time, milliseconds since the epoch. */
  now(): number
  advance(ms: number): Promise<void>
  close(): Promise<void>
}

export type OpenHarness = () => Promise<StoreHarness>

export const leaseMs = 30_000
export const breaker: BreakerPolicy = defaultBreakerPolicy

export type EndpointOptions = Partial<Endpoint> & {
  /** Its subscription is. Default false. */
  readonly ordered?: boolean
}

export interface Route {
  readonly tenantId: string
  readonly endpointId: string
  readonly subscriptionId: string
  /** Its subscription is ordered. Default false. */
  readonly ordered?: boolean
  readonly rateLimitRps?: number | null
  readonly credentialId?: string | null
  readonly clientCertificateId?: string | null
}

export interface EventOptions {
  readonly routes?: readonly Route[]
  /** Of an event for many, whose deliveries slices make. */
  readonly receivers?: readonly Route[]
  readonly topic?: string
  readonly payload?: Uint8Array
  readonly handOff?: boolean
  readonly parked?: NewDelivery['parked']
  readonly idempotency?: NewIdempotencyKey | null
  readonly routingVersion?: number
  readonly tenantId?: string
  readonly metadata?: Record<string, string> | null
  readonly orderingKey?: string | null
  /** Milliseconds from now, on the store's line. */
  readonly deliverInMs?: number
  readonly traceContext?: NewEvent['traceContext']
}

export interface Scene extends StoreHarness {
  readonly ids: IdFactory
  anEndpoint(options?: EndpointOptions): Promise<Route>
  anEvent(options?: EventOptions): Promise<NewEvent>
  /** Publishes one event; its id and the ids of its deliveries. */
  publish(
    options?: EventOptions,
  ): Promise<{ readonly event: NewEvent; readonly result: PublishResult; readonly deliveryId: string }>
  publishMany(count: number, options?: EventOptions): Promise<readonly NewEvent[]>
  claim(options?: Partial<ClaimRequest>): Promise<ClaimResult>
  /** Claims and expects exactly one. */
  claimOne(): Promise<ClaimedDelivery>
  /** Makes deliveries of events for many, at most so many; default: a slice. */
  fanOutSlice(deliveries?: number): Promise<FanOutSlice>
  record(...outcomes: readonly DeliveryOutcome[]): Promise<RecordResult>
  delivery(id: string): Promise<Delivery>
  /** The first thousand. */
  deliveriesOf(eventId: string, tenantId?: string): Promise<readonly Delivery[]>
}

export async function openScene(open: OpenHarness): Promise<Scene> {
  const harness = await open()
  const { store } = harness
  const ids = createIdFactory(() => harness.now())

  async function anEndpoint(options: EndpointOptions = {}): Promise<Route> {
    const tenantId = options.tenantId ?? defaultTenantId
    const endpointId = ids.next('ep')
    const subscriptionId = ids.next('sub')
    await store.insertEndpoint({
      endpoint: {
        id: endpointId,
        tenantId,
        uid: options.uid ?? null,
        kind: 'http',
        url: options.url ?? 'https://receiver.example/hook',
        moreUrls: options.moreUrls ?? [],
        failOver: options.failOver ?? false,
        sealedUrl: null,
        settings: null,
        description: options.description ?? '',
        method: options.method ?? 'POST',
        headers: options.headers ?? {},
        contentType: options.contentType ?? null,
        timeoutMs: options.timeoutMs ?? null,
        signingSchemes: options.signingSchemes ?? ['standard'],
        maxInFlight: options.maxInFlight ?? 1000,
        rateLimitRps: options.rateLimitRps ?? null,
        credentialId: options.credentialId ?? null,
        clientCertificateId: options.clientCertificateId ?? null,
        retryPolicy: null,
        ...noHealthSettings,
      },
      secret: { id: ids.next('sec'), sealed: Uint8Array.of(1, 2, 3) },
      subscription: {
        id: subscriptionId,
        tenantId,
        endpointId,
        topicPatterns: ['*'],
        filter: null,
        headers: {},
        retryPolicy: null,
        ordered: options.ordered ?? false,
        active: true,
        own: true,
      },
    })
    return {
      tenantId,
      endpointId,
      subscriptionId,
      rateLimitRps: options.rateLimitRps ?? null,
      ordered: options.ordered ?? false,
    }
  }

  async function anEvent(options: EventOptions = {}): Promise<NewEvent> {
    const first = options.routes?.[0] ?? options.receivers?.[0]
    const tenantId = options.tenantId ?? first?.tenantId ?? defaultTenantId
    return {
      id: ids.next('evt'),
      tenantId,
      topic: options.topic ?? 'orders.created',
      payload: options.payload ?? new TextEncoder().encode('{"n":1}'),
      metadata: options.metadata ?? null,
      orderingKey: options.orderingKey ?? null,
      producerKeyId: null,
      deliverAt: options.deliverInMs === undefined ? null : store.time.now() + options.deliverInMs,
      traceContext: options.traceContext ?? null,
      request: null,
      filteredSubscriptions: null,
      hasIdempotencyKey: (options.idempotency ?? null) !== null,
      idempotency: options.idempotency ?? null,
      routingVersion: options.routingVersion ?? (await store.loadRouting(tenantId)).version,
      deliveries: (options.routes ?? []).map((route) => ({
        id: ids.next('dlv'),
        subscriptionId: route.subscriptionId,
        endpointId: route.endpointId,
        targetId: route.endpointId,
        rateLimitRps: route.rateLimitRps ?? null,
        handOff: options.handOff ?? false,
        ordered: route.ordered === true && (options.orderingKey ?? null) !== null,
        parked: options.parked ?? null,
      })),
      ...(options.receivers !== undefined && { receivers: packReceivers(options.receivers) }),
    }
  }

  const claim: Scene['claim'] = (options = {}) =>
    store.claim({ limit: 100, maxBytes: 10_000_000, leaseMs, slots: new Map(), ...options })

  return {
    ...harness,
    ids,
    anEndpoint,
    anEvent,
    claim,
    async publish(options) {
      const event = await anEvent(options)
      const [result] = await store.publish([event], { leaseMs })
      if (result === undefined) throw new Error('no result')
      return { event, result, deliveryId: event.deliveries[0]?.id ?? '' }
    },
    async publishMany(count, options) {
      const first = await anEvent(options)
      const events: NewEvent[] = [first]
      while (events.length < count)
        events.push(await anEvent({ ...options, routingVersion: first.routingVersion }))
      for (let at = 0; at < count; at += 1000) await store.publish(events.slice(at, at + 1000), { leaseMs })
      return events
    },
    async claimOne() {
      const { deliveries } = await claim()
      if (deliveries.length !== 1) throw new Error(`claimed ${deliveries.length} deliveries, not 1`)
      return deliveries[0] as ClaimedDelivery
    },
    fanOutSlice: (deliveries = store.pace.fanOutSlice) =>
      store.fanOutSlice(Array.from({ length: deliveries }, () => ids.next('dlv'))),
    record: (...outcomes) => store.recordOutcomes(outcomes, breaker),
    async deliveriesOf(eventId, tenantId = defaultTenantId) {
      const page = { limit: 1000, cursor: null }
      return (await store.listDeliveriesOfEvent(tenantId, eventId, page)).items
    },
    async delivery(id) {
      const found = await store.getDelivery(defaultTenantId, id)
      if (found === null) throw new Error(`no delivery ${id}`)
      return found
    },
  }
}

export interface OutcomeOptions {
  readonly next?: NextStep
  readonly httpStatus?: number | null
  readonly error?: string | null
  readonly observation?: Partial<HealthObservation> | null
  readonly disableEndpoint?: DisabledReason | null
  readonly body?: Uint8Array
  readonly attemptNo?: number
  readonly startedAt?: number
}

type Claimed = Pick<ClaimedDelivery, 'id' | 'claimVersion' | 'attemptCount'>

export function anOutcome(claimed: Claimed, options: OutcomeOptions = {}): DeliveryOutcome {
  const next = options.next ?? { state: 'succeeded' }
  const succeeded = next.state === 'succeeded'
  const startedAt = options.startedAt ?? 0
  return {
    deliveryId: claimed.id,
    claimVersion: claimed.claimVersion,
    attempt: {
      attemptNo: options.attemptNo ?? claimed.attemptCount + 1,
      status: succeeded
        ? 'success'
        : next.state === 'dead_lettered'
          ? 'permanent_failure'
          : 'retryable_failure',
      httpStatus: options.httpStatus === undefined ? (succeeded ? 204 : 500) : options.httpStatus,
      errorClass: succeeded ? null : 'http_500',
      error: options.error ?? null,
      latencyMs: 12.5,
      startedAt,
      response: {
        headers: [['date', 'today']],
        body: options.body ?? Uint8Array.of(111, 107),
        truncated: false,
      },
    },
    next,
    observation:
      options.observation === null
        ? null
        : { contact: 'reached', succeeded, startedAt, throttleMs: null, ...options.observation },
    disableEndpoint: options.disableEndpoint ?? null,
  }
}

export const retryIn = (delayMs: number): NextStep => ({ state: 'retry_scheduled', delayMs })
export const deadLetter: NextStep = { state: 'dead_lettered', finalError: 'http_500' }

/** A connection that failed, as the breaker counts them. */
export function aTransportFailure(claimed: Claimed, startedAt: number, delayMs = 1000): DeliveryOutcome {
  return anOutcome(claimed, {
    next: retryIn(delayMs),
    httpStatus: null,
    startedAt,
    observation: { contact: 'transport_failure', succeeded: false, startedAt, throttleMs: null },
  })
}

/** A key as it is before it is kept. */
export function aKey(ids: IdFactory, given: Partial<NewApiKey['key']> = {}): NewApiKey['key'] {
  const kind = given.kind ?? 'producer'
  return {
    id: ids.next(kind === 'admin' ? 'adm' : 'key'),
    tenantId: defaultTenantId,
    kind,
    role: kind === 'admin' ? 'admin' : null,
    name: 'ci',
    scopes: ['orders.*'],
    abilities: kind === 'producer' ? ['publish'] : [],
    rateLimitRps: null,
    expiresAt: null,
    ...given,
  }
}
