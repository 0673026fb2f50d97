/**
 * A tenant's endpoints and subscriptions, compiled for fan-out and dispatch.
 *
 * The cache may be stale and says so by its version: an insert names the version it was planned with, the
 * store refuses an old one, and the publisher loads again. Every change made in this process drops the entry; of a
 * change made in another one this process is told by a hint, and failing that learns by the versions that a claim
 * brings. A claim cancels or parks what no longer lives.
 */

import type { RoutedCredential } from '../core/credential.ts'
import type { BreakerPolicy } from '../core/endpoint-health.ts'
import { urlContext } from '../core/endpoint-url.ts'
import type { RoutedEventType } from '../core/event-type.ts'
import { FilterSet } from '../core/filter/filter-set.ts'
import { findBreaker } from '../core/health-policy.ts'
import type { Endpoint, SealedSecret, Subscription } from '../core/model.ts'
import { deliveryTopics } from '../core/operational-events.ts'
import type { RetryPolicies } from '../core/retry-policies.ts'
import type { RetryPolicy } from '../core/retry-policy.ts'
import type { SecretBox } from '../core/secret-box.ts'
import type { SigningSecrets } from '../core/signing.ts'
import { type PreparedSecret, prepareSecret, primaryOf } from '../core/signing-secrets.ts'
import { defaultTenantSettings } from '../core/tenant.ts'
import { agedNow } from '../core/time-line.ts'
import { compileTopicPatterns, type TopicIndex } from '../core/topics.ts'
import { type Kinds, kinds } from '../destinations/kinds.ts'
import type { Destination, EndpointParts } from '../destinations/port.ts'
import type { Routing, StoreTime } from '../store/port.ts'
import type { TargetLimits } from './target-state.ts'

export interface TenantRouting {
  readonly tenant: Routing['tenant']
  readonly version: number
  readonly targets: ReadonlyMap<string, EndpointTarget>
  /** Where a delivery goes, with what its subscription adds. */
  targetOf(subscriptionId: string | null, targetId: string): EndpointTarget | undefined
  /** What it takes in memory, in endpoints and subscriptions. */
  readonly size: number
  readonly fanOut: TopicIndex<Subscription>
  readonly credentials: ReadonlyMap<string, RoutedCredential>
  /** What the tenant has of its own; null: the server's. */
  readonly breaker: BreakerPolicy | null
  /** Topics of operational events about deliveries that a subscription names. */
  readonly told: ReadonlySet<string>
  /** The tenant's own, by name; null: it has none. */
  readonly eventTypes: ReadonlyMap<string, RoutedEventType> | null
  /** Null: no subscription of the tenant has a filter. */
  readonly filters: FilterSet | null
  /** Of the subscription, the endpoint, the tenant and the server the nearest that is there and has one. */
  policyOf(subscriptionId: string | null, endpointId?: string | null): RetryPolicy
}

/** Where a delivery goes, with what an attempt needs. */
export interface Target {
  readonly id: string
  readonly endpoint: TargetLimits
  /** Its tenant's, in the fair queue. */
  readonly weight: number
  /** Decided when it was loaded, as far as possible: what an attempt decides, each delivery pays for. */
  readonly destination: Destination
  /** What it or its tenant has of its own; null: the server's. */
  readonly breaker: BreakerPolicy | null
  /** Topics of operational events about deliveries that a subscription of its tenant names. */
  readonly told: ReadonlySet<string>
}

/** Of what was published, made once per load. */
export interface EndpointTarget extends Target {
  readonly endpoint: Endpoint
}

export interface RoutingCacheOptions {
  readonly load: (tenantId: string) => Promise<Routing>
  readonly secretBox: SecretBox
  readonly policies: RetryPolicies
  readonly breaker: BreakerPolicy
  /** Default: all that there are. */
  readonly kinds?: Kinds | undefined
  /** Tenants, endpoints and subscriptions that are kept, about: beyond these, tenants that nobody asked for lately go. */
  readonly maxKept?: number
}

/** A hundred MB at most, and in practice a tenth: an endpoint with its subscription takes some 2 KB. */
const defaultMaxKept = 30_000

export class RoutingCache {
  readonly #options: RoutingCacheOptions
  readonly #maxKept: number
  /**
   * What was asked for since the last turn, and what was before it. When the first has grown large, the other goes and the
   * first takes its place: so nothing is written for an answer, and who is asked for stays.
   */
  #loaded = new Map<string, TenantRouting>()
  #earlier = new Map<string, TenantRouting>()
  #kept = 0
  readonly #loading = new Map<string, Promise<TenantRouting>>()

  constructor(options: RoutingCacheOptions) {
    this.#options = options
    this.#maxKept = (options.maxKept ?? defaultMaxKept) / 2
  }

  /** What is cached; undefined when nothing is. */
  peek(tenantId: string): TenantRouting | undefined {
    return this.#loaded.get(tenantId) ?? this.#revive(tenantId)
  }

  /** The cached routing, or one load shared by all who wait for it. */
  get(tenantId: string): Promise<TenantRouting> | TenantRouting {
    return this.peek(tenantId) ?? this.#loading.get(tenantId) ?? this.#load(tenantId)
  }

  /** Forgets a tenant (null: all); a load that is under way is not kept either, for it may have read the old state. */
  invalidate(tenantId: string | null): void {
    for (const cache of [this.#loaded, this.#earlier, this.#loading]) {
      if (tenantId === null) cache.clear()
      else cache.delete(tenantId)
    }
  }

  /** Forgets what is older than these versions by tenant: another process has changed it since. */
  dropOlder(versions: ReadonlyMap<string, number>): void {
    for (const [tenantId, version] of versions) {
      const known = this.#loaded.get(tenantId) ?? this.#earlier.get(tenantId)
      if (known !== undefined && known.version < version) this.invalidate(tenantId)
    }
  }

  #revive(tenantId: string): TenantRouting | undefined {
    const routing = this.#earlier.get(tenantId)
    if (routing !== undefined) this.#keep(tenantId, routing)
    return routing
  }

  #keep(tenantId: string, routing: TenantRouting): void {
    if (this.#kept >= this.#maxKept) {
      this.#earlier = this.#loaded
      this.#loaded = new Map()
      this.#kept = 0
    }
    this.#loaded.set(tenantId, routing)
    this.#kept += routing.size
  }

  async #load(tenantId: string): Promise<TenantRouting> {
    const loading = this.#options.load(tenantId).then((routing) => compileRouting(routing, this.#options))
    this.#loading.set(tenantId, loading)
    try {
      const routing = await loading
      if (this.#loading.get(tenantId) === loading) this.#keep(tenantId, routing)
      return routing
    } finally {
      if (this.#loading.get(tenantId) === loading) this.#loading.delete(tenantId)
    }
  }
}

function compileRouting(routing: Routing, options: RoutingCacheOptions): TenantRouting {
  const sealedOf = Map.groupBy(routing.secrets, (secret) => secret.endpointId)
  const targets = new Map<string, EndpointTarget>()
  const makers = new Map<string, ReturnType<typeof targetMaker>>()
  const { weight, authorizedDomains } = routing.tenant?.settings ?? defaultTenantSettings
  const live = routing.subscriptions.filter(({ active }) => active)
  const fanOut = compileTopicPatterns(
    live.map((subscription) => ({ patterns: subscription.topicPatterns, value: subscription })),
  )
  const told = new Set(deliveryTopics.filter((topic) => fanOut.match(topic).length > 0))
  for (const endpoint of routing.endpoints) {
    const sealed = sealedOf.get(endpoint.id) ?? []
    const breaker = findBreaker({ endpoint, tenant: routing.tenant?.settings, server: options.breaker })
    const make = targetMaker({ endpoint, weight, authorizedDomains, breaker, told, sealed }, options)
    makers.set(endpoint.id, make)
    targets.set(endpoint.id, make(endpoint.headers))
  }
  const ofTenant = routing.tenant?.settings.retryPolicy ?? null
  const known = options.policies
  const defaultPolicy = known.resolve(ofTenant)
  const policies = new Map<string, RetryPolicy>()
  const policyOfEndpoint = new Map<string, RetryPolicy>()
  for (const { id, retryPolicy } of routing.endpoints) {
    if (retryPolicy !== null) policyOfEndpoint.set(id, known.resolve(retryPolicy, ofTenant))
  }
  const ofSubscriptions = new Map<string, EndpointTarget>()
  for (const subscription of routing.subscriptions) {
    const ofEndpoint = policyOfEndpoint.get(subscription.endpointId) ?? defaultPolicy
    policies.set(subscription.id, known.resolve(subscription.retryPolicy, ofEndpoint))
    const target = targets.get(subscription.endpointId)
    const make = makers.get(subscription.endpointId)
    if (target !== undefined && make !== undefined && Object.keys(subscription.headers).length > 0) {
      ofSubscriptions.set(subscription.id, make({ ...target.endpoint.headers, ...subscription.headers }))
    }
  }
  return {
    tenant: routing.tenant,
    version: routing.version,
    size:
      1 +
      routing.endpoints.length +
      routing.subscriptions.length +
      routing.credentials.length +
      routing.eventTypes.length,
    targets,
    targetOf: (subscriptionId, targetId) =>
      ofSubscriptions.get(subscriptionId ?? '') ?? targets.get(targetId),
    credentials: new Map(routing.credentials.map((credential) => [credential.id, credential])),
    fanOut,
    breaker: findBreaker({ tenant: routing.tenant?.settings, server: options.breaker }),
    told,
    eventTypes:
      routing.eventTypes.length === 0 ? null : new Map(routing.eventTypes.map((type) => [type.name, type])),
    filters: FilterSet.of(routing.subscriptions),
    policyOf: (subscriptionId, endpointId = null) =>
      policies.get(subscriptionId ?? '') ?? policyOfEndpoint.get(endpointId ?? '') ?? defaultPolicy,
  }
}

interface TargetParts extends Pick<EndpointTarget, 'endpoint' | 'weight' | 'breaker' | 'told'> {
  readonly authorizedDomains: readonly string[]
  readonly sealed: Routing['secrets']
}

/** Of the headers that its requests get, because subscriptions have some of their own. */
function targetMaker(
  parts: TargetParts,
  options: RoutingCacheOptions,
): (headers: Endpoint['headers']) => EndpointTarget {
  const { secretBox } = options
  const { endpoint, weight, authorizedDomains, breaker, told, sealed } = parts
  let opened: ((time: StoreTime) => SigningSecrets) | null = null
  // Opened on first use: a tenant with ten thousand endpoints sends to few of them at a time.
  const secrets = (time: StoreTime): SigningSecrets => {
    opened ??= openSecrets(sealed, secretBox)
    return opened(time)
  }
  const { id, url, sealedUrl } = endpoint
  const openAddress = () => (sealedUrl === null ? url : secretBox.open(sealedUrl, urlContext(id)))
  return (headers) => {
    const own = { endpoint: { ...endpoint, headers }, authorizedDomains, secrets, openAddress }
    const destination = prepareDestination(own, options.kinds ?? kinds)
    return { id, endpoint, weight, breaker, told, destination }
  }
}

/** One endpoint that this version does not know what to do with keeps no other of the tenant from its events. */
function prepareDestination(parts: EndpointParts, known: Kinds): Destination {
  const { kind, id } = parts.endpoint
  try {
    const found = Object.hasOwn(known, kind) ? known[kind] : undefined
    if (found !== undefined) return found.prepare(parts)
    return unusable(`this version of Outhook knows no endpoints of the kind ${JSON.stringify(kind)}`)
  } catch (error) {
    return unusable(`the endpoint ${id} cannot be used: ${(error as Error).message}`)
  }
}

function unusable(fault: string): Destination {
  return { label: 'unknown', refusal: null, timeoutMs: null, attempt: () => Promise.reject(new Error(fault)) }
}

interface OpenedSecret extends Pick<SealedSecret, 'expiresAt' | 'primarySince'> {
  readonly prepared: PreparedSecret
}

function openSecrets(sealed: Routing['secrets'], secretBox: SecretBox): (time: StoreTime) => SigningSecrets {
  const opened = sealed.map(({ endpointId, sealed: bytes, expiresAt, primarySince }) => ({
    prepared: prepareSecret(secretBox.open(bytes, endpointId)),
    expiresAt,
    primarySince,
  }))
  const all = toSigningSecrets(opened)
  if (opened.every(({ expiresAt }) => expiresAt === null)) return () => all
  return (time) =>
    toSigningSecrets(
      opened.filter(
        ({ expiresAt }) => expiresAt === null || expiresAt > agedNow(time.line, expiresAt, time.now()),
      ),
    )
}

function toSigningSecrets(active: readonly OpenedSecret[]): SigningSecrets {
  return { active: active.map(({ prepared }) => prepared), primary: primaryOf(active)?.prepared }
}
