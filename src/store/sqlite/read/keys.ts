import { idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { ApiKey } from '../../../core/model.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { FoundApiKey, KeyOwner, Page, PageRequest } from '../../port.ts'
import { type ApiKeyRow, type FoundApiKeyRow, toApiKey, toFoundApiKey } from '../../rows.ts'
import type { ReadContext } from './context.ts'

export function getApiKey(context: ReadContext, { kind, tenantId }: KeyOwner, id: string): ApiKey | null {
  const prefix = kind === 'admin' ? idPrefixes.adminToken : idPrefixes.producerKey
  const bytes = bytesOfId(prefix, id)
  if (bytes === null) return null
  const tenant = tenantId === null ? null : idToBytes(tenantId)
  const row = context
    .prepare<ApiKeyRow>(
      'select * from api_keys where id = ?1 and kind = ?2 and (?3 is null or tenant_id = ?3)',
    )
    .get(bytes, kind, tenant)
  return row === undefined ? null : toApiKey(row)
}

export function listApiKeys(
  context: ReadContext,
  { kind, tenantId }: KeyOwner,
  page: PageRequest,
): Page<ApiKey> {
  const { limit, before } = readPageRequest(page)
  // api_keys_tenant, or api_keys_kind
  const ofTenant = tenantId === null ? '' : 'and tenant_id = ?4'
  const [compare, order] = kind === 'admin' ? ['>', 'asc'] : ['<', 'desc']
  const rows = context
    .prepare<ApiKeyRow>(
      `select * from api_keys where kind = ?1 and (?2 is null or id ${compare} ?2) ${ofTenant}
       order by id ${order} limit ?3`,
    )
    .all(kind, before, limit + 1, ...(tenantId === null ? [] : [idToBytes(tenantId)]))
  return toPage(rows, limit, toApiKey)
}

export function findApiKeys(
  context: ReadContext,
  hashes: readonly Uint8Array[],
): readonly (FoundApiKey | null)[] {
  // primary keys
  const find = context.prepare<FoundApiKeyRow>(
    `select k.*, h.expires_at as hash_expires_at from api_key_hashes h join api_keys k on k.id = h.key_id
     where h.hash = ?1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > ?2)
       and (h.expires_at is null or h.expires_at > ?2)`,
  )
  return hashes.map((hash) => {
    const row = find.get(hash, context.now)
    return row === undefined ? null : toFoundApiKey(row)
  })
}
