import { bytesToId, type IdPrefix, idPrefixes } from '../../../core/ids.ts'
import type { Tenant } from '../../../core/tenant.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { Page, PageRequest } from '../../port.ts'
import { type TenantRow, tenantColumns, toTenant } from '../../tenant-row.ts'
import { findKey } from '../rows/key-space.ts'
import type { ReadContext } from './context.ts'
import { findDelivery, readDelivery } from './one-delivery.ts'

export function getTenant(context: ReadContext, id: string): Tenant | null {
  const bytes = bytesOfId(idPrefixes.tenant, id)
  if (bytes === null) return null
  const row = context
    .prepare<TenantRow>(`select ${tenantColumns} from tenants where id = ? and removed_at is null`) // primary key
    .get(bytes)
  return row === undefined ? null : toTenant(row)
}

export function getTenantByUid(context: ReadContext, uid: string): Tenant | null {
  const row = context
    .prepare<TenantRow>(
      // tenants_uid
      `select ${tenantColumns} from tenants where uid = ? and uid is not null and deleted_at is null`,
    )
    .get(uid)
  return row === undefined ? null : toTenant(row)
}

export function listTenants(context: ReadContext, page: PageRequest): Page<Tenant> {
  const { limit, before } = readPageRequest(page)
  const rows = context
    .prepare<TenantRow>(
      // primary key
      `select ${tenantColumns} from tenants where (? is null or id < ?) and removed_at is null
       order by id desc limit ?`,
    )
    .all(before, before, limit + 1)
  return toPage(rows, limit, toTenant)
}

const tableOf: Partial<Record<IdPrefix, string>> = {
  [idPrefixes.endpoint]: 'endpoints',
  [idPrefixes.subscription]: 'subscriptions',
  [idPrefixes.producerKey]: 'api_keys',
  [idPrefixes.adminToken]: 'api_keys',
  [idPrefixes.job]: 'jobs',
  [idPrefixes.portalLink]: 'portal_links',
  [idPrefixes.credential]: 'credentials',
}

export function findTenantOf(context: ReadContext, id: string): string | null {
  const prefix = id.slice(0, id.indexOf('_')) as IdPrefix
  const bytes = bytesOfId(prefix, id)
  if (bytes === null) return null
  if (prefix === idPrefixes.event) return tenantOfEvent(context, id)
  if (prefix === idPrefixes.delivery) {
    const key = findDelivery(context, id)
    return key === null ? null : (readDelivery(context, key)?.tenantId ?? null)
  }
  const table = tableOf[prefix]
  if (table === undefined) return null
  const row = context.prepare(`select tenant_id from ${table} where id = ?`).get(bytes) // primary keys
  const owner = row?.tenant_id as Uint8Array | null | undefined
  return owner ? bytesToId(idPrefixes.tenant, owner) : null
}

function tenantOfEvent(context: ReadContext, id: string): string | null {
  const key = findKey(context, 'events', id)
  if (key === null) return null
  const row = context
    .prepare('select n.id from events e join names n on n.n = e.tenant where e.k = ?') // primary keys
    .get(key)
  return row === undefined ? null : bytesToId(idPrefixes.tenant, row.id as Uint8Array)
}
