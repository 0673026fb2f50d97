/** Whether an endpoint's credentials go together, and may be sent to its URL. Each attempt looks again. */
import { type Credential, pairProblem, refuseHost } from '../core/credential.ts'
import { OuthookError } from '../core/errors.ts'
import type { CredentialStore } from '../store/port.ts'

export interface EndpointCredentials {
  readonly url: string
  readonly moreUrls?: readonly string[]
  readonly credentialId?: string | null
  readonly clientCertificateId?: string | null
}

export interface CredentialsContext {
  readonly store: Pick<CredentialStore, 'getCredential'>
  readonly tenantId: string
}

/** Throws `unprocessable`. That there is no such credential the store finds, in the transaction of the change. */
export async function checkEndpointCredentials(
  { url, moreUrls = [], credentialId = null, clientCertificateId = null }: EndpointCredentials,
  { store, tenantId }: CredentialsContext,
): Promise<void> {
  const find = async (id: string | null): Promise<Credential | null> =>
    id === null ? null : store.getCredential(tenantId, id)
  const credential = await find(credentialId)
  const certificate = await find(clientCertificateId)
  const problem = certificate === null ? null : pairProblem(certificate, credential)
  if (problem !== null) throw new OuthookError('unprocessable', problem)
  for (const each of [credential, certificate]) {
    for (const text of each === null ? [] : [url, ...moreUrls]) {
      const refusal = refuseHost(each as Credential, new URL(text))
      if (refusal !== null) throw new OuthookError('unprocessable', refusal)
    }
  }
}
