/** Deleted tenants: the port and `tenant-removal.ts` say how they go. One node at a time is at it. */
import type { Tenant } from '../../../core/tenant.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import type { TenantRemoval } from '../../port.ts'
import { advanceRemoval, isQuietSince, type RemovalStep, readRemoval } from '../../tenant-removal.ts'
import { type TenantRow, tenantColumns, toTenant } from '../../tenant-row.ts'
import { applyConfigChanges, firstSliceRows } from '../config/apply-changes.ts'
import { raiseRoutingVersion } from '../config/routing-version.ts'
import { lockTenantStatement } from '../config/tenants.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { countRows } from './count-tenant-rows.ts'
import { isMine } from './maintenance.ts'
import { type Removed, removeAccessStatement, rowSteps, type Step } from './remove-tenant-rows.ts'

/** In a transaction. */
export async function deleteTenant(
  context: Context,
  id: string,
  options?: ChangeOptions,
): Promise<Tenant | null> {
  const tenant = uuidOfId(id)
  const [live] = await run(context, lockTenantStatement, { id: tenant })
  if (live !== undefined) checkVersion(toTenant(live), options)
  const marked = await run(context, markDeletedStatement, { tenant })
  if (marked.length > 0) {
    await run(context, removeAccessStatement, { tenant })
    await run(context, deleteEndpointsStatement, { tenant, limit: firstSliceRows })
    await raiseRoutingVersion(context, id)
  }
  const [row] = await run(context, unremovedStatement, { tenant })
  return row === undefined ? null : toTenant(row)
}

const markDeletedStatement = query<object>()(
  'mark_tenant_deleted',
  { tenant: 'uuid' },
  // primary key
  `update tenants set deleted_at = ${now}, updated_at = ${now}, removed = '{}'
     where id = $tenant and deleted_at is null returning id`,
)

const unremovedStatement = query<TenantRow>()(
  'unremoved_tenant',
  { tenant: 'uuid' },
  // primary key
  `select ${tenantColumns} from tenants where id = $tenant and removed_at is null`,
)

const deleteEndpointsStatement = query<{ readonly gone: number }>()(
  'delete_tenant_endpoints',
  { tenant: 'uuid', limit: 'bigint' },
  // endpoints_tenant, in the order of the key; subscriptions_endpoint, primary keys
  `with ids as materialized (
     select id from endpoints where tenant_id = $tenant and deleted_at is null order by id limit $limit for update
   ), gone as (
     update endpoints set deleted_at = ${now}, updated_at = ${now}, cleanup = 'cancel'
     where id = any (array(select id from ids)) returning id
   ), subscribed as (
     update subscriptions set deleted_at = ${now}, updated_at = ${now}
     where endpoint_id = any (array(select id from ids)) and deleted_at is null
   ), health as (
     delete from endpoint_state where target_id = any (array(select id from ids))
   ), shares as (
     delete from endpoint_shares where target_id = any (array(select id from ids))
   )
   select count(*)::integer as gone from gone`,
)

export async function removeDeletedTenants(
  context: Context,
  { limit }: { readonly limit: number },
): Promise<TenantRemoval> {
  if (!(await isMine(context, 'remove tenants'))) return { open: false, more: false }
  const [row] = await run(context, nextTenantStatement, {})
  if (row === undefined) return { open: false, more: false }
  const state = readRemoval(row.removed)
  const tenant = uuid(row.id)
  for (const step of state.isQuiet ? [countRows, ...rowSteps] : firstSteps) {
    const done = await step(context, { tenant, state, limit })
    if (done === null) continue
    await run(context, noteStatement, { tenant, removed: JSON.stringify(advanceRemoval(state, done)) })
    return { open: true, more: true }
  }
  if (!state.isQuiet) return { open: true, more: false }
  await run(context, finishStatement, { tenant })
  return { open: true, more: true }
}

const nextTenantStatement = query<Pick<TenantRow, 'id' | 'removed'>>()(
  'next_removed_tenant',
  {},
  // tenants_removal
  `select id, removed from tenants where deleted_at is not null and removed_at is null order by id limit 1
   for no key update`,
)

const noteStatement = command(
  'note_removal',
  { tenant: 'uuid', removed: 'text' },
  // primary key
  'update tenants set removed = $removed where id = $tenant',
)

const finishStatement = command(
  'finish_removal',
  { tenant: 'uuid' },
  // primary key
  `update tenants set removed_at = ${now}, uid = null, name = '', metadata = null, settings = '{}', retention = null
     where id = $tenant`,
)

const firstSteps: readonly Step[] = [deleteEndpoints, applyChanges, stopFanOut, noteApplied, waitForLeases]

async function deleteEndpoints(context: Context, { tenant, limit }: Removed): Promise<RemovalStep> {
  const [row] = await run(context, deleteEndpointsStatement, { tenant, limit })
  return (row?.gone ?? 0) === 0 ? null : {}
}

async function applyChanges(context: Context, { tenant, limit }: Removed): Promise<RemovalStep> {
  const open = await run(context, openChangesStatement, { tenant })
  if (open.length === 0) return null
  await applyConfigChanges(context, { limit })
  return {}
}

const openChangesStatement = query<object>()(
  'open_changes_of_tenant',
  { tenant: 'uuid' },
  // endpoints_cleanup, subscriptions_cleanup
  `select 1 from endpoints where cleanup is not null and tenant_id = $tenant
   union all select 1 from subscriptions where cleanup is not null and tenant_id = $tenant limit 1`,
)

/** Deliveries that no slice has made yet are never made, nor those of events that wait in the outbox. */
async function stopFanOut(context: Context, { tenant, limit }: Removed): Promise<RemovalStep> {
  const [row] = await run(context, stopFanOutStatement, { tenant, limit })
  return (row?.gone ?? 0) === 0 ? null : {}
}

const stopFanOutStatement = query<{ readonly gone: number }>()(
  'stop_fan_out',
  { tenant: 'uuid', limit: 'bigint' },
  // tables of what is under way just now
  `with fans as (
     delete from fan_outs where event_id = any (array(
       select event_id from fan_outs where tenant_id = $tenant order by event_id limit $limit for update)) returning 1
   ), accepted as (
     delete from outbox where id = any (array(
       select id from outbox where tenant_id = $tenant order by id limit $limit for update skip locked)) returning 1
   )
   select ((select count(*) from fans) + (select count(*) from accepted))::integer as gone`,
)

async function noteApplied({ moment }: Context, { state }: Removed): Promise<RemovalStep> {
  return state.appliedAt === null ? { appliedAt: moment } : null
}

/** What comes back from a lease waits again, if only to be cancelled. */
async function waitForLeases(context: Context, { tenant, state }: Removed): Promise<RemovalStep> {
  const { appliedAt } = state
  if (appliedAt === null) return null
  const [leased] = await run(context, oldestGrantStatement, {})
  if (!isQuietSince(appliedAt, context.moment, leased?.granted_at ?? null)) return null
  const waiting = await run(context, cancelAgainStatement, { tenant })
  return waiting.length === 0 ? { isQuiet: true } : {}
}

const oldestGrantStatement = query<{ readonly granted_at: number | null }>()(
  'oldest_grant',
  {},
  // a few hundred rows
  'select min(granted_at) as granted_at from handoffs',
)

const cancelAgainStatement = query<object>()(
  'cancel_again',
  { tenant: 'uuid' },
  // endpoints_tenant, live_deliveries_due, live_deliveries_parked
  `update endpoints set cleanup = 'cancel' where id = any (array(
     select e.id from endpoints e where e.tenant_id = $tenant and (
       exists (select 1 from live_deliveries d
               where d.target_id = e.id and d.due_at is not null and d.state <> 'in_flight')
       or exists (select 1 from live_deliveries d
                  where d.target_id = e.id and d.due_at is null and d.state <> 'in_flight'))
     order by e.id for update))
   returning id`,
)
