import type { ApiKey } from '../../../core/model.ts'
import type { NewApiKey } from '../../port.ts'
import { type ApiKeyRow, toApiKey } from '../../rows.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'

export const apiKeyColumns = 'id, tenant_id, kind, name, scopes, created_at, revoked_at'

export async function insertApiKey(context: Context, input: NewApiKey): Promise<ApiKey> {
  const [row] = await run(context, insertApiKeyStatement, {
    id: uuidOfId(input.id),
    tenant: uuidOfId(input.tenantId),
    kind: input.kind,
    name: input.name,
    scopes: JSON.stringify(input.scopes),
    hash: Buffer.from(input.hash),
  })
  return toApiKey(row as ApiKeyRow)
}

const insertApiKeyStatement = query<ApiKeyRow>()(
  'insert_api_key',
  { id: 'uuid', tenant: 'uuid', kind: 'text', name: 'text', scopes: 'text', hash: 'bytea' },
  `insert into api_keys (id, tenant_id, kind, name, scopes, hash, created_at)
     values ($id, $tenant, $kind, $name, $scopes, $hash, ${now}) returning ${apiKeyColumns}`,
)

export async function insertFirstApiKey(context: Context, input: NewApiKey): Promise<ApiKey | null> {
  // Nodes that start together look one after the other.
  await context.query(null, 'lock table api_keys in share row exclusive mode', [])
  const found = await run(context, anyApiKeyStatement, { tenant: uuidOfId(input.tenantId), kind: input.kind })
  return found.length > 0 ? null : insertApiKey(context, input)
}

const anyApiKeyStatement = query<object>()(
  'any_api_key',
  { tenant: 'uuid', kind: 'text' },
  // api_keys_tenant
  'select 1 from api_keys where tenant_id = $tenant and kind = $kind limit 1',
)

export async function revokeApiKey(context: Context, tenantId: string, id: string): Promise<boolean> {
  const rows = await run(context, revokeApiKeyStatement, { id: uuidOfId(id), tenant: uuidOfId(tenantId) })
  return rows.length === 1
}

const revokeApiKeyStatement = query<object>()(
  'revoke_api_key',
  { id: 'uuid', tenant: 'uuid' },
  `update api_keys set revoked_at = coalesce(revoked_at, ${now}) where id = $id and tenant_id = $tenant returning id`,
)

export async function setMetaOnce(context: Context, name: string, value: string): Promise<string> {
  await run(context, setMetaOnceStatement, { name, value })
  const [row] = await run(context, readMetaStatement, { name })
  return row?.value ?? value
}

const readMetaStatement = query<{ readonly value: string }>()(
  'read_meta',
  { name: 'text' },
  'select value from meta where name = $name',
)

const setMetaOnceStatement = command(
  'set_meta_once',
  { name: 'text', value: 'text' },
  'insert into meta (name, value) values ($name, $value) on conflict do nothing',
)
