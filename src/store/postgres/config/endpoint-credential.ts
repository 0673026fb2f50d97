/** What an endpoint names of its tenant's credentials. */
import type { Endpoint } from '../../../core/model.ts'
import { endpointSettings } from '../../config-columns.ts'
import type { CredentialMissing, EndpointPatch } from '../../port.ts'
import type { Context } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { hasCredential } from './credentials.ts'

export function settingsOf(
  endpoint: Parameters<typeof endpointSettings>[0] & Pick<Endpoint, 'credentialId' | 'clientCertificateId'>,
) {
  const uuidOf = (id: string | null) => (id === null ? null : uuidOfId(id))
  return {
    ...endpointSettings(endpoint),
    credential_id: uuidOf(endpoint.credentialId),
    client_certificate_id: uuidOf(endpoint.clientCertificateId),
  }
}

/** After the lock on the tenant's row, which whoever deletes a credential takes first: it is there from here on, or is not. */
export async function missingCredential(
  context: Context,
  tenantId: string,
  {
    credentialId = null,
    clientCertificateId = null,
  }: Pick<EndpointPatch, 'credentialId' | 'clientCertificateId'>,
): Promise<CredentialMissing | null> {
  for (const id of [credentialId, clientCertificateId]) {
    if (id !== null && !(await hasCredential(context, tenantId, id))) {
      return { kind: 'credential_missing', credentialId: id }
    }
  }
  return null
}
