/** What an endpoint names of its tenant's credentials. */
import type { Endpoint } from '../../../core/model.ts'
import { endpointSettings } from '../../config-columns.ts'
import type { CredentialMissing } from '../../port.ts'
import type { Context } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { hasCredential } from './credentials.ts'

export function settingsOf(
  endpoint: Parameters<typeof endpointSettings>[0] & Pick<Endpoint, 'credentialId'>,
) {
  const { credentialId } = endpoint
  return {
    ...endpointSettings(endpoint),
    credential_id: credentialId === null ? null : uuidOfId(credentialId),
  }
}

/** After the lock on the tenant's row, which whoever deletes a credential takes first: it is there from here on, or is not. */
export async function missingCredential(
  context: Context,
  tenantId: string,
  credentialId: string | null,
): Promise<CredentialMissing | null> {
  if (credentialId === null || (await hasCredential(context, tenantId, credentialId))) return null
  return { kind: 'credential_missing', credentialId }
}
