/** What has to be known beside a lease to end it: its endpoint, its subscription, the health of its target. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { EndpointHealth } from '../../../core/model.ts'
import { type HealthRow, toHealth } from '../../rows.ts'
import type { Lease } from '../claim/leases.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { uuid } from '../rows/wire-types.ts'

export interface TargetHealth {
  readonly health: EndpointHealth
  /** The delivery that tries the endpoint after a pause. */
  readonly probeDelivery: string | null
}

export interface LeaseFacts {
  /** Its endpoint or its subscription is deleted. */
  isDeleted(lease: Lease): boolean
  /** Its endpoint was disabled when this was read. */
  isDisabled(lease: Lease): boolean
  /** By target id; without an entry: plainly healthy. */
  readonly health: ReadonlyMap<string, TargetHealth>
  readonly now: number
}

interface FactRow extends HealthRow {
  readonly kind: 'target' | 'subscription'
  readonly is_deleted: boolean
  readonly is_disabled: boolean
  readonly has_health: boolean
  readonly probe_delivery_id: Uint8Array | null
  readonly now: number
}

/** Locks nothing. */
export async function readFacts(context: Context, leases: readonly Lease[]): Promise<LeaseFacts> {
  const subscriptions = leases.flatMap(({ subscription }) => subscription ?? [])
  const rows = await run(context, factsStatement, {
    targets: Array.from(new Set(leases.map(({ target }) => target))),
    subscriptions: Array.from(new Set(subscriptions)),
  })
  const deleted = new Set<string>()
  const disabled = new Set<string>()
  const health = new Map<string, TargetHealth>()
  for (const row of rows) {
    const id = uuid(row.target_id)
    if (row.is_deleted) deleted.add(id)
    if (row.is_disabled) disabled.add(id)
    if (row.has_health) health.set(bytesToId(idPrefixes.endpoint, row.target_id), toTargetHealth(row))
  }
  return {
    isDeleted: ({ endpoint, subscription }) =>
      (endpoint !== null && deleted.has(endpoint)) || (subscription !== null && deleted.has(subscription)),
    isDisabled: ({ endpoint }) => endpoint !== null && disabled.has(endpoint),
    health,
    now: rows[0]?.now ?? 0,
  }
}

export function toTargetHealth(
  row: HealthRow & { readonly probe_delivery_id: Uint8Array | null },
): TargetHealth {
  const probe = row.probe_delivery_id
  return {
    health: toHealth(row),
    probeDelivery: probe === null ? null : bytesToId(idPrefixes.delivery, probe),
  }
}

const factsStatement = query<FactRow>()(
  'lease_facts',
  { targets: 'uuid[]', subscriptions: 'uuid[]' },
  // primary keys
  `select 'target' as kind, o.id as target_id, e.id is null or e.deleted_at is not null as is_deleted,
     coalesce(e.disabled_reason is not null, false) as is_disabled, h.target_id is not null as has_health,
     coalesce(h.consecutive_failures, 0) as consecutive_failures, h.failing_since, h.paused_until,
     coalesce(h.pause_ms, 0) as pause_ms, h.probe_delivery_id, ${now} as now
   from unnest($targets) as o (id)
   left join lateral (select * from endpoints e where e.id = o.id limit 1) e on true
   left join lateral (select * from endpoint_state s where s.target_id = o.id limit 1) h on true
   union all
   select 'subscription', o.id, s.id is null or s.deleted_at is not null, false, false, 0, null, null, 0, null, ${now}
   from unnest($subscriptions) as o (id)
   left join lateral (select * from subscriptions s where s.id = o.id limit 1) s on true`,
)
