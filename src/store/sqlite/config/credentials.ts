import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
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
import { Columns } from '../connection/columns.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { changeTime } from './change-time.ts'
import { dropToken } from './credential-tokens.ts'
import { raiseRoutingVersion } from './routing-version.ts'
import { isTenantDeleted } from './tenants.ts'

const settings = ['name', 'description', 'settings', 'secret_hint', 'active', 'updated_at'] as const
const newCredential = new Columns('id', 'tenant_id', 'kind', 'sealed', 'created_at', ...settings)
const changedCredential = new Columns('sealed', ...settings)

export function insertCredential(context: WriteContext, input: NewCredential): CredentialInsertion {
  const { credential, sealed } = input
  const { id, tenantId } = credential
  if (isTenantDeleted(context, tenantId)) return { kind: 'tenant_deleted' }
  const conflict = findName(context, tenantId, credential.name)
  if (conflict !== null) return conflict
  const row = {
    id: idToBytes(id),
    tenant_id: context.memory.bytes(tenantId),
    kind: credential.kind,
    sealed,
    created_at: context.now,
    updated_at: context.now,
    active: credential.active ? 1 : 0,
    ...credentialValues(credential),
  }
  context
    .prepare(`insert into credentials (${newCredential.names}) values (${newCredential.marks})`)
    .run(...newCredential.values(row))
  raiseRoutingVersion(context, tenantId)
  return {
    kind: 'inserted',
    credential: toCredential(readCredential(context, tenantId, id) as CredentialRow),
  }
}

export function updateCredential(
  context: WriteContext,
  tenantId: string,
  id: string,
  patch: CredentialPatch,
  options?: ChangeOptions,
): ReturnType<typeof toUpdated> | CredentialNameConflict | null {
  const row = readCredential(context, tenantId, id)
  if (row === null) return null
  const before = toCredential(row)
  checkVersion(before, options)
  if (patch.name !== undefined && patch.name !== before.name) {
    const conflict = findName(context, tenantId, patch.name)
    if (conflict !== null) return conflict
  }
  const after = { ...before, ...patch, settings: { ...before.settings, ...patch.settings } }
  const values = {
    ...credentialValues(after),
    sealed: patch.sealed ?? row.sealed,
    active: after.active ? 1 : 0,
    updated_at: changeTime(context, row),
  }
  context
    .prepare(`update credentials set ${changedCredential.assigned} where id = ?`)
    .run(...changedCredential.values(values), row.id)
  if (patch.settings !== undefined || patch.sealed !== undefined) dropToken(context, row.id)
  raiseRoutingVersion(context, tenantId)
  return toUpdated(readCredential(context, tenantId, id) as CredentialRow)
}

function toUpdated(row: CredentialRow) {
  return { kind: 'updated', credential: toCredential(row) } as const
}

export function deleteCredential(
  context: WriteContext,
  tenantId: string,
  id: string,
  options?: ChangeOptions,
): CredentialDeletion {
  const row = readCredential(context, tenantId, id)
  if (row === null) return { kind: 'not_found' }
  checkVersion(toCredential(row), options)
  const users = context
    .prepare(
      // endpoints_credential, endpoints_client_certificate
      `select id from endpoints where credential_id = ? and deleted_at is null
       union select id from endpoints where client_certificate_id = ? and deleted_at is null order by id`,
    )
    .all(row.id, row.id)
  if (users.length > 0) {
    const endpointIds = users
      .slice(0, maxListedEndpoints)
      .map((user) => bytesToId(idPrefixes.endpoint, user.id as Uint8Array))
    return { kind: 'in_use', endpointIds, count: users.length }
  }
  context.prepare('delete from credentials where id = ?').run(row.id)
  context.prepare('delete from credential_tokens where credential_id = ?').run(row.id)
  raiseRoutingVersion(context, tenantId)
  return { kind: 'deleted' }
}

export function noteCredentialUse(context: WriteContext, uses: readonly CredentialUse[]): void {
  const note = context.prepare(
    'update credentials set last_used_at = max(coalesce(last_used_at, 0), ?) where id = ?',
  )
  for (const { id, at } of uses) note.run(at, idToBytes(id))
}

/** Whether the tenant has it, for an endpoint that is to use it. */
export function hasCredential(context: WriteContext, tenantId: string, id: string): boolean {
  return readCredential(context, tenantId, id) !== null
}

function readCredential(
  context: WriteContext,
  tenantId: string,
  id: string,
): (CredentialRow & { readonly sealed: Uint8Array }) | null {
  const row = context
    .prepare<CredentialRow & { readonly sealed: Uint8Array }>(
      'select * from credentials where id = ? and tenant_id = ?',
    )
    .get(idToBytes(id), context.memory.bytes(tenantId))
  return row ?? null
}

function findName(context: WriteContext, tenantId: string, name: string): CredentialNameConflict | null {
  const row = context
    .prepare('select id from credentials where tenant_id = ? and name = ?') // credentials_name
    .get(context.memory.bytes(tenantId), name)
  if (row === undefined) return null
  return { kind: 'name_exists', credentialId: bytesToId(idPrefixes.credential, row.id as Uint8Array) }
}
