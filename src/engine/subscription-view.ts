/** A subscription as its users see it: with the retry policy that is in force, and whose it is. */
import type { Subscription } from '../core/model.ts'
import type { RetryPolicies } from '../core/retry-policies.ts'
import type { EffectiveRetryPolicy } from '../core/retry-policy.ts'
import type { ConfigStore, TenantStore } from '../store/port.ts'
import { findTenantPolicy } from './endpoint-view.ts'

export interface SubscriptionView extends Subscription {
  /** Of the subscription, the endpoint, the tenant and the server the nearest that has one. */
  readonly effectiveRetryPolicy: EffectiveRetryPolicy
}

export interface SubscriptionViewing {
  readonly store: Pick<ConfigStore, 'getEndpoint'> & Pick<TenantStore, 'getTenant'>
  readonly retryPolicies: RetryPolicies
}

/** In the order given, all of one tenant. */
export async function viewSubscriptions(
  { store, retryPolicies }: SubscriptionViewing,
  subscriptions: readonly Subscription[],
): Promise<readonly SubscriptionView[]> {
  const [first] = subscriptions
  if (first === undefined) return []
  const { tenantId } = first
  const tenant = await findTenantPolicy(store, tenantId)
  const endpointIds = new Set(subscriptions.map(({ endpointId }) => endpointId))
  const policies = new Map(
    await Promise.all(
      Array.from(endpointIds, async (id) => {
        const endpoint = await store.getEndpoint(tenantId, id, { includeDeleted: true })
        return [id, endpoint?.retryPolicy ?? null] as const
      }),
    ),
  )
  return subscriptions.map((subscription) => ({
    ...subscription,
    effectiveRetryPolicy: retryPolicies.findEffective({
      subscription: subscription.retryPolicy,
      endpoint: policies.get(subscription.endpointId) ?? null,
      tenant,
    }),
  }))
}
