import type { Credential } from '../../../core/credential.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import { type CredentialRow, credentialValues, toCredential } from '../../credential-row.ts'
import {
  type CredentialDeletion,
  type CredentialInsertion,
  type CredentialNameConflict,
  type CredentialPatch,
  type CredentialUse,
  maxListedEndpoints,
  type NewCredential,
} from '../../port.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { changeTime } from './change-time.ts'
import { dropToken } from './credential-tokens.ts'
import { raiseRoutingVersion } from './routing-version.ts'
import { isTenantDeleted } from './tenants.ts'

export const credentialColumns = `id, tenant_id, name, description, kind, settings, secret_hint, active, created_at,
  updated_at, last_used_at`

/** Every change begins with the tenant's row, which it locks: changes of one tenant's credentials follow one another. */
export async function insertCredential(
  context: Context,
  { credential, sealed }: NewCredential,
): Promise<CredentialInsertion> {
  const { tenantId } = credential
  if (await isTenantDeleted(context, tenantId)) return { kind: 'tenant_deleted' }
  const conflict = await findName(context, tenantId, credential.name)
  if (conflict !== null) return conflict
  await raiseRoutingVersion(context, tenantId)
  const [row] = await run(context, insertStatement, {
    id: uuidOfId(credential.id),
    tenant: uuidOfId(tenantId),
    kind: credential.kind,
    sealed: Buffer.from(sealed),
    active: credential.active,
    ...credentialValues(credential),
  })
  // Another node was first, and has committed since we looked.
  if (row === undefined) return (await findName(context, tenantId, credential.name)) as CredentialNameConflict
  return { kind: 'inserted', credential: toCredential(row) }
}

const settings = { name: 'text', description: 'text', settings: 'text', secret_hint: 'text' } as const

const insertStatement = query<CredentialRow>()(
  'insert_credential',
  { id: 'uuid', tenant: 'uuid', kind: 'text', sealed: 'bytea', active: 'boolean', ...settings },
  `insert into credentials
       (id, tenant_id, name, description, kind, settings, secret_hint, sealed, active, created_at, updated_at)
     values ($id, $tenant, $name, $description, $kind, $settings, $secret_hint, $sealed, $active, ${now}, ${now})
     on conflict (tenant_id, name) do nothing
     returning ${credentialColumns}`,
)

export async function updateCredential(
  context: Context,
  tenantId: string,
  id: string,
  patch: CredentialPatch,
  options?: ChangeOptions,
): Promise<{ readonly kind: 'updated'; readonly credential: Credential } | CredentialNameConflict | null> {
  const before = await lockCredential(context, tenantId, id)
  if (before === null) return null
  checkVersion(before, options)
  if (patch.name !== undefined && patch.name !== before.name) {
    const conflict = await findName(context, tenantId, patch.name)
    if (conflict !== null) return conflict
  }
  const after = { ...before, ...patch, settings: { ...before.settings, ...patch.settings } }
  const [row] = await run(context, updateStatement, {
    id: uuidOfId(id),
    sealed: patch.sealed === undefined ? null : Buffer.from(patch.sealed),
    active: after.active,
    ...credentialValues(after),
  })
  if (patch.settings !== undefined || patch.sealed !== undefined) await dropToken(context, id)
  return { kind: 'updated', credential: toCredential(row as CredentialRow) }
}

const updateStatement = query<CredentialRow>()(
  'update_credential',
  { id: 'uuid', sealed: 'bytea', active: 'boolean', ...settings },
  // primary key
  `update credentials set name = $name, description = $description, settings = $settings,
       secret_hint = $secret_hint, sealed = coalesce($sealed, sealed), active = $active, updated_at = ${changeTime}
     where id = $id returning ${credentialColumns}`,
)

export async function deleteCredential(
  context: Context,
  tenantId: string,
  id: string,
  options?: ChangeOptions,
): Promise<CredentialDeletion> {
  const before = await lockCredential(context, tenantId, id)
  if (before === null) return { kind: 'not_found' }
  checkVersion(before, options)
  const users = await run(context, usersStatement, { id: uuidOfId(id) })
  if (users.length > 0) {
    const endpointIds = users
      .slice(0, maxListedEndpoints)
      .map((user) => bytesToId(idPrefixes.endpoint, user.id))
    return { kind: 'in_use', endpointIds, count: users.length }
  }
  await run(context, deleteStatement, { id: uuidOfId(id) })
  return { kind: 'deleted' }
}

const usersStatement = query<{ readonly id: Uint8Array }>()(
  'endpoints_of_credential',
  { id: 'uuid' },
  // endpoints_credential, endpoints_client_certificate
  `select id from endpoints where credential_id = $id and deleted_at is null
   union select id from endpoints where client_certificate_id = $id and deleted_at is null order by id`,
)

const deleteStatement = command(
  'delete_credential',
  { id: 'uuid' },
  // primary keys
  `with token as (delete from credential_tokens where credential_id = $id)
   delete from credentials where id = $id`,
)

export async function noteCredentialUse(context: Context, uses: readonly CredentialUse[]): Promise<void> {
  await run(context, noteUseStatement, {
    ids: uses.map(({ id }) => uuidOfId(id)),
    times: uses.map(({ at }) => at),
  })
}

const noteUseStatement = command(
  'note_credential_use',
  { ids: 'uuid[]', times: 'bigint[]' },
  // primary key; in the order of the keys, as every statement that locks several rows
  `with used as materialized (
     select u.id, u.at from unnest($ids, $times) as u (id, at) join credentials c on c.id = u.id
     order by u.id for no key update of c
   )
   update credentials c set last_used_at = greatest(coalesce(c.last_used_at, 0), used.at)
   from used where c.id = used.id`,
)

/** Whether the tenant has it, for an endpoint that is to use it. After the lock on the tenant's row. */
export async function hasCredential(context: Context, tenantId: string, id: string): Promise<boolean> {
  const rows = await run(context, hasStatement, { id: uuidOfId(id), tenant: uuidOfId(tenantId) })
  return rows.length > 0
}

const hasStatement = query<object>()(
  'has_credential',
  { id: 'uuid', tenant: 'uuid' },
  // primary key
  'select 1 from credentials where id = $id and tenant_id = $tenant',
)

/** After the tenant's row, so that whoever gives an endpoint this credential meanwhile waits, and then finds it or not. */
async function lockCredential(context: Context, tenantId: string, id: string): Promise<Credential | null> {
  if (!(await hasCredential(context, tenantId, id))) return null
  await raiseRoutingVersion(context, tenantId)
  const [row] = await run(context, lockStatement, { id: uuidOfId(id), tenant: uuidOfId(tenantId) })
  return row === undefined ? null : toCredential(row)
}

const lockStatement = query<CredentialRow>()(
  'lock_credential',
  { id: 'uuid', tenant: 'uuid' },
  // primary key
  `select ${credentialColumns} from credentials where id = $id and tenant_id = $tenant for no key update`,
)

async function findName(
  context: Context,
  tenantId: string,
  name: string,
): Promise<CredentialNameConflict | null> {
  const [row] = await run(context, findNameStatement, { tenant: uuidOfId(tenantId), name })
  return row === undefined
    ? null
    : { kind: 'name_exists', credentialId: bytesToId(idPrefixes.credential, row.id) }
}

const findNameStatement = query<{ readonly id: Uint8Array }>()(
  'find_credential_name',
  { tenant: 'uuid', name: 'text' },
  // credentials_name
  'select id from credentials where tenant_id = $tenant and name = $name',
)
