import { idPrefixes } from '../../../core/ids.ts'
import type { SealedSecret } from '../../../core/model.ts'
import { primaryOf } from '../../../core/signing-secrets.ts'
import { bytesOfId } from '../../cursors.ts'
import { maxActiveSecrets, type NewSecret, type PrimaryChange } from '../../port.ts'
import { type SecretRow, toSecret } from '../../rows.ts'
import { listSecrets } from '../read/secrets.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { readEndpoint } from './endpoints.ts'
import { insertSecret } from './insert-secret.ts'
import { raiseRoutingVersion } from './routing-version.ts'

export interface Rotation {
  readonly secret: NewSecret
  readonly graceMs: number
}

export function rotateSecret(
  context: WriteContext,
  tenantId: string,
  endpointId: string,
  { secret, graceMs }: Rotation,
): boolean | 'too_many' {
  const row = readEndpoint(context, tenantId, endpointId)
  if (row === null) return false
  if (graceMs > 0 && countActive(context, row.id) >= maxActiveSecrets) return 'too_many'
  const expiresAt = context.now + graceMs
  context
    .prepare(
      // endpoint_secrets_endpoint
      'update endpoint_secrets set expires_at = ? where endpoint_id = ? and (expires_at is null or expires_at > ?)',
    )
    .run(expiresAt, row.id, expiresAt)
  insertSecret(context, endpointId, secret)
  raiseRoutingVersion(context, tenantId)
  return true
}

function countActive(context: WriteContext, endpoint: Uint8Array): number {
  const row = context
    .prepare<{ readonly active: number }>(
      // endpoint_secrets_endpoint
      `select count(*) as active from endpoint_secrets
       where endpoint_id = ? and (expires_at is null or expires_at > ?)`,
    )
    .get(endpoint, context.now)
  return row?.active ?? 0
}

export function setPrimarySecret(
  context: WriteContext,
  tenantId: string,
  endpointId: string,
  secretId: string,
): PrimaryChange {
  const row = findActive(context, tenantId, { endpointId, secretId })
  if (row === null) return { kind: 'not_found' }
  const active = listSecrets(context, tenantId, endpointId) ?? []
  if (primaryOf(active)?.id === secretId) return { kind: 'was_primary' }
  context
    .prepare(
      // endpoint_secrets_endpoint
      'update endpoint_secrets set primary_since = case when id = ? then ? end where endpoint_id = ?',
    )
    .run(row.id, context.now, row.endpoint_id)
  raiseRoutingVersion(context, tenantId)
  return { kind: 'made_primary' }
}

export function noteReveal(
  context: WriteContext,
  tenantId: string,
  { endpointId, secretId, by }: SecretOf & { readonly by: string | null },
): SealedSecret | null {
  const row = findActive(context, tenantId, { endpointId, secretId })
  if (row === null) return null
  const noted = context
    .prepare<SecretRow>(
      `update endpoint_secrets set reveals = reveals + 1, revealed_at = ?, revealed_by = ? where id = ? returning *`,
    )
    .get(context.now, by, row.id)
  return noted === undefined ? null : toSecret(noted)
}

interface SecretOf {
  readonly endpointId: string
  readonly secretId: string
}

function findActive(
  context: WriteContext,
  tenantId: string,
  { endpointId, secretId }: SecretOf,
): SecretRow | null {
  const id = bytesOfId(idPrefixes.secret, secretId)
  const endpoint = id === null ? null : readEndpoint(context, tenantId, endpointId)
  if (endpoint === null) return null
  const row = context
    .prepare<SecretRow>(
      'select * from endpoint_secrets where id = ? and endpoint_id = ? and (expires_at is null or expires_at > ?)',
    )
    .get(id, endpoint.id, context.now)
  return row ?? null
}
