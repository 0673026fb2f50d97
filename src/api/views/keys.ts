import type { Static } from 'typebox'
import type { ApiKey } from '../../core/model.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { AdminTokenBody } from '../schemas/admin-tokens.ts'
import type { KeyBody } from '../schemas/keys.ts'

export function toKey(key: ApiKey): Static<typeof KeyBody> {
  return {
    id: key.id,
    tenant_id: key.tenantId,
    kind: key.kind,
    name: key.name,
    scopes: [...key.scopes],
    abilities: [...key.abilities],
    rate_limit_rps: key.rateLimitRps,
    ...timesOf(key),
  }
}

export function toAdminToken(key: ApiKey): Static<typeof AdminTokenBody> {
  return {
    id: key.id,
    role: key.role ?? 'viewer',
    label: key.name,
    tenant_id: key.tenantId,
    ...timesOf(key),
  }
}

function timesOf({ createdAt, expiresAt, lastUsedAt, revokedAt, version }: ApiKey) {
  return {
    created_at: formatTime(createdAt),
    expires_at: formatOptionalTime(expiresAt),
    last_used_at: formatOptionalTime(lastUsedAt),
    revoked_at: formatOptionalTime(revokedAt),
    version,
  }
}
