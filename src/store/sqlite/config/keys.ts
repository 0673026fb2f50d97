import { idToBytes } from '../../../core/ids.ts'
import type { ApiKey } from '../../../core/model.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import type { ApiKeyPatch, KeyOwner, KeyUse, NewApiKey } from '../../port.ts'
import { getApiKey } from '../read/keys.ts'
import type { WriteContext } from '../threads/write-context.ts'

export function insertApiKey(
  context: WriteContext,
  input: NewApiKey,
  { maxActive }: { readonly maxActive?: number } = {},
): ApiKey | null {
  const { key, hash } = input
  if (maxActive !== undefined && countActive(context, key) >= maxActive) return null
  context
    .prepare(
      `insert into api_keys
         (id, tenant_id, kind, role, name, scopes, abilities, rate_limit_rps, created_at, expires_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      idToBytes(key.id),
      bytesOrNull(key.tenantId),
      key.kind,
      key.role,
      key.name,
      JSON.stringify(key.scopes),
      JSON.stringify(key.abilities),
      key.rateLimitRps,
      context.now,
      key.expiresAt,
    )
  insertHash(context, key.id, hash)
  return getApiKey(context, key, key.id)
}

function countActive({ prepare, now }: WriteContext, { tenantId, kind }: KeyOwner): number {
  const row = prepare(
    // api_keys_tenant
    `select count(*) as active from api_keys
     where tenant_id is ? and kind = ? and revoked_at is null and (expires_at is null or expires_at > ?)`,
  ).get(bytesOrNull(tenantId), kind, now)
  return row?.active as number
}

function insertHash({ prepare }: WriteContext, keyId: string, hash: Uint8Array): void {
  prepare('insert into api_key_hashes (hash, key_id) values (?, ?)').run(hash, idToBytes(keyId))
}

export function insertFirstApiKey(context: WriteContext, input: NewApiKey): ApiKey | null {
  const { tenantId, kind } = input.key
  const found = context
    // api_keys_tenant
    .prepare('select 1 from api_keys where tenant_id is ? and kind = ? limit 1')
    .get(bytesOrNull(tenantId), kind)
  return found === undefined ? insertApiKey(context, input) : null
}

export function updateApiKey(
  context: WriteContext,
  owner: KeyOwner,
  id: string,
  patch: ApiKeyPatch,
  options?: ChangeOptions,
): ApiKey | null {
  const before = getApiKey(context, owner, id)
  if (before === null) return null
  checkVersion(before, options)
  const after = { ...before, ...patch }
  context
    .prepare(
      'update api_keys set name = ?, scopes = ?, abilities = ?, rate_limit_rps = ?, expires_at = ? where id = ?',
    )
    .run(
      after.name,
      JSON.stringify(after.scopes),
      JSON.stringify(after.abilities),
      after.rateLimitRps,
      after.expiresAt,
      idToBytes(id),
    )
  return getApiKey(context, owner, id)
}

export function rotateApiKey(
  context: WriteContext,
  owner: KeyOwner,
  id: string,
  { hash, graceMs }: { readonly hash: Uint8Array; readonly graceMs: number },
): ApiKey | null {
  const key = getApiKey(context, owner, id)
  if (key === null || key.revokedAt !== null) return null
  const { now } = context
  // api_key_hashes_key
  context
    .prepare('update api_key_hashes set expires_at = min(coalesce(expires_at, ?1), ?1) where key_id = ?2')
    .run(now + graceMs, idToBytes(id))
  context.prepare('delete from api_key_hashes where key_id = ? and expires_at <= ?').run(idToBytes(id), now)
  insertHash(context, id, hash)
  return key
}

export function revokeApiKey(
  context: WriteContext,
  owner: KeyOwner,
  id: string,
  { keepLastAdmin = false, ...options }: ChangeOptions & { readonly keepLastAdmin?: boolean } = {},
): 'revoked' | 'not_found' | 'last' {
  const key = getApiKey(context, owner, id)
  if (key === null) return 'not_found'
  if (key.revokedAt !== null) return 'revoked'
  checkVersion(key, options)
  if (keepLastAdmin && key.kind === 'admin' && !hasOtherAdmin(context, id)) return 'last'
  context.prepare('update api_keys set revoked_at = ? where id = ?').run(context.now, idToBytes(id))
  return 'revoked'
}

function hasOtherAdmin(context: WriteContext, id: string): boolean {
  const found = context
    // api_keys_tenant
    .prepare(
      `select 1 from api_keys where tenant_id is null and kind = 'admin' and role = 'admin' and revoked_at is null
         and expires_at is null and id <> ? limit 1`,
    )
    .get(idToBytes(id))
  return found !== undefined
}

export function noteKeyUse(context: WriteContext, uses: readonly KeyUse[]): void {
  const note = context.prepare(
    'update api_keys set last_used_at = max(coalesce(last_used_at, 0), ?) where id = ?',
  )
  for (const { id, at } of uses) note.run(at, idToBytes(id))
}

export function setMetaOnce(context: WriteContext, name: string, value: string): string {
  context.prepare('insert into meta (name, value) values (?, ?) on conflict do nothing').run(name, value)
  return context.prepare('select value from meta where name = ?').get(name)?.value as string
}

function bytesOrNull(id: string | null): Uint8Array | null {
  return id === null ? null : idToBytes(id)
}
