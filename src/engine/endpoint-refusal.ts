import { OuthookError } from '../core/errors.ts'
import type { CredentialMissing, EndpointLimit, TenantDeleted } from '../store/port.ts'

/** @param member what the caller calls the credential's id */
export function refuseCredential({ credentialId }: CredentialMissing, member: string): OuthookError {
  return new OuthookError(
    'unprocessable',
    `${member} names ${credentialId}, which the tenant does not have; make the credential first`,
  )
}

/** Why the tenant gets no other endpoint. */
export function refuseEndpoint(why: EndpointLimit | TenantDeleted): OuthookError {
  if (why.kind === 'tenant_deleted') {
    return new OuthookError('not_found', 'the tenant was deleted and takes no more endpoints', {
      title: 'tenant not found',
    })
  }
  const { maxEndpoints } = why
  return new OuthookError(
    'conflict',
    `the tenant has ${maxEndpoints} endpoints, as many as it may have; delete one, or raise its limit`,
    { title: 'too many endpoints' },
  )
}
