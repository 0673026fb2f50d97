/**
 * A tenant's endpoints and subscriptions, compiled for fan-out and dispatch.
 *
 * The cache may be stale and says so by its version: an insert names the version it was planned with, the
 * store refuses an old one, and the publisher loads again. Every change made in this process drops the entry; of a
 * change made in another one this process is told by a hint, and failing that learns by the versions that a claim
 * brings. A claim cancels or parks what no longer lives.
 */
import type { Endpoint, Subscription } from '../core/model.ts'
import { type RetryPolicy, resolveRetryPolicy } from '../core/retry-policy.ts'
import type { SecretBox } from '../core/secret-box.ts'
import { type PreparedSecret, prepareSecret } from '../core/signing.ts'
import { agedNow } from '../core/time-line.ts'
import { compileTopicPatterns, type TopicIndex } from '../core/topics.ts'
import type { Destination } from '../sender/port.ts'
import type { Routing, StoreTime } from '../store/port.ts'

export interface TenantRouting {
  readonly version: number
  readonly targets: ReadonlyMap<string, Target>
  readonly fanOut: TopicIndex<Subscription>
  /** The policy of a subscription; the default one when the subscription is gone or null. */
  policyOf(subscriptionId: string | null): RetryPolicy
}

/** Where deliveries go: an endpoint with what an attempt needs, made once per load. */
export interface Target {
  readonly id: string
  readonly endpoint: Endpoint
  readonly destination: Destination
  /** Unexpired secrets, newest first. Throws when one cannot be opened. */
  secrets(time: StoreTime): readonly PreparedSecret[]
}

export interface RoutingCacheOptions {
  readonly load: (tenantId: string) => Promise<Routing>
  readonly secretBox: SecretBox
  readonly defaultPolicy: RetryPolicy
}

export class RoutingCache {
  readonly #options: RoutingCacheOptions
  readonly #loaded = new Map<string, TenantRouting>()
  readonly #loading = new Map<string, Promise<TenantRouting>>()

  constructor(options: RoutingCacheOptions) {
    this.#options = options
  }

  /** What is cached; undefined when nothing is. */
  peek(tenantId: string): TenantRouting | undefined {
    return this.#loaded.get(tenantId)
  }

  /** The cached routing, or one load shared by all who wait for it. */
  get(tenantId: string): Promise<TenantRouting> | TenantRouting {
    return this.#loaded.get(tenantId) ?? this.#loading.get(tenantId) ?? this.#load(tenantId)
  }

  /** Forgets a tenant (null: all); a load that is under way is not kept either, for it may have read the old state. */
  invalidate(tenantId: string | null): void {
    for (const cache of [this.#loaded, this.#loading]) {
      if (tenantId === null) cache.clear()
      else cache.delete(tenantId)
    }
  }

  /** Forgets what is older than these versions by tenant: another process has changed it since. */
  dropOlder(versions: ReadonlyMap<string, number>): void {
    for (const [tenantId, version] of versions) {
      const known = this.#loaded.get(tenantId)
      if (known !== undefined && known.version < version) this.invalidate(tenantId)
    }
  }

  async #load(tenantId: string): Promise<TenantRouting> {
    const loading = this.#options.load(tenantId).then((routing) => compileRouting(routing, this.#options))
    this.#loading.set(tenantId, loading)
    try {
      const routing = await loading
      if (this.#loading.get(tenantId) === loading) this.#loaded.set(tenantId, routing)
      return routing
    } finally {
      if (this.#loading.get(tenantId) === loading) this.#loading.delete(tenantId)
    }
  }
}

function compileRouting(routing: Routing, options: RoutingCacheOptions): TenantRouting {
  const sealedOf = Map.groupBy(routing.secrets, (secret) => secret.endpointId)
  const targets = new Map<string, Target>()
  for (const endpoint of routing.endpoints) {
    targets.set(endpoint.id, createTarget(endpoint, sealedOf.get(endpoint.id) ?? [], options.secretBox))
  }
  const policies = new Map<string, RetryPolicy>()
  const live = []
  for (const subscription of routing.subscriptions) {
    policies.set(subscription.id, resolveRetryPolicy(subscription.retryPolicy, options.defaultPolicy))
    if (subscription.active) live.push({ patterns: subscription.topicPatterns, value: subscription })
  }
  return {
    version: routing.version,
    targets,
    fanOut: compileTopicPatterns(live),
    policyOf: (subscriptionId) => policies.get(subscriptionId ?? '') ?? options.defaultPolicy,
  }
}

function createTarget(endpoint: Endpoint, sealed: Routing['secrets'], secretBox: SecretBox): Target {
  // Opened on first use: a tenant with ten thousand endpoints sends to few of them at a time.
  let opened: { readonly secret: PreparedSecret; readonly expiresAt: number | null }[] | null = null
  return {
    id: endpoint.id,
    endpoint,
    destination: { kind: 'http', url: new URL(endpoint.url) },
    secrets(time) {
      opened ??= sealed.map((entry) => ({
        secret: prepareSecret(secretBox.open(entry.sealed, entry.endpointId)),
        expiresAt: entry.expiresAt,
      }))
      return opened
        .filter(
          ({ expiresAt }) => expiresAt === null || expiresAt > agedNow(time.line, expiresAt, time.now()),
        )
        .map((entry) => entry.secret)
    },
  }
}
