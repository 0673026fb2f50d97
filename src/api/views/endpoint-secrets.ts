import type { Static } from 'typebox'
import type { PublicKey } from '../../core/signing-secrets.ts'
import type { EndpointSecret } from '../../engine/endpoint-secrets.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { EndpointSecretBody, PublicKeysBody } from '../schemas/endpoint-secrets.ts'

export function toEndpointSecret(secret: EndpointSecret): Static<typeof EndpointSecretBody> {
  return {
    id: secret.id,
    key_type: secret.keyType,
    public_key: secret.publicKey,
    primary: secret.primary,
    created_at: formatTime(secret.createdAt),
    expires_at: formatOptionalTime(secret.expiresAt),
    reveals: secret.reveals,
    revealed_at: formatOptionalTime(secret.revealedAt),
    revealed_by: secret.revealedBy,
  }
}

export function toPublicKeys(keys: readonly PublicKey[]): Static<typeof PublicKeysBody> {
  return {
    keys: keys.map(({ publicKey, expiresAt, ...key }) => ({
      ...key,
      public_key: publicKey,
      expires_at: formatOptionalTime(expiresAt),
    })),
  }
}
