/** Whose objects a request is about. */
import type { FastifyRequest } from 'fastify'
import { defaultTenantId } from '../core/model.ts'
import type { Principal } from '../engine/api-keys.ts'
import { principalOf } from './auth.ts'

/** On a route that is not open. */
export function tenantIdOf(request: FastifyRequest): string {
  return tenantOfPrincipal(principalOf(request))
}

/** Where the request names no tenant. */
export function tenantOfPrincipal({ tenantId }: Principal): string {
  return tenantId ?? defaultTenantId
}
