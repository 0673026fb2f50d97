import { idToBytes } from '../../../core/ids.ts'
import type { ApiKey } from '../../../core/model.ts'
import type { NewApiKey } from '../../port.ts'
import type { WriteContext } from '../threads/write-context.ts'

export function insertApiKey(context: WriteContext, input: NewApiKey): ApiKey {
  const { memory, now } = context
  context
    .prepare(
      'insert into api_keys (id, tenant_id, kind, name, scopes, hash, created_at) values (?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      idToBytes(input.id),
      memory.bytes(input.tenantId),
      input.kind,
      input.name,
      JSON.stringify(input.scopes),
      input.hash,
      now,
    )
  const { id, tenantId, kind, name, scopes } = input
  return { id, tenantId, kind, name, scopes, createdAt: now, revokedAt: null }
}

export function insertFirstApiKey(context: WriteContext, input: NewApiKey): ApiKey | null {
  const found = context
    // api_keys_tenant
    .prepare('select 1 from api_keys where tenant_id = ? and kind = ? limit 1')
    .get(context.memory.bytes(input.tenantId), input.kind)
  return found === undefined ? insertApiKey(context, input) : null
}

export function revokeApiKey(context: WriteContext, tenantId: string, id: string): boolean {
  const result = context
    .prepare('update api_keys set revoked_at = coalesce(revoked_at, ?) where id = ? and tenant_id = ?')
    .run(context.now, idToBytes(id), context.memory.bytes(tenantId))
  return result.changes === 1
}

export function setMetaOnce(context: WriteContext, name: string, value: string): string {
  context.prepare('insert into meta (name, value) values (?, ?) on conflict do nothing').run(name, value)
  return context.prepare('select value from meta where name = ?').get(name)?.value as string
}
