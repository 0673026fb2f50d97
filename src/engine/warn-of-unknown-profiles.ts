import type { Logger } from '../core/logger.ts'
import type { RetryPolicies } from '../core/retry-policies.ts'
import type { ConfigStore } from '../store/port.ts'

/** One line for each name in the store that this process does not know; what names it goes by the next policy. */
export async function warnOfUnknownProfiles(
  store: Pick<ConfigStore, 'countRetryProfiles'>,
  policies: RetryPolicies,
  logger: Logger,
): Promise<void> {
  for (const { name, tenants, endpoints, subscriptions } of await store.countRetryProfiles()) {
    if (policies.knows(name)) continue
    logger.warn(
      { profile: name, tenants, endpoints, subscriptions },
      'a retry profile that the store names is not in the configuration: what names it goes by the next policy, of endpoint, tenant or server; put it back into retry-profiles, or change what names it',
    )
  }
}
