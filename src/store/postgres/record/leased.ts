import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { EndpointHealth } from '../../../core/model.ts'
import type { DeliveryOutcome } from '../../port.ts'
import { type HealthRow, toHealth } from '../../rows.ts'
import { type Context, now } from '../connection/context.ts'
import { uuidOfId } from '../rows/wire-types.ts'

/** A delivery in flight under the claim version that was asked for. */
export interface Leased {
  readonly id: Uint8Array
  readonly deliveryId: string
  readonly claimVersion: number
  readonly attemptCount: number
  readonly lostClaims: number
  readonly tenant: Uint8Array
  readonly endpoint: Uint8Array | null
  readonly endpointId: string | null
  readonly target: Uint8Array
  readonly targetId: string
  readonly isDeleted: boolean
  readonly isDisabled: boolean
}

export interface TargetHealth {
  readonly health: EndpointHealth
  /** The delivery that tries the endpoint after a pause. */
  readonly probeDelivery: string | null
}

/** An outcome with the delivery that it is about, as it stands in the store. */
export interface Match {
  readonly outcome: DeliveryOutcome
  readonly leased: Leased
}

export interface LeaseKey {
  readonly deliveryId: string
  readonly claimVersion: number
}

interface LeasedRow extends HealthRow {
  readonly id: Uint8Array
  readonly claim_version: number
  readonly attempt_count: number
  readonly lost_claims: number
  readonly tenant_id: Uint8Array
  readonly endpoint_id: Uint8Array | null
  readonly is_deleted: boolean
  readonly is_disabled: boolean
  readonly has_health: boolean
  readonly probe_delivery_id: Uint8Array | null
  readonly now: number
}

export interface FoundLeases {
  readonly rows: readonly Leased[]
  readonly health: ReadonlyMap<string, TargetHealth>
  readonly now: number
}

export interface LockedLeases extends FoundLeases {
  /** The names of leases that stand, and whose deliveries somebody else has locked. */
  readonly held: ReadonlySet<string>
}

/** Waits for no delivery. What is stale is neither among the rows nor held. */
export async function lockLeased(context: Context, keys: readonly LeaseKey[]): Promise<LockedLeases> {
  const found = await findLeased(context, 'lock_leased', {
    text: `${leasedSql} for update of d skip locked`,
    keys,
  })
  const locked = new Set(found.rows.map(leaseName))
  const others = keys.filter((key) => !locked.has(leaseName(key)))
  const standing = others.length === 0 ? [] : (await readLeased(context, others)).rows
  return { ...found, held: new Set(standing.map(leaseName)) }
}

export function leaseName({ deliveryId, claimVersion }: LeaseKey): string {
  return `${deliveryId} ${claimVersion}`
}

/** What is stale is missing from the answer. Nothing is locked. */
export function readLeased(context: Context, keys: readonly LeaseKey[]): Promise<FoundLeases> {
  return findLeased(context, 'read_leased', { text: leasedSql, keys })
}

async function findLeased(
  context: Context,
  name: string,
  { text, keys }: { readonly text: string; readonly keys: readonly LeaseKey[] },
): Promise<FoundLeases> {
  const sorted = [...keys].sort((a, b) => (a.deliveryId < b.deliveryId ? -1 : 1))
  const rows = await context.query<LeasedRow>(name, text, [
    context.shiftMs,
    sorted.map((key) => uuidOfId(key.deliveryId)),
    sorted.map((key) => key.claimVersion),
  ])
  const health = new Map<string, TargetHealth>()
  const leased = rows.map((row): Leased => {
    const targetId = bytesToId(idPrefixes.endpoint, row.target_id)
    if (row.has_health) {
      const probe = row.probe_delivery_id
      health.set(targetId, {
        health: toHealth(row),
        probeDelivery: probe === null ? null : bytesToId(idPrefixes.delivery, probe),
      })
    }
    return {
      id: row.id,
      deliveryId: bytesToId(idPrefixes.delivery, row.id),
      claimVersion: row.claim_version,
      attemptCount: row.attempt_count,
      lostClaims: row.lost_claims,
      tenant: row.tenant_id,
      endpoint: row.endpoint_id,
      endpointId: row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id),
      target: row.target_id,
      targetId,
      isDeleted: row.is_deleted,
      isDisabled: row.is_disabled,
    }
  })
  return { rows: leased, health, now: rows[0]?.now ?? 0 }
}

// Primary keys.
const leasedSql = `
select d.id, d.claim_version, d.attempt_count, d.lost_claims, d.tenant_id, d.endpoint_id, d.target_id,
  (d.endpoint_id is not null and (e.id is null or e.deleted_at is not null))
    or (d.subscription_id is not null and (s.id is null or s.deleted_at is not null)) as is_deleted,
  coalesce(e.disabled_reason is not null, false) as is_disabled,
  h.target_id is not null as has_health, coalesce(h.consecutive_failures, 0) as consecutive_failures,
  h.failing_since, h.paused_until, coalesce(h.pause_ms, 0) as pause_ms, h.probe_delivery_id, ${now} as now
from unnest($2::uuid[], $3::integer[]) as o (id, claim_version)
join live_deliveries d on d.id = o.id and d.state = 'in_flight' and d.claim_version = o.claim_version
left join endpoints e on e.id = d.endpoint_id
left join subscriptions s on s.id = d.subscription_id
left join endpoint_state h on h.target_id = d.target_id`
