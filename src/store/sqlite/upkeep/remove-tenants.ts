/** Deleted tenants: the port and `tenant-removal.ts` say how they go. */
import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { Tenant } from '../../../core/tenant.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import type { TenantRemoval } from '../../port.ts'
import {
  advanceRemoval,
  isQuietSince,
  type RemovalState,
  type RemovalStep,
  readRemoval,
} from '../../tenant-removal.ts'
import { type TenantRow, tenantColumns, toTenant } from '../../tenant-row.ts'
import { writeOutOldest, writeOutTenant } from '../claim/memory-queue.ts'
import { forgetBucket } from '../claim/rate-buckets.ts'
import { applyConfigChanges, firstSliceRows } from '../config/apply-changes.ts'
import { raiseRoutingVersion } from '../config/routing-version.ts'
import { readLiveTenant } from '../config/tenants.ts'
import { forgetHealth } from '../record/target-health.ts'
import { unpackFanOut } from '../rows/fan-out.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { countRows } from './count-tenant-rows.ts'
import { removeIdempotencyKeys, removeStats } from './remove-tenant-rows.ts'

/** Payload bytes that one slice removes, about: to free a large one, SQLite reads all of it. */
const maxPayloadBytes = 8 * 1024 * 1024

interface Removed {
  readonly id: string
  readonly bytes: Uint8Array
  /** As it stands in the large tables. */
  readonly number: number
  readonly state: RemovalState
  readonly limit: number
}

export function deleteTenant(context: WriteContext, id: string, options?: ChangeOptions): Tenant | null {
  const bytes = idToBytes(id)
  const live = readLiveTenant(context, id)
  if (live !== null) checkVersion(live, options)
  const { changes } = context
    .prepare(
      `update tenants set deleted_at = ?, updated_at = ?, removed = '{}' where id = ? and deleted_at is null`,
    ) // primary key
    .run(context.now, context.now, bytes)
  if (changes === 1) {
    removeAccess(context, bytes)
    deleteEndpoints(context, { id, bytes, limit: firstSliceRows })
    raiseRoutingVersion(context, id)
  }
  const row = context
    .prepare<TenantRow>(`select ${tenantColumns} from tenants where id = ? and removed_at is null`) // primary key
    .get(bytes)
  return row === undefined ? null : toTenant(row)
}

/** Nobody acts for it any more, and no job does. */
function removeAccess(context: WriteContext, tenant: Uint8Array): void {
  // api_keys_tenant, api_key_hashes_key, portal_links_tenant, credentials_tenant, event_types, jobs_tenant
  for (const sql of [
    'delete from api_key_hashes where key_id in (select id from api_keys where tenant_id = ?)',
    'delete from api_keys where tenant_id = ?',
    'delete from portal_links where tenant_id = ?',
    'delete from credential_tokens where credential_id in (select id from credentials where tenant_id = ?)',
    'delete from credentials where tenant_id = ?',
    'delete from event_types where tenant_id = ?',
    'delete from jobs where tenant_id = ?',
  ])
    context.prepare(sql).run(tenant)
}

export function removeDeletedTenants(
  context: WriteContext,
  { limit }: { readonly limit: number },
): TenantRemoval {
  const row = nextTenant(context)
  if (row === null) return { open: false, more: false }
  const id = bytesToId(idPrefixes.tenant, row.id)
  const state = readRemoval(row.removed)
  const tenant = { id, bytes: row.id, number: context.memory.names.numberOf(id), state, limit }
  for (const step of state.isQuiet ? rowSteps : firstSteps) {
    const done = step(context, tenant)
    if (done === null) continue
    const json = JSON.stringify(advanceRemoval(state, done))
    context.prepare('update tenants set removed = ? where id = ?').run(json, row.id) // primary key
    return { open: true, more: true }
  }
  if (!state.isQuiet) return { open: true, more: false }
  context
    .prepare(
      `update tenants set removed_at = ?, uid = null, name = '', metadata = null, settings = '{}', retention = null
       where id = ?`,
    ) // primary key
    .run(context.now, row.id)
  return { open: nextTenant(context) !== null, more: true }
}

function nextTenant(context: WriteContext): Pick<TenantRow, 'id' | 'removed'> | null {
  const row = context
    .prepare<Pick<TenantRow, 'id' | 'removed'>>(
      // tenants_removal
      'select id, removed from tenants where deleted_at is not null and removed_at is null order by id limit 1',
    )
    .get()
  return row ?? null
}

type Step = (context: WriteContext, tenant: Removed) => RemovalStep

/** In this order: each begins when those before it find nothing more to do. */
const firstSteps: readonly Step[] = [
  deleteEndpoints,
  applyChanges,
  stopFanOut,
  emptyMemory,
  noteApplied,
  waitForLeases,
]
const rowSteps: readonly Step[] = [
  countRows,
  removeDeliveries,
  removeEvents,
  removeIdempotencyKeys,
  removeStats,
  removeEndpoints,
  removeRest,
]

function deleteEndpoints(
  context: WriteContext,
  { id, bytes, limit }: Pick<Removed, 'id' | 'bytes' | 'limit'>,
): RemovalStep {
  const rows = context
    // endpoints_tenant
    .prepare('select id from endpoints where tenant_id = ? and deleted_at is null limit ?')
    .all(bytes, limit)
  if (rows.length === 0) return null
  const remove = context.prepare(
    `update endpoints set deleted_at = ?, updated_at = ?, cleanup = 'cancel' where id = ?`,
  )
  const removeSubscriptions = context.prepare(
    // subscriptions_endpoint
    'update subscriptions set deleted_at = ?, updated_at = ? where endpoint_id = ? and deleted_at is null',
  )
  for (const row of rows) {
    const endpoint = row.id as Uint8Array
    remove.run(context.now, context.now, endpoint)
    removeSubscriptions.run(context.now, context.now, endpoint)
    const endpointId = bytesToId(idPrefixes.endpoint, endpoint)
    forgetHealth(context, endpointId)
    forgetBucket(context, endpointId)
  }
  raiseRoutingVersion(context, id)
  return {}
}

function applyChanges(context: WriteContext, { bytes, limit }: Removed): RemovalStep {
  const open = context
    .prepare(
      // endpoints_cleanup, subscriptions_cleanup
      `select 1 from endpoints where cleanup is not null and tenant_id = ?
       union all select 1 from subscriptions where cleanup is not null and tenant_id = ? limit 1`,
    )
    .get(bytes, bytes)
  if (open === undefined) return null
  applyConfigChanges(context, { limit })
  return {}
}

/** Deliveries that no slice has made yet are never made. */
function stopFanOut(context: WriteContext, { number }: Removed): RemovalStep {
  const row = context.prepare('select event_k from fan_outs where tenant = ? limit 1').get(number) // primary key
  if (row === undefined) return null
  const event = row.event_k as number
  context.prepare('delete from fan_out_receivers where event_k = ?').run(event) // primary key
  context.prepare('delete from fan_outs where tenant = ? and event_k = ?').run(number, event) // primary key
  return {}
}

/** A direct send to a URL has no endpoint with which it would have left the memory, and perhaps nobody claims it. */
function emptyMemory(context: WriteContext, { id }: Removed): RemovalStep {
  return writeOutTenant(context, id) > 0 ? {} : null
}

function noteApplied({ now }: WriteContext, { state }: Removed): RemovalStep {
  return state.appliedAt === null ? { appliedAt: now } : null
}

/** Leases of all: a row of `handoffs` names a whole commit's. What waits in memory, perhaps for long, goes to the table. */
function waitForLeases(context: WriteContext, { bytes, state, limit }: Removed): RemovalStep {
  const { appliedAt } = state
  if (appliedAt === null) return null
  const isQuiet = (oldestGrantAt: number | null) => isQuietSince(appliedAt, context.now, oldestGrantAt)
  if (!isQuiet(null)) return null
  if (!isQuiet(context.memory.leases.oldestGrantAt())) return writeOutOldest(context, limit) > 0 ? {} : null
  const waiting = context
    .prepare(
      // endpoints_tenant, names_id, live_deliveries_due, live_deliveries_parked
      `select e.id from endpoints e join names n on n.id = e.id
       where e.tenant_id = ?
         and (exists (select 1 from live_deliveries where target = n.n and due_at is not null and state <> 1)
           or exists (select 1 from live_deliveries where target = n.n and due_at is null and state <> 1))`,
    )
    .all(bytes)
  if (waiting.length === 0) return { isQuiet: true }
  const again = context.prepare(`update endpoints set cleanup = 'cancel' where id = ?`)
  for (const { id } of waiting) again.run(id as Uint8Array)
  context.memory.configChanged()
  return {}
}

function removeDeliveries(context: WriteContext, { number, limit }: Removed): RemovalStep {
  const rows = context.prepare('select k, target from deliveries where tenant = ? limit ?').all(number, limit) // deliveries_endpoint
  if (rows.length === 0) return null
  const removeTries = context.prepare('delete from attempts where delivery_k = ?') // primary key
  const removeSkip = context.prepare('delete from skipped_heads where k = ?') // primary key
  const remove = context.prepare('delete from deliveries where k = ?') // primary key
  for (const { k, target } of rows) {
    removeTries.run(k as number)
    removeSkip.run(k as number)
    remove.run(k as number)
    if (target !== null) forgetOrigin(context, target as number)
  }
  return { deliveries: rows.length }
}

/** A target that is named is no endpoint but where a send to a URL went. */
function forgetOrigin(context: WriteContext, target: number): void {
  forgetHealth(context, context.memory.names.idOf(target, idPrefixes.endpoint))
}

/** Of a direct send. What waits for an endpoint was cancelled before; what was to go to a URL waits still. How many went. */
function removeWaiting(context: WriteContext, fanOut: Uint8Array): number {
  const remove = context.prepare('delete from live_deliveries where k = ?') // primary key
  const removeTries = context.prepare('delete from attempts where delivery_k = ?') // primary key
  let removed = 0
  for (const { key, target } of unpackFanOut(fanOut)) {
    if (remove.run(key).changes === 0) continue
    removeTries.run(key)
    forgetOrigin(context, target)
    removed += 1
  }
  return removed
}

function removeEvents(context: WriteContext, { number, limit }: Removed): RemovalStep {
  const rows = context
    .prepare(
      'select k, payload_bytes, iif(request is null, null, fan_out) as sent from events where tenant = ? limit ?',
    )
    .all(number, limit) // events_topic
  const remove = context.prepare('delete from events where k = ?') // primary key
  const removeRanges = context.prepare('delete from fan_out_ranges where event_k = ?') // primary key
  let [events, deliveries, bytes] = [0, 0, 0]
  for (const row of rows) {
    if (bytes >= maxPayloadBytes) break
    if (row.sent !== null) deliveries += removeWaiting(context, row.sent as Uint8Array)
    remove.run(row.k as number)
    removeRanges.run(row.k as number)
    events++
    bytes += row.payload_bytes as number
  }
  return events === 0 ? null : { events, deliveries }
}

/** By the endpoint: secrets_endpoint, subscriptions_endpoint, primary keys. */
const ofEndpoint = [
  'delete from endpoint_secrets where endpoint_id = ?',
  'delete from subscriptions where endpoint_id = ?',
  'delete from endpoint_state where target_id = ?',
  'delete from endpoint_shares where target_id = ?',
  'delete from ready_endpoints where target_id = ?',
  'delete from endpoints where id = ?',
]

function removeEndpoints(context: WriteContext, { bytes, limit }: Removed): RemovalStep {
  const rows = context.prepare('select id from endpoints where tenant_id = ? limit ?').all(bytes, limit) // endpoints_tenant
  if (rows.length === 0) return null
  for (const { id } of rows) for (const sql of ofEndpoint) context.prepare(sql).run(id as Uint8Array)
  context.memory.configChanged()
  return { endpoints: rows.length }
}

/** Few rows; what a call that was under way has left among them. */
function removeRest(context: WriteContext, { bytes }: Removed): RemovalStep {
  removeAccess(context, bytes)
  // Indexes that begin with the tenant.
  const tables = 'subscriptions ready_endpoints delivery_counts delivery_notices ordered_keys'.split(' ')
  for (const table of tables) context.prepare(`delete from ${table} where tenant_id = ?`).run(bytes)
  return null
}
