import type { Static } from 'typebox'
import type { ApiKey } from '../../core/model.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { KeyBody } from '../schemas/keys.ts'

export function toKey(key: ApiKey): Static<typeof KeyBody> {
  return {
    id: key.id,
    kind: key.kind,
    name: key.name,
    scopes: [...key.scopes],
    created_at: formatTime(key.createdAt),
    revoked_at: formatOptionalTime(key.revokedAt),
  }
}
