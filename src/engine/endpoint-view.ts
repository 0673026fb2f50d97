/** An endpoint as its users see it: with its subscriptions, and with what holds it back just now. */
import type { BreakerPolicy } from '../core/endpoint-health.ts'
import { type EffectiveHealth, findEffectiveHealth } from '../core/health-policy.ts'
import type { Endpoint, Subscription } from '../core/model.ts'
import type { RetryPolicies } from '../core/retry-policies.ts'
import type { EffectiveRetryPolicy } from '../core/retry-policy.ts'
import type { ConfigStore, HeldEndpoint, Page, TenantStore } from '../store/port.ts'

/** `paused`: by the breaker, after failures, until `resumesAt`; or by hand, until it is resumed. `throttled`: the receiver asked for less. `disabled`: until it is enabled. */
export type EndpointState = 'active' | 'paused' | 'throttled' | 'disabled'

export interface EndpointView extends Omit<Endpoint, 'moreUrls' | 'sealedUrl'> {
  /** Its whole pool; `url` is the first of it. */
  readonly urls: readonly string[]
  readonly state: EndpointState
  /** When a paused or throttled endpoint is sent to again; null for others, and for one that is paused by hand. Milliseconds since the epoch. */
  readonly resumesAt: number | null
  /** Since when no request to it has succeeded; null: nothing has failed since one did. Milliseconds since the epoch. */
  readonly failingSince: number | null
  /** Transport failures in a row, which the breaker counts. */
  readonly consecutiveFailures: number
  /** Its deliveries in flight, from all processes together. */
  readonly inFlight: number
  /** Subscriptions that send it events, its own included. With none it gets no events. */
  readonly subscriptionCount: number
  /** Patterns of the endpoint's own subscription; null when it has none. */
  readonly topics: readonly string[] | null
  /** Of the endpoint's own subscription; null: payloads may be anything. */
  readonly filter: Subscription['filter']
  /** Of its subscriptions that have none of their own, and of direct sends to it. */
  readonly effectiveRetryPolicy: EffectiveRetryPolicy
  /** When it is paused and disabled for failing, and who says so. Durations in milliseconds. */
  readonly effectiveHealth: EffectiveHealth
}

export interface CreatedEndpoint {
  readonly endpoint: EndpointView
  /** To be kept; afterwards only `revealSecret` shows it. Empty where the kind signs nothing. */
  readonly secret: string
  /** What receivers verify an ed25519 secret with; null for an HMAC. */
  readonly publicKey: string | null
}

export interface UpsertedEndpoint {
  readonly endpoint: EndpointView
  readonly created: boolean
  /** Only when created. */
  readonly secret: string | null
  readonly publicKey: string | null
}

export interface EndpointViewing {
  readonly store: Pick<
    ConfigStore,
    'countInFlight' | 'listFailing' | 'listHeldEndpoints' | 'listSubscriptions'
  > &
    Pick<TenantStore, 'getTenant'>
  readonly retryPolicies: RetryPolicies
  readonly serverBreaker: BreakerPolicy
}

export async function findTenantPolicy(store: Pick<TenantStore, 'getTenant'>, tenantId: string) {
  return (await store.getTenant(tenantId))?.settings.retryPolicy ?? null
}

/** In the order given, all of one tenant. */
export async function viewEndpoints(
  { store, retryPolicies, serverBreaker }: EndpointViewing,
  endpoints: readonly Endpoint[],
): Promise<EndpointView[]> {
  const ids = endpoints.map(({ id }) => id)
  const [first] = endpoints
  if (first === undefined) return []
  const tenant = (await store.getTenant(first.tenantId))?.settings
  const [held, failing, inFlight] = await Promise.all([
    store.listHeldEndpoints(ids),
    store.listFailing(ids),
    store.countInFlight(first.tenantId, ids),
  ])
  const holdById = new Map(held.map((hold) => [hold.endpointId, hold]))
  const failingById = new Map(failing.map((each) => [each.endpointId, each]))
  return Promise.all(
    endpoints.map(async ({ moreUrls, sealedUrl: _sealed, ...endpoint }) => {
      const { own, active } = await findSubscriptions(store, endpoint)
      return {
        ...endpoint,
        urls: [endpoint.url, ...moreUrls],
        ...stateOf(endpoint, holdById.get(endpoint.id)),
        failingSince: failingById.get(endpoint.id)?.failingSince ?? null,
        consecutiveFailures: failingById.get(endpoint.id)?.consecutiveFailures ?? 0,
        inFlight: inFlight.get(endpoint.id) ?? 0,
        topics: own?.topicPatterns ?? null,
        filter: own?.filter ?? null,
        effectiveRetryPolicy: retryPolicies.findEffective({
          endpoint: endpoint.retryPolicy,
          tenant: tenant?.retryPolicy ?? null,
        }),
        effectiveHealth: findEffectiveHealth({ endpoint, tenant, server: serverBreaker }),
        subscriptionCount: active,
      }
    }),
  )
}

function stateOf(
  { disabledReason }: Pick<Endpoint, 'disabledReason'>,
  hold: HeldEndpoint | undefined,
): Pick<EndpointView, 'state' | 'resumesAt'> {
  if (disabledReason === 'paused') return { state: 'paused', resumesAt: null }
  if (disabledReason !== null) return { state: 'disabled', resumesAt: null }
  return hold === undefined
    ? { state: 'active', resumesAt: null }
    : { state: hold.state, resumesAt: hold.until }
}

async function findSubscriptions(
  store: Pick<ConfigStore, 'listSubscriptions'>,
  { id, tenantId }: Pick<Endpoint, 'id' | 'tenantId'>,
): Promise<{ readonly own: Subscription | null; readonly active: number }> {
  let own: Subscription | null = null
  let active = 0
  let cursor: string | null = null
  do {
    const page: Page<Subscription> = await store.listSubscriptions(tenantId, {
      endpointId: id,
      limit: 200,
      cursor,
    })
    own ??= page.items.find((subscription) => subscription.own) ?? null
    active += page.items.filter((subscription) => subscription.active).length
    cursor = page.nextCursor
  } while (cursor !== '')
  return { own, active }
}
