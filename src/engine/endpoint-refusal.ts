import { refuseHost } from '../core/credential.ts'
import { OuthookError } from '../core/errors.ts'
import type { Endpoint } from '../core/model.ts'
import type { CredentialMissing, CredentialStore, EndpointLimit, TenantDeleted } from '../store/port.ts'

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

/** Throws when its credential may not be sent to its URL. It is looked at again at each attempt. */
export async function refuseForeignHost(
  store: Pick<CredentialStore, 'getCredential'>,
  { tenantId, url, credentialId }: Pick<Endpoint, 'tenantId' | 'url' | 'credentialId'>,
): Promise<void> {
  const credential = credentialId === null ? null : await store.getCredential(tenantId, credentialId)
  const refusal = credential === null ? null : refuseHost(credential, new URL(url))
  if (refusal !== null) throw new OuthookError('unprocessable', refusal)
}
