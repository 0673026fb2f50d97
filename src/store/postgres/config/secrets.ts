import { idPrefixes } from '../../../core/ids.ts'
import type { SealedSecret } from '../../../core/model.ts'
import { primaryOf } from '../../../core/signing-secrets.ts'
import { bytesOfId } from '../../cursors.ts'
import { maxActiveSecrets, type NewSecret, type PrimaryChange } from '../../port.ts'
import { type SecretRow, toSecret } from '../../rows.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { beforeSkips, getEndpoint } from '../read/config.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { lockEndpoint } from './endpoints.ts'
import { insertSecret } from './insert-secret.ts'
import { raiseRoutingVersion } from './routing-version.ts'

const secretColumns =
  'id, endpoint_id, sealed, created_at, expires_at, primary_since, reveals, revealed_at, revealed_by'

export async function listSecrets(
  context: Context,
  tenantId: string,
  endpointId: string,
): Promise<readonly SealedSecret[] | null> {
  if ((await getEndpoint(context, tenantId, endpointId)) === null) return null
  const rows = await run(beforeSkips(context), listSecretsStatement, { endpoint: uuidOfId(endpointId) })
  return rows.map(toSecret)
}

const listSecretsStatement = query<SecretRow>()(
  'list_secrets',
  { endpoint: 'uuid' },
  // endpoint_secrets_endpoint
  `select ${secretColumns} from endpoint_secrets
     where endpoint_id = $endpoint and (expires_at is null or expires_at > ${now})
     order by expires_at is null desc, created_at desc, id desc`,
)

export interface Rotation {
  readonly secret: NewSecret
  readonly graceMs: number
}

export async function rotateSecret(
  context: Context,
  tenantId: string,
  endpointId: string,
  { secret, graceMs }: Rotation,
): Promise<boolean | 'too_many'> {
  const row = await lockEndpoint(context, tenantId, endpointId)
  if (row === null) return false
  const endpoint = uuid(row.id)
  const [count] = await run(context, countSecretsStatement, { endpoint })
  if (graceMs > 0 && (count?.active ?? 0) >= maxActiveSecrets) return 'too_many'
  await run(context, expireSecretsStatement, { endpoint, grace_ms: Math.round(graceMs) })
  await insertSecret(context, endpoint, secret)
  await raiseRoutingVersion(context, tenantId)
  return true
}

const countSecretsStatement = query<{ readonly active: number }>()(
  'count_secrets',
  { endpoint: 'uuid' },
  // endpoint_secrets_endpoint
  `select count(*)::integer as active from endpoint_secrets
     where endpoint_id = $endpoint and (expires_at is null or expires_at > ${now})`,
)

const expireSecretsStatement = command(
  'expire_secrets',
  { endpoint: 'uuid', grace_ms: 'bigint' },
  // endpoint_secrets_endpoint
  `update endpoint_secrets set expires_at = ${now} + $grace_ms
     where endpoint_id = $endpoint and (expires_at is null or expires_at > ${now} + $grace_ms)`,
)

export async function setPrimarySecret(
  context: Context,
  tenantId: string,
  endpointId: string,
  secretId: string,
): Promise<PrimaryChange> {
  const row = await findActive(context, tenantId, { endpointId, secretId })
  if (row === null) return { kind: 'not_found' }
  const active = (await listSecrets(context, tenantId, endpointId)) ?? []
  if (primaryOf(active)?.id === secretId) return { kind: 'was_primary' }
  await run(context, setPrimaryStatement, { id: uuid(row.id), endpoint: uuid(row.endpoint_id) })
  await raiseRoutingVersion(context, tenantId)
  return { kind: 'made_primary' }
}

const setPrimaryStatement = command(
  'set_primary_secret',
  { id: 'uuid', endpoint: 'uuid' },
  // endpoint_secrets_endpoint
  `update endpoint_secrets set primary_since = case when id = $id then ${now} end where endpoint_id = $endpoint`,
)

export interface SecretOf {
  readonly endpointId: string
  readonly secretId: string
}

export async function noteReveal(
  context: Context,
  tenantId: string,
  { by, ...secret }: SecretOf & { readonly by: string | null },
): Promise<SealedSecret | null> {
  const row = await findActive(context, tenantId, secret)
  if (row === null) return null
  const [noted] = await run(context, noteRevealStatement, { id: uuid(row.id), by })
  return noted === undefined ? null : toSecret(noted)
}

const noteRevealStatement = query<SecretRow>()(
  'note_reveal',
  { id: 'uuid', by: 'text' },
  `update endpoint_secrets set reveals = reveals + 1, revealed_at = ${now}, revealed_by = $by
     where id = $id returning ${secretColumns}`,
)

/** Under the lock of its endpoint. */
async function findActive(
  context: Context,
  tenantId: string,
  { endpointId, secretId }: SecretOf,
): Promise<SecretRow | null> {
  if (bytesOfId(idPrefixes.secret, secretId) === null) return null
  const endpoint = await lockEndpoint(context, tenantId, endpointId)
  if (endpoint === null) return null
  const [row] = await run(context, findActiveStatement, {
    id: uuidOfId(secretId),
    endpoint: uuid(endpoint.id),
  })
  return row ?? null
}

const findActiveStatement = query<SecretRow>()(
  'find_active_secret',
  { id: 'uuid', endpoint: 'uuid' },
  `select ${secretColumns} from endpoint_secrets
     where id = $id and endpoint_id = $endpoint and (expires_at is null or expires_at > ${now})`,
)
