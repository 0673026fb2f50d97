import { idPrefixes } from '../../../core/ids.ts'
import type { ApiKey } from '../../../core/model.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { FoundApiKey, KeyOwner, Page, PageRequest } from '../../port.ts'
import { type ApiKeyRow, type FoundApiKeyRow, toApiKey, toFoundApiKey } from '../../rows.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { optionalUuid, uuid, uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'

export const apiKeyColumns =
  'id, tenant_id, kind, role, name, scopes, abilities, rate_limit_rps, created_at, expires_at, last_used_at, revoked_at'

export function optionalUuidOfId(id: string | null): string | null {
  return id === null ? null : uuidOfId(id)
}

/** Null: the text is no id of that kind. */
export function ownedBy({ kind, tenantId }: KeyOwner, id: string) {
  const prefix = kind === 'admin' ? idPrefixes.adminToken : idPrefixes.producerKey
  const bytes = bytesOfId(prefix, id)
  return bytes && { id: uuid(bytes), kind, tenant: optionalUuidOfId(tenantId) }
}

export async function getApiKey(context: Context, owner: KeyOwner, id: string): Promise<ApiKey | null> {
  const values = ownedBy(owner, id)
  if (values === null) return null
  const [row] = await run(context, getApiKeyStatement, values)
  return row === undefined ? null : toApiKey(row)
}

const getApiKeyStatement = query<ApiKeyRow>()(
  'get_api_key',
  { id: 'uuid', kind: 'text', tenant: 'uuid' },
  `select ${apiKeyColumns} from api_keys
     where id = $id and kind = $kind and ($tenant is null or tenant_id = $tenant)`,
)

export async function listApiKeys(
  context: Context,
  { kind, tenantId }: KeyOwner,
  page: PageRequest,
): Promise<Page<ApiKey>> {
  const { limit, before } = readPageRequest(page)
  const [compare, order] = kind === 'admin' ? ['>', 'asc'] : ['<', 'desc']
  // api_keys_tenant, or api_keys_kind
  const where = new Conditions()
    .give('kind', 'text', kind)
    .give('rows', 'bigint', limit + 1)
    .add(`id ${compare} $before`, 'before', 'uuid', optionalUuid(before))
    .add('tenant_id = $tenant', 'tenant', 'uuid', optionalUuidOfId(tenantId))
  const rows = await where.read<ApiKeyRow>(
    context,
    `select ${apiKeyColumns} from api_keys where kind = $kind${where.sql} order by id ${order} limit $rows`,
  )
  return toPage(rows, limit, toApiKey)
}

export async function findApiKeys(
  context: Context,
  hashes: readonly Uint8Array[],
): Promise<readonly (FoundApiKey | null)[]> {
  const found: (FoundApiKey | null)[] = hashes.map(() => null)
  const texts = hashes.map((hash) => Buffer.from(hash).toString('hex'))
  for (const row of await run(context, findApiKeysStatement, { hashes: texts })) {
    found[row.place - 1] = toFoundApiKey(row)
  }
  return found
}

const findApiKeysStatement = query<FoundApiKeyRow & { readonly place: number }>()(
  'find_api_keys',
  { hashes: 'text[]' },
  // api_key_hashes_pkey, api_keys_pkey
  `select given.place, found.* from unnest($hashes) with ordinality as given(hash, place)
   cross join lateral (
     select k.*, h.expires_at as hash_expires_at
     from api_key_hashes h
     cross join lateral (select ${apiKeyColumns} from api_keys where id = h.key_id limit 1) k
     where h.hash = decode(given.hash, 'hex') and k.revoked_at is null
       and (k.expires_at is null or k.expires_at > ${now}) and (h.expires_at is null or h.expires_at > ${now})
     limit 1
   ) found`,
)
