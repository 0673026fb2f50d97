/** Where a direct send goes: as it was frozen, with what its endpoint has now. */

import { type DirectRequest, maxInFlightToOrigin } from '../core/direct-request.ts'
import { defaultTenantSettings } from '../core/tenant.ts'
import { directKind } from '../destinations/kinds.ts'
import type { ClaimedDelivery } from '../store/port.ts'
import type { Target, TenantRouting } from './routing-cache.ts'

const ofUrl = {
  endpoint: { maxInFlight: maxInFlightToOrigin, rateLimitRps: null },
  destination: null,
} as const

/** Undefined: its endpoint is not in the routing. */
export function directTarget(
  { targetId, endpointId }: Pick<ClaimedDelivery, 'targetId' | 'endpointId'>,
  request: DirectRequest,
  routing: Pick<TenantRouting, 'targets' | 'tenant' | 'breaker' | 'told'>,
): Target | undefined {
  const known = endpointId === null ? ofUrl : routing.targets.get(endpointId)
  if (known === undefined) return undefined
  const { weight, authorizedDomains } = routing.tenant?.settings ?? defaultTenantSettings
  return {
    id: targetId,
    endpoint: known.endpoint,
    weight,
    breaker: 'breaker' in known ? known.breaker : routing.breaker,
    told: routing.told,
    destination: directKind.prepareDirect(request, known.destination, authorizedDomains),
  }
}
