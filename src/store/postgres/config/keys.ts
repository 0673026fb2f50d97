import type { ApiKey } from '../../../core/model.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import type { ApiKeyPatch, KeyOwner, KeyUse, NewApiKey } from '../../port.ts'
import { type ApiKeyRow, toApiKey } from '../../rows.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { apiKeyColumns, optionalUuidOfId, ownedBy } from '../read/keys.ts'
import { uuidOfId } from '../rows/wire-types.ts'

/** Nodes that count or look first do so one after the other. */
async function lockKeys(context: Context): Promise<void> {
  await context.query(null, 'lock table api_keys in share row exclusive mode', [])
}

export async function insertApiKey(
  context: Context,
  input: NewApiKey,
  { maxActive }: { readonly maxActive?: number } = {},
): Promise<ApiKey | null> {
  const { key, hash } = input
  if (maxActive !== undefined) {
    await lockKeys(context)
    const tenant = optionalUuidOfId(key.tenantId)
    const [counted] = await run(context, activeKeysStatement, { tenant, kind: key.kind })
    if ((counted?.active ?? 0) >= maxActive) return null
  }
  const [row] = await run(context, insertApiKeyStatement, {
    id: uuidOfId(key.id),
    tenant: optionalUuidOfId(key.tenantId),
    kind: key.kind,
    role: key.role,
    name: key.name,
    scopes: JSON.stringify(key.scopes),
    abilities: JSON.stringify(key.abilities),
    rate: key.rateLimitRps,
    expires_at: key.expiresAt,
  })
  await run(context, insertHashStatement, { key: uuidOfId(key.id), hash: Buffer.from(hash) })
  return toApiKey(row as ApiKeyRow)
}

const activeKeysStatement = query<{ readonly active: number }>()(
  'active_api_keys',
  { tenant: 'uuid', kind: 'text' },
  // api_keys_tenant
  `select count(*) as active from api_keys where tenant_id is not distinct from $tenant and kind = $kind
     and revoked_at is null and (expires_at is null or expires_at > ${now})`,
)

const insertApiKeyStatement = query<ApiKeyRow>()(
  'insert_api_key',
  {
    id: 'uuid',
    tenant: 'uuid',
    kind: 'text',
    role: 'text',
    name: 'text',
    scopes: 'text',
    abilities: 'text',
    rate: 'double precision',
    expires_at: 'bigint',
  },
  `insert into api_keys
       (id, tenant_id, kind, role, name, scopes, abilities, rate_limit_rps, expires_at, created_at)
     values ($id, $tenant, $kind, $role, $name, $scopes, $abilities, $rate, $expires_at, ${now})
     returning ${apiKeyColumns}`,
)

const insertHashStatement = command(
  'insert_api_key_hash',
  { key: 'uuid', hash: 'bytea' },
  'insert into api_key_hashes (hash, key_id) values ($hash, $key)',
)

export async function insertFirstApiKey(context: Context, input: NewApiKey): Promise<ApiKey | null> {
  await lockKeys(context)
  const { tenantId, kind } = input.key
  const found = await run(context, anyApiKeyStatement, { tenant: optionalUuidOfId(tenantId), kind })
  return found.length > 0 ? null : insertApiKey(context, input)
}

const anyApiKeyStatement = query<object>()(
  'any_api_key',
  { tenant: 'uuid', kind: 'text' },
  // api_keys_tenant
  'select 1 from api_keys where tenant_id is not distinct from $tenant and kind = $kind limit 1',
)

/** Whoever changes the key waits for others who do. */
async function lockKey(context: Context, owner: KeyOwner, id: string): Promise<ApiKey | null> {
  const values = ownedBy(owner, id)
  if (values === null) return null
  const [row] = await run(context, lockKeyStatement, values)
  return row === undefined ? null : toApiKey(row)
}

const lockKeyStatement = query<ApiKeyRow>()(
  'lock_api_key',
  { id: 'uuid', kind: 'text', tenant: 'uuid' },
  `select ${apiKeyColumns} from api_keys
     where id = $id and kind = $kind and ($tenant is null or tenant_id = $tenant) for no key update`,
)

export async function updateApiKey(
  context: Context,
  owner: KeyOwner,
  id: string,
  patch: ApiKeyPatch,
  options?: ChangeOptions,
): Promise<ApiKey | null> {
  const before = await lockKey(context, owner, id)
  if (before === null) return null
  checkVersion(before, options)
  const after = { ...before, ...patch }
  const [row] = await run(context, updateApiKeyStatement, {
    id: uuidOfId(id),
    name: after.name,
    scopes: JSON.stringify(after.scopes),
    abilities: JSON.stringify(after.abilities),
    rate: after.rateLimitRps,
    expires_at: after.expiresAt,
  })
  return toApiKey(row as ApiKeyRow)
}

const updateApiKeyStatement = query<ApiKeyRow>()(
  'update_api_key',
  {
    id: 'uuid',
    name: 'text',
    scopes: 'text',
    abilities: 'text',
    rate: 'double precision',
    expires_at: 'bigint',
  },
  `update api_keys set name = $name, scopes = $scopes, abilities = $abilities, rate_limit_rps = $rate,
     expires_at = $expires_at where id = $id returning ${apiKeyColumns}`,
)

export async function rotateApiKey(
  context: Context,
  owner: KeyOwner,
  id: string,
  { hash, graceMs }: { readonly hash: Uint8Array; readonly graceMs: number },
): Promise<ApiKey | null> {
  const key = await lockKey(context, owner, id)
  if (key === null || key.revokedAt !== null) return null
  const owned = { key: uuidOfId(id) }
  await run(context, expireHashesStatement, { ...owned, grace: graceMs })
  await run(context, removeHashesStatement, owned)
  await run(context, insertHashStatement, { ...owned, hash: Buffer.from(hash) })
  return key
}

const expireHashesStatement = command(
  'expire_api_key_hashes',
  { key: 'uuid', grace: 'bigint' },
  // api_key_hashes_key
  `update api_key_hashes set expires_at = least(expires_at, ${now} + $grace) where key_id = $key`,
)

const removeHashesStatement = command(
  'remove_api_key_hashes',
  { key: 'uuid' },
  // api_key_hashes_key
  `delete from api_key_hashes where key_id = $key and expires_at <= ${now}`,
)

export async function revokeApiKey(
  context: Context,
  owner: KeyOwner,
  id: string,
  { keepLastAdmin = false, ...options }: ChangeOptions & { readonly keepLastAdmin?: boolean } = {},
): Promise<'revoked' | 'not_found' | 'last'> {
  if (keepLastAdmin && owner.kind === 'admin') await lockKeys(context)
  const key = await lockKey(context, owner, id)
  if (key === null) return 'not_found'
  if (key.revokedAt !== null) return 'revoked'
  checkVersion(key, options)
  if (keepLastAdmin && key.kind === 'admin') {
    const others = await run(context, otherAdminStatement, { id: uuidOfId(id) })
    if (others.length === 0) return 'last'
  }
  await run(context, revokeApiKeyStatement, { id: uuidOfId(id) })
  return 'revoked'
}

const otherAdminStatement = query<object>()(
  'other_admin_token',
  { id: 'uuid' },
  // api_keys_tenant
  `select 1 from api_keys where tenant_id is null and kind = 'admin' and role = 'admin' and revoked_at is null
     and expires_at is null and id <> $id limit 1`,
)

const revokeApiKeyStatement = command(
  'revoke_api_key',
  { id: 'uuid' },
  `update api_keys set revoked_at = ${now} where id = $id`,
)

export async function noteKeyUse(context: Context, uses: readonly KeyUse[]): Promise<void> {
  await run(context, noteKeyUseStatement, {
    ids: uses.map(({ id }) => uuidOfId(id)),
    times: uses.map(({ at }) => at),
  })
}

const noteKeyUseStatement = command(
  'note_key_use',
  { ids: 'uuid[]', times: 'bigint[]' },
  // api_keys_pkey; a key that somebody holds is noted at its next use.
  `with used as (
     select k.id, u.at from unnest($ids, $times) as u(id, at)
     cross join lateral (select id from api_keys where id = u.id for no key update skip locked) k
   )
   update api_keys k set last_used_at = greatest(k.last_used_at, used.at) from used where k.id = used.id`,
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
