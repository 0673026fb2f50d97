import type { Static } from 'typebox'
import { describeCertificate } from '../../core/certificate.ts'
import { type Credential, type CredentialSettings, defaultApiKeyHeader } from '../../core/credential.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { CredentialBody } from '../schemas/credentials.ts'

export function toCredential(credential: Credential): Static<typeof CredentialBody> {
  const { kind, settings, authorizedHosts } = credential
  const headerName = settings.headerName ?? (kind === 'api_key' ? defaultApiKeyHeader : undefined)
  return {
    id: credential.id,
    tenant_id: credential.tenantId,
    name: credential.name,
    description: credential.description,
    kind,
    active: credential.active,
    authorized_hosts: authorizedHosts === null ? null : [...authorizedHosts],
    ...(headerName !== undefined && { header_name: headerName }),
    ...(settings.username !== undefined && { username: settings.username }),
    ...(settings.certificate !== undefined && certificateMembers(settings.certificate)),
    ...(settings.ca !== undefined && { ca: settings.ca }),
    ...(kind === 'oauth2_client_credentials' && tokenMembers(settings)),
    secret_hint: credential.secretHint,
    created_at: formatTime(credential.createdAt),
    updated_at: formatTime(credential.updatedAt),
    last_used_at: formatOptionalTime(credential.lastUsedAt),
    version: credential.version,
  }
}

function tokenMembers({
  tokenUrl = '',
  clientId = '',
  scope,
  audience,
  authStyle = 'basic',
}: CredentialSettings) {
  return {
    token_url: tokenUrl,
    client_id: clientId,
    ...(scope !== undefined && { scope }),
    ...(audience !== undefined && { audience }),
    auth_style: authStyle,
  }
}

function certificateMembers(certificate: string) {
  const facts = describeCertificate(certificate)
  if (facts === null) return { certificate }
  const { subject, issuer, fingerprint, notAfter } = facts
  return { certificate, subject, issuer, fingerprint, not_after: formatTime(notAfter) }
}
