/** A dispatcher on a store and a sender that live in memory and do as they are told. */

import { onTestFinished } from 'vitest'
import { ClaimBatch } from '../../src/core/claim/claim-batch.ts'
import { leased } from '../../src/core/claim/row-fate.ts'
import { defaultBreakerPolicy } from '../../src/core/endpoint-health.ts'
import { noHealthSettings } from '../../src/core/health-settings.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { defaultTenantId, type Endpoint, type Subscription } from '../../src/core/model.ts'
import { RetryPolicies } from '../../src/core/retry-policies.ts'
import { createSecretBox } from '../../src/core/secret-box.ts'
import { Dispatcher } from '../../src/delivery/dispatcher.ts'
import { RoutingCache, type Target } from '../../src/delivery/routing-cache.ts'
import type { AttemptRequest, AttemptResult, Sender } from '../../src/sender/port.ts'
import type {
  ClaimedDelivery,
  ClaimRequest,
  ClaimResult,
  DeliveryOutcome,
  Release,
  Routing,
  SlotShares,
} from '../../src/store/port.ts'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.ts'
import { steadyTime } from '../store/steady-time.ts'
import { liveTenant } from './a-tenant.ts'

export function anEndpoint(id: string, given: Partial<Endpoint> = {}): Endpoint {
  return {
    id,
    tenantId: defaultTenantId,
    uid: null,
    kind: 'http',
    url: `https://${id}.example/hook`,
    moreUrls: [],
    failOver: false,
    sealedUrl: null,
    settings: null,
    description: '',
    method: 'POST',
    headers: {},
    contentType: null,
    timeoutMs: null,
    signingSchemes: ['none'],
    maxInFlight: 32,
    rateLimitRps: null,
    credentialId: null,
    clientCertificateId: null,
    retryPolicy: null,
    ...noHealthSettings,
    disabledReason: null,
    disabledAt: null,
    pausedReason: null,
    pausedBy: null,
    createdAt: 0,
    updatedAt: 0,
    deletedAt: null,
    version: 't1',
    ...given,
  }
}

export function aSubscription(
  id: string,
  endpointId: string,
  given: Partial<Subscription> = {},
): Subscription {
  return {
    id,
    tenantId: defaultTenantId,
    endpointId,
    topicPatterns: ['*'],
    filter: null,
    headers: {},
    retryPolicy: 'hookrail',
    ordered: false,
    active: true,
    own: false,
    createdAt: 0,
    updatedAt: 0,
    deletedAt: null,
    version: 't1',
    ...given,
  }
}

export function aClaimed(
  id: string,
  targetId: string,
  given: Partial<ClaimedDelivery> = {},
): ClaimedDelivery {
  return {
    id,
    tenantId: defaultTenantId,
    eventId: `evt_${id}`,
    subscriptionId: 'sub_1',
    endpointId: targetId,
    targetId,
    topic: 'a.b',
    metadata: null,
    traceContext: null,
    request: null,
    payload: Buffer.from('{}'),
    claimVersion: 1,
    attemptCount: 0,
    lostClaims: 0,
    createdAt: 0,
    ...given,
  }
}

interface Row {
  delivery: ClaimedDelivery
  dueAt: number
  leased: boolean
}

/** Keeps the port's word on leases: they end by themselves, and then count as lost. */
export class FakeStore {
  readonly pace = { claims: { restMs: () => 0, begin: () => 128, end: (_given: number) => {} } }
  readonly claims: ClaimRequest[] = []
  readonly released: Release[] = []
  readonly rows = new Map<string, Row>()
  /** Thrown by the next calls of that name, in order. */
  readonly faults: { claim: Error[]; release: Error[] } = { claim: [], release: [] }
  /** What each claim brings of shares. */
  claimedShares: ReadonlyMap<string, number> | null = null
  /** Awaited by each claim. */
  gate: Promise<void> = Promise.resolve()
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  add(...deliveries: readonly ClaimedDelivery[]): void {
    for (const delivery of deliveries) {
      this.rows.set(delivery.id, { delivery, dueAt: this.#clock.elapsed(), leased: false })
    }
  }

  /** Inserted as leased, as a publish does. */
  lease(delivery: ClaimedDelivery): void {
    this.rows.set(delivery.id, { delivery, dueAt: 1e9, leased: true })
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    this.claims.push(request)
    await this.gate
    const fault = this.faults.claim.shift()
    if (fault !== undefined) throw fault
    const now = this.#clock.elapsed()
    const deliveries = this.#claimDue(request, now).map((row) => {
      const { claimVersion, lostClaims } = leased({
        ...row.delivery,
        state: row.leased ? 'in_flight' : 'pending',
      })
      row.delivery = { ...row.delivery, claimVersion, lostClaims }
      row.leased = true
      row.dueAt = now + request.leaseMs
      return row.delivery
    })
    const waits = [...this.rows.values()].map((row) => Math.max(0, row.dueAt - now))
    const nextDueMs = waits.length === 0 ? null : Math.min(...waits)
    const shares = this.claimedShares
    return { deliveries, nextDueMs, cluster: shares && { shares, routingVersions: new Map() } }
  }

  #claimDue({ limit, startable = limit, maxBytes, slots }: ClaimRequest, now: number): readonly Row[] {
    const due = Map.groupBy(
      [...this.rows.values()].filter((row) => row.dueAt <= now),
      ({ delivery }) => delivery.targetId,
    )
    const targets = Array.from(due, ([targetId, rows]) => ({
      tenantId: rows[0]?.delivery.tenantId ?? defaultTenantId,
      isFresh: false,
      isRated: false,
      slots: slots.get(targetId) ?? 32,
      rows,
    }))
    const batch = new ClaimBatch<(typeof targets)[number], Row>(targets, { limit, startable, maxBytes })
    for (let asks = batch.nextLook(); asks.length > 0; asks = batch.nextLook()) {
      for (const ask of asks) {
        const rows = ask.target.rows.splice(0, ask.count)
        const leasable = rows.map((row) => ({ row, bytes: row.delivery.payload.byteLength }))
        batch.add(ask, { leasable, others: 0 })
      }
    }
    return batch.grants().map(({ row }) => row)
  }

  async release(releases: readonly Release[]): Promise<readonly Release[]> {
    const fault = this.faults.release.shift()
    if (fault !== undefined) throw fault
    for (const { deliveryId, claimVersion, delayMs, sent } of releases) {
      const row = this.rows.get(deliveryId)
      if (row === undefined || !row.leased || row.delivery.claimVersion !== claimVersion) continue
      this.released.push({ deliveryId, claimVersion, delayMs, ...(sent && { sent }) })
      row.leased = false
      row.dueAt = this.#clock.elapsed() + delayMs
    }
    return []
  }
}

interface OpenAttempt {
  readonly deliveryId: string
  readonly request: AttemptRequest
  readonly startedAt: number
  resolve(result: AttemptResult): void
}

export class FakeSender implements Sender {
  readonly totalTimeoutMs = 15_000
  readonly attempts: OpenAttempt[] = []
  readonly open = new Set<OpenAttempt>()
  /** Answers at once instead of when told. */
  instantStatus: number | null = null
  /** Called with each delivery before its answer. */
  onAttempt: (deliveryId: string) => void = () => {}
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  attempt(request: AttemptRequest): Promise<AttemptResult> {
    const { promise, resolve } = Promise.withResolvers<AttemptResult>()
    const attempt: OpenAttempt = {
      deliveryId: request.headers['outhook-delivery-id'] ?? '',
      request,
      startedAt: this.#clock.elapsed(),
      resolve: (result) => {
        this.open.delete(attempt)
        resolve(result)
      },
    }
    this.attempts.push(attempt)
    this.open.add(attempt)
    this.#clock.schedule(request.timeoutMs ?? this.totalTimeoutMs, () => this.#timeOut(attempt))
    this.onAttempt(attempt.deliveryId)
    if (this.instantStatus !== null) this.answer(attempt, this.instantStatus)
    return promise
  }

  /** Lets an open attempt end. */
  answer(attempt: OpenAttempt, httpStatus = 200): void {
    attempt.resolve({
      kind: 'response',
      httpStatus,
      response: { headers: [], body: new Uint8Array(), truncated: false },
      retryAfter: null,
      latencyMs: this.#clock.elapsed() - attempt.startedAt,
    })
  }

  #timeOut(attempt: OpenAttempt): void {
    const latencyMs = this.totalTimeoutMs
    attempt.resolve({
      kind: 'failure',
      errorClass: 'timeout',
      error: 'too late',
      httpStatus: null,
      latencyMs,
    })
  }

  answerAll(httpStatus = 200): void {
    for (const attempt of this.open) this.answer(attempt, httpStatus)
  }

  async close(): Promise<void> {}

  get deliveryIds(): readonly string[] {
    return this.attempts.map(({ deliveryId }) => deliveryId)
  }

  /** How often each delivery was sent, where that is more than once. */
  get repeated(): readonly string[] {
    return this.deliveryIds.filter((id, index, ids) => ids.indexOf(id) !== index)
  }
}

export interface DispatcherSetup {
  readonly endpoints?: readonly Endpoint[]
  readonly maxInFlight?: number
  readonly shares?: SlotShares
  readonly loadRouting?: (routing: Routing) => Promise<Routing>
  /** Of an earlier process. */
  readonly before?: { readonly clock: ManualClock; readonly store: FakeStore }
}

export function aDispatcher(setup: DispatcherSetup = {}) {
  const clock = setup.before?.clock ?? createManualClock()
  const store = setup.before?.store ?? new FakeStore(clock)
  const life = { dead: false }
  const sender = new FakeSender(clock)
  const endpoints = setup.endpoints ?? ['ep_a', 'ep_b', 'ep_c'].map((id) => anEndpoint(id))
  const routed: Routing = {
    tenantId: defaultTenantId,
    version: 1,
    endpoints,
    subscriptions: [aSubscription('sub_1', endpoints[0]?.id ?? 'ep_a')],
    secrets: [],
    credentials: [],
    eventTypes: [],
    tenant: liveTenant,
  }
  const routing = new RoutingCache({
    load: () => setup.loadRouting?.(routed) ?? Promise.resolve(routed),
    secretBox: createSecretBox(new Uint8Array(32), (size) => new Uint8Array(size)),
    policies: new RetryPolicies(),
    breaker: defaultBreakerPolicy,
  })
  const outcomes: DeliveryOutcome[] = []
  const recording = { possible: true }
  const dispatcher = new Dispatcher({
    store: {
      pace: store.pace,
      claim: (request) => (life.dead ? new Promise(() => {}) : store.claim(request)),
      release: (releases) => (life.dead ? new Promise(() => {}) : store.release(releases)),
    },
    sender,
    credentials: {
      answered: () => false,
      authorize: () => Promise.resolve({ kind: 'failed', error: 'there are no credentials here' }),
    },
    routing,
    clock,
    time: steadyTime(clock.now),
    random: () => 0.5,
    logger: silentLogger,
    userAgent: 'outhook/test',
    maxInFlight: setup.maxInFlight ?? 64,
    shares: setup.shares ?? null,
    onOutcome: (outcome) => {
      if (life.dead) return
      outcomes.push(outcome)
      store.rows.delete(outcome.deliveryId)
    },
    recording: () => (recording.possible ? 'ready' : 'blocked'),
  })
  /** As `kill -9`: nothing that it does reaches anything any more, and its leases end. */
  const kill = () => {
    life.dead = true
    recording.possible = false
    sender.instantStatus = null
    for (const row of store.rows.values()) if (row.leased) row.dueAt = clock.elapsed()
  }
  onTestFinished(async () => {
    if (life.dead) return
    sender.answerAll()
    const stopped = dispatcher.stop(0)
    await clock.advance(0)
    await stopped
  })
  return { clock, store, sender, routing, dispatcher, outcomes, recording, routed, kill }
}

/** Started, with its routing loaded and a way to publish. */
export async function aRunningDispatcher(setup: DispatcherSetup = {}) {
  const parts = aDispatcher(setup)
  const { clock, store, dispatcher, routing, routed } = parts
  dispatcher.start()
  await clock.advance(0)
  const known = await routing.get(routed.tenantId)
  const target = (id: string): Target => {
    const found = known.targets.get(id)
    if (found === undefined) throw new Error(`no endpoint ${id}`)
    return found
  }
  /** Publishes one delivery; false when it was not handed off, and then it is not inserted either. */
  const handOff = (deliveryId: string, targetId: string): boolean => {
    const delivery = aClaimed(deliveryId, targetId)
    const reservation = dispatcher.reserve(target(targetId), delivery.payload.length)
    if (reservation === null) return false
    store.lease(delivery)
    reservation.accept(delivery, known, clock.elapsed() + dispatcher.leaseMs)
    return true
  }
  return { ...parts, target, handOff }
}

/** Ids `prefix1`, `prefix2`, … for one target. */
export function severalClaimed(
  count: number,
  targetId: string,
  given: Partial<ClaimedDelivery> & { readonly prefix?: string } = {},
): readonly ClaimedDelivery[] {
  const { prefix = `${targetId}_`, ...rest } = given
  return Array.from({ length: count }, (_, index) => aClaimed(`${prefix}${index + 1}`, targetId, rest))
}
