import type { ApiKey } from '../../../core/model.ts'
import type { NewApiKey } from '../../port.ts'
import { type ApiKeyRow, toApiKey } from '../../rows.ts'
import { type Context, now } from '../connection/context.ts'
import { uuidOfId } from '../rows/wire-types.ts'

export const apiKeyColumns = 'id, tenant_id, kind, name, scopes, created_at, revoked_at'

export async function insertApiKey(context: Context, input: NewApiKey): Promise<ApiKey> {
  const [row] = await context.query<ApiKeyRow>(
    'insert_api_key',
    `insert into api_keys (id, tenant_id, kind, name, scopes, hash, created_at)
     values ($2, $3, $4, $5, $6, $7, ${now}) returning ${apiKeyColumns}`,
    [
      context.shiftMs,
      uuidOfId(input.id),
      uuidOfId(input.tenantId),
      input.kind,
      input.name,
      JSON.stringify(input.scopes),
      Buffer.from(input.hash),
    ],
  )
  return toApiKey(row as ApiKeyRow)
}

export async function insertFirstApiKey(context: Context, input: NewApiKey): Promise<ApiKey | null> {
  // Nodes that start together look one after the other.
  await context.query(null, 'lock table api_keys in share row exclusive mode', [])
  const found = await context.query(
    'any_api_key',
    // api_keys_tenant
    'select 1 from api_keys where tenant_id = $1 and kind = $2 limit 1',
    [uuidOfId(input.tenantId), input.kind],
  )
  return found.length > 0 ? null : insertApiKey(context, input)
}

export async function revokeApiKey(context: Context, tenantId: string, id: string): Promise<boolean> {
  const rows = await context.query(
    'revoke_api_key',
    `update api_keys set revoked_at = coalesce(revoked_at, ${now}) where id = $2 and tenant_id = $3 returning id`,
    [context.shiftMs, uuidOfId(id), uuidOfId(tenantId)],
  )
  return rows.length === 1
}

export async function setMetaOnce(context: Context, name: string, value: string): Promise<string> {
  await context.query(
    'set_meta_once',
    'insert into meta (name, value) values ($1, $2) on conflict do nothing',
    [name, value],
  )
  const [row] = await context.query<{ readonly value: string }>(
    'read_meta',
    'select value from meta where name = $1',
    [name],
  )
  return row?.value ?? value
}
