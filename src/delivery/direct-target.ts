/** Where a direct send goes: as it was frozen, and signed with what its endpoint has now. */

import { type DirectRequest, maxInFlightToOrigin } from '../core/direct-request.ts'
import { refuseDomain } from '../core/domains.ts'
import { defaultTenantSettings } from '../core/tenant.ts'
import type { ClaimedDelivery } from '../store/port.ts'
import type { Target, TenantRouting } from './routing-cache.ts'

/** To a URL nobody has a secret, so it goes unsigned. */
const ofUrl = {
  endpoint: { maxInFlight: maxInFlightToOrigin, rateLimitRps: null },
  signingSchemes: [],
  credentialId: null,
  secrets: () => ({ active: [], primary: undefined }),
} as const

/** Undefined: its endpoint is not in the routing. */
export function directTarget(
  { targetId, endpointId }: Pick<ClaimedDelivery, 'targetId' | 'endpointId'>,
  request: DirectRequest,
  routing: Pick<TenantRouting, 'targets' | 'tenant'>,
): Target | undefined {
  const known = endpointId === null ? ofUrl : routing.targets.get(endpointId)
  if (known === undefined) return undefined
  const { endpoint, signingSchemes, secrets } = known
  const weight = routing.tenant?.settings.weight ?? defaultTenantSettings.weight
  const { method, headers, timeoutMs } = request
  const isSameUrl = 'destination' in known && known.destination.url.href === request.url
  const destination = isSameUrl ? known.destination : { kind: 'http' as const, url: new URL(request.url) }
  return {
    id: targetId,
    endpoint,
    weight,
    destination,
    refusal: refuseDomain(destination.url, routing.tenant?.settings.authorizedDomains ?? []),
    method,
    headers,
    timeoutMs,
    signingSchemes,
    credentialId: request.credentialId ?? known.credentialId,
    secrets,
  }
}
