import { bytesToId, type IdPrefix, idPrefixes } from '../../../core/ids.ts'
import type { Tenant } from '../../../core/tenant.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { Page, PageRequest } from '../../port.ts'
import { type TenantRow, tenantColumns, toTenant } from '../../tenant-row.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { optionalUuid, uuid } from '../rows/wire-types.ts'
import { handOffLeases } from './handed-off.ts'

export async function getTenant(context: Context, id: string): Promise<Tenant | null> {
  const bytes = bytesOfId(idPrefixes.tenant, id)
  if (bytes === null) return null
  const [row] = await run(context, getTenantStatement, { id: uuid(bytes) })
  return row === undefined ? null : toTenant(row)
}

const getTenantStatement = query<TenantRow>()(
  'get_tenant',
  { id: 'uuid' },
  // primary key
  `select ${tenantColumns} from tenants where id = $id and removed_at is null`,
)

export async function getTenantByUid(context: Context, uid: string): Promise<Tenant | null> {
  const [row] = await run(context, getTenantByUidStatement, { uid })
  return row === undefined ? null : toTenant(row)
}

const getTenantByUidStatement = query<TenantRow>()(
  'get_tenant_by_uid',
  { uid: 'text' },
  // tenants_uid
  `select ${tenantColumns} from tenants where uid = $uid and uid is not null and deleted_at is null`,
)

export async function listTenants(context: Context, page: PageRequest): Promise<Page<Tenant>> {
  const { limit, before } = readPageRequest(page)
  const rows = await run(context, listTenantsStatement, { before: optionalUuid(before), rows: limit + 1 })
  return toPage(rows, limit, toTenant)
}

/** The largest id there is stands for the end, so that the plan is a range of the key. */
const listTenantsStatement = query<TenantRow>()(
  'list_tenants',
  { before: 'uuid', rows: 'bigint' },
  // primary key
  `select ${tenantColumns} from tenants
     where id < coalesce($before, 'ffffffff-ffff-ffff-ffff-ffffffffffff') and removed_at is null
     order by id desc limit $rows`,
)

interface OwnerRow {
  readonly tenant_id: Uint8Array | null
}

const ownerIn = (table: string) =>
  query<OwnerRow>()(
    `tenant_of_${table}`,
    { id: 'uuid' },
    // primary key
    `select tenant_id from ${table} where id = $id`,
  )

const ownerStatements: Partial<Record<IdPrefix, ReturnType<typeof ownerIn>>> = {
  [idPrefixes.endpoint]: ownerIn('endpoints'),
  [idPrefixes.subscription]: ownerIn('subscriptions'),
  [idPrefixes.producerKey]: ownerIn('api_keys'),
  [idPrefixes.adminToken]: ownerIn('api_keys'),
  [idPrefixes.job]: ownerIn('jobs'),
  [idPrefixes.portalLink]: ownerIn('portal_links'),
  [idPrefixes.credential]: ownerIn('credentials'),
  [idPrefixes.event]: query<OwnerRow>()(
    'tenant_of_event',
    { id: 'uuid' },
    // primary key, outbox_id
    `select tenant_id from events where id = $id union all select tenant_id from outbox where id = $id`,
  ),
  [idPrefixes.delivery]: query<OwnerRow>()(
    'tenant_of_delivery',
    { id: 'uuid' },
    // primary keys; a few hundred rows of handoffs at most are looked through
    `select tenant_id from live_deliveries where id = $id
     union all select tenant_id from deliveries where id = $id
     union all select e.tenant_id from (${handOffLeases} and $id = any (h.delivery_ids) and l.id = $id) l
       cross join lateral (select tenant_id from events e where e.id = l.event_id limit 1) e
     limit 1`,
  ),
}

export async function findTenantOf(context: Context, id: string): Promise<string | null> {
  const prefix = id.slice(0, id.indexOf('_')) as IdPrefix
  const statement = ownerStatements[prefix]
  const bytes = bytesOfId(prefix, id)
  if (statement === undefined || bytes === null) return null
  const [row] = await run(context, statement, { id: uuid(bytes) })
  const owner = row?.tenant_id
  return owner ? bytesToId(idPrefixes.tenant, owner) : null
}
