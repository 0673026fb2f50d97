import { bytesToId, idPrefixes } from '../../../core/ids.ts'
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
import { type Context, now, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { forgetPositionsStatement } from '../upkeep/retention.ts'
import { changeTime } from './change-time.ts'

export async function insertTenant(
  context: Context,
  input: NewTenant,
): Promise<{ readonly kind: 'inserted'; readonly tenant: Tenant } | TenantUidConflict> {
  const [row] = await run(context, insertTenantStatement, {
    id: uuidOfId(input.id),
    ...toTenantValues(input),
  })
  if (row !== undefined) return { kind: 'inserted', tenant: toTenant(row) }
  return (await findUid(context, input.uid ?? '')) as TenantUidConflict
}

const values = { uid: 'text', name: 'text', metadata: 'text', settings: 'text', retention: 'text' } as const

const insertTenantStatement = query<TenantRow>()(
  'insert_tenant',
  { id: 'uuid', ...values },
  `insert into tenants (id, uid, name, metadata, settings, retention, routing_version, created_at, updated_at)
     values ($id, $uid, $name, $metadata, $settings, $retention, 1, ${now}, ${now})
     on conflict (uid) where uid is not null and deleted_at is null do nothing
     returning ${tenantColumns}`,
)

/** In a transaction. */
export async function updateTenant(
  context: Context,
  id: string,
  patch: TenantPatch,
  options?: ChangeOptions,
): Promise<{ readonly kind: 'updated'; readonly tenant: Tenant } | TenantUidConflict | null> {
  const [row] = await run(context, lockTenantStatement, { id: uuidOfId(id) })
  if (row === undefined) return null
  const before = toTenant(row)
  checkVersion(before, options)
  const after = patchTenant(before, patch)
  if (after.uid !== null && after.uid !== before.uid) {
    const conflict = await findUid(context, after.uid)
    if (conflict !== null) return conflict
  }
  if (patch.settings !== undefined) await run(context, forgetPositionsStatement, {})
  const [updated] = await run(context, updateTenantStatement, { id: uuidOfId(id), ...after })
  return { kind: 'updated', tenant: toTenant(updated as TenantRow) }
}

export const lockTenantStatement = query<TenantRow>()(
  'lock_tenant',
  { id: 'uuid' },
  // primary key
  `select ${tenantColumns} from tenants where id = $id and deleted_at is null for no key update`,
)

const updateTenantStatement = query<TenantRow>()(
  'update_tenant',
  { id: 'uuid', ...values },
  // primary key
  `update tenants set uid = $uid, name = $name, metadata = $metadata, settings = $settings, retention = $retention, updated_at = ${changeTime},
       routing_version = routing_version + 1
     where id = $id returning ${tenantColumns}`,
)

/** Null: the tenant, whose row is locked, may have another endpoint. */
export async function whyNoEndpoint(
  context: Context,
  tenantId: string,
): Promise<EndpointLimit | TenantDeleted | null> {
  const tenant = uuidOfId(tenantId)
  const [row] = await run(context, tenantSettingsStatement, { tenant })
  const { tenant: routed } = toRoutedTenant(row)
  if (routed?.deleted) return { kind: 'tenant_deleted' }
  const maxEndpoints = routed?.settings.maxEndpoints ?? null
  if (maxEndpoints === null) return null
  const [counted] = await run(context, countEndpointsStatement, { tenant })
  return (counted?.live ?? 0) < maxEndpoints ? null : { kind: 'too_many', maxEndpoints }
}

export async function isTenantDeleted(context: Context, tenantId: string): Promise<boolean> {
  const [row] = await run(context, tenantSettingsStatement, { tenant: uuidOfId(tenantId) })
  return toRoutedTenant(row).tenant?.deleted === true
}

const tenantSettingsStatement = query<RoutedTenantRow>()(
  'tenant_settings',
  { tenant: 'uuid' },
  // primary key
  'select routing_version, settings, deleted_at from tenants where id = $tenant',
)

const countEndpointsStatement = query<{ readonly live: number }>()(
  'count_endpoints',
  { tenant: 'uuid' },
  // endpoints_tenant
  'select count(*)::integer as live from endpoints where tenant_id = $tenant and deleted_at is null',
)

async function findUid(context: Context, uid: string): Promise<TenantUidConflict | null> {
  const [row] = await run(context, findTenantUidStatement, { uid })
  return row === undefined ? null : { kind: 'uid_exists', tenantId: bytesToId(idPrefixes.tenant, row.id) }
}

const findTenantUidStatement = query<{ readonly id: Uint8Array }>()(
  'find_tenant_uid',
  { uid: 'text' },
  // tenants_uid
  'select id from tenants where uid = $uid and uid is not null and deleted_at is null',
)
