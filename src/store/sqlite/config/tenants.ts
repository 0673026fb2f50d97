import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { Tenant } from '../../../core/tenant.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import type { EndpointLimit, NewTenant, TenantDeleted, TenantPatch, TenantUidConflict } from '../../port.ts'
import {
  patchTenant,
  type RoutedTenantRow,
  type TenantRow,
  tenantColumns,
  toRoutedTenant,
  toTenant,
  toTenantValues,
} from '../../tenant-row.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { changeTime } from './change-time.ts'
import { raiseRoutingVersion } from './routing-version.ts'

export function insertTenant(
  context: WriteContext,
  input: NewTenant,
): { readonly kind: 'inserted'; readonly tenant: Tenant } | TenantUidConflict {
  const conflict = input.uid === null ? null : findUid(context, input.uid)
  if (conflict !== null) return conflict
  const { uid, name, metadata, settings, retention } = toTenantValues(input)
  context
    .prepare(
      `insert into tenants (id, uid, name, metadata, settings, retention, routing_version, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, 1, ?, ?)`,
    )
    .run(idToBytes(input.id), uid, name, metadata, settings, retention, context.now, context.now)
  context.memory.configChanged()
  return { kind: 'inserted', tenant: readLiveTenant(context, input.id) as Tenant }
}

export function updateTenant(
  context: WriteContext,
  id: string,
  patch: TenantPatch,
  options?: ChangeOptions,
): { readonly kind: 'updated'; readonly tenant: Tenant } | TenantUidConflict | null {
  const before = readLiveTenant(context, id)
  if (before === null) return null
  checkVersion(before, options)
  const after = patchTenant(before, patch)
  if (after.uid !== null && after.uid !== before.uid) {
    const conflict = findUid(context, after.uid)
    if (conflict !== null) return conflict
  }
  context
    .prepare(
      `update tenants set uid = ?, name = ?, metadata = ?, settings = ?, retention = ?, updated_at = ?
       where id = ?`,
    )
    .run(
      after.uid,
      after.name,
      after.metadata,
      after.settings,
      after.retention,
      changeTime(context, { updated_at: before.updatedAt }),
      idToBytes(id),
    )
  raiseRoutingVersion(context, id)
  return { kind: 'updated', tenant: readLiveTenant(context, id) as Tenant }
}

/** Null: the tenant may have another endpoint. */
export function whyNoEndpoint(context: WriteContext, tenantId: string): EndpointLimit | TenantDeleted | null {
  const bytes = context.memory.bytes(tenantId)
  const row = context
    .prepare<RoutedTenantRow>('select routing_version, settings, deleted_at from tenants where id = ?') // primary key
    .get(bytes)
  const { tenant } = toRoutedTenant(row)
  if (tenant?.deleted) return { kind: 'tenant_deleted' }
  const maxEndpoints = tenant?.settings.maxEndpoints ?? null
  if (maxEndpoints === null) return null
  const { live } = context
    .prepare<{ readonly live: number }>(
      // endpoints_tenant
      'select count(*) as live from endpoints where tenant_id = ? and deleted_at is null',
    )
    .get(bytes) as { readonly live: number }
  return live < maxEndpoints ? null : { kind: 'too_many', maxEndpoints }
}

export function isTenantDeleted(context: WriteContext, tenantId: string): boolean {
  const row = context
    .prepare('select deleted_at from tenants where id = ?') // primary key
    .get(context.memory.bytes(tenantId))
  return row !== undefined && row.deleted_at !== null
}

export function readLiveTenant(context: WriteContext, id: string): Tenant | null {
  const row = context
    .prepare<TenantRow>(`select ${tenantColumns} from tenants where id = ? and deleted_at is null`) // primary key
    .get(idToBytes(id))
  return row === undefined ? null : toTenant(row)
}

function findUid(context: WriteContext, uid: string): TenantUidConflict | null {
  const row = context
    .prepare('select id from tenants where uid = ? and uid is not null and deleted_at is null') // tenants_uid
    .get(uid)
  if (row === undefined) return null
  return { kind: 'uid_exists', tenantId: bytesToId(idPrefixes.tenant, row.id as Uint8Array) }
}
