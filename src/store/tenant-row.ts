/** The row of a tenant ⇄ the model, for both databases. Settings are kept as JSON of what differs from the server's. */
import { bytesToId, idPrefixes } from '../core/ids.ts'
import { defaultTenantSettings, type Tenant, type TenantSettings } from '../core/tenant.ts'
import type { NewTenant, Routing, TenantPatch } from './port.ts'
import { retentionKeyOf } from './retention.ts'
import { versionOfTime } from './row-version.ts'
import { readRemoval, toProgress } from './tenant-removal.ts'

export interface TenantRow {
  readonly id: Uint8Array
  readonly uid: string | null
  readonly name: string
  readonly metadata: string | null
  readonly settings: string
  readonly created_at: number
  readonly updated_at: number
  readonly deleted_at: number | null
  readonly removed: string | null
}

export const tenantColumns = 'id, uid, name, metadata, settings, created_at, updated_at, deleted_at, removed'

export function toTenant(row: TenantRow): Tenant {
  return {
    id: bytesToId(idPrefixes.tenant, row.id),
    uid: row.uid,
    name: row.name,
    metadata: row.metadata === null ? null : JSON.parse(row.metadata),
    settings: readSettings(row.settings),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
    ...toRemoval(row),
    version: versionOfTime(row.updated_at),
  }
}

function toRemoval(row: TenantRow): Pick<Tenant, 'removed' | 'removal'> {
  if (row.deleted_at === null) return { removed: null, removal: null }
  const state = readRemoval(row.removed)
  const { endpoints, events, deliveries } = state
  return { removed: { endpoints, events, deliveries }, removal: toProgress(state, row.deleted_at) }
}

export interface RoutedTenantRow {
  readonly routing_version: number
  readonly settings: string
  readonly deleted_at: number | null
}

/** Undefined: there is no row of the tenant. */
export function toRoutedTenant(row: RoutedTenantRow | undefined): Pick<Routing, 'tenant' | 'version'> {
  if (row === undefined) return { tenant: null, version: 0 }
  const tenant = { settings: readSettings(row.settings), deleted: row.deleted_at !== null }
  return { tenant, version: row.routing_version }
}

function readSettings(json: string): TenantSettings {
  return { ...defaultTenantSettings, ...JSON.parse(json) }
}

/** The columns that a user can change, as they are written. */
export interface TenantValues {
  readonly uid: string | null
  readonly name: string
  readonly metadata: string | null
  readonly settings: string
  /** Its class, see `retention.ts`. */
  readonly retention: string | null
}

export function toTenantValues({ uid, name, metadata, settings }: NewTenant): TenantValues {
  const given = Object.entries(settings).filter(
    ([name, value]) => value !== null && value !== defaultTenantSettings[name as keyof TenantSettings],
  )
  return {
    uid,
    name,
    metadata: metadata === null ? null : JSON.stringify(metadata),
    settings: JSON.stringify(Object.fromEntries(given)),
    retention: retentionKeyOf(settings),
  }
}

export function patchTenant(before: Tenant, { settings, ...patch }: TenantPatch): TenantValues {
  return toTenantValues({ ...before, ...patch, settings: { ...before.settings, ...settings } })
}
