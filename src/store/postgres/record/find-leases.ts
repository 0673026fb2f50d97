/** The leases that outcomes and releases are about: from memory, and from the database where this process holds none. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { Lease, LeaseKey, Leases } from '../claim/leases.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { handedOffColumns, handOffLeases, isOnlyHandedOff } from '../read/handed-off.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'

/** By what names them, each lease once; what is missing is stale. */
export async function findLeases<Key extends LeaseKey>(
  context: Context,
  leases: Leases,
  keys: readonly Key[],
): Promise<ReadonlyMap<Key, Lease>> {
  const found = new Map<Key, Lease>()
  const seen = new Set<string>()
  const unknown: Key[] = []
  for (const key of keys) {
    if (seen.has(nameOf(key))) continue
    seen.add(nameOf(key))
    const lease = leases.get(key)
    if (lease === null) unknown.push(key)
    else found.set(key, lease)
  }
  if (unknown.length === 0) return found
  const read = new Map((await readLeases(context, unknown)).map((lease) => [nameOf(lease), lease]))
  for (const key of unknown) {
    const lease = read.get(nameOf(key))
    if (lease !== undefined) found.set(key, lease)
  }
  return found
}

function nameOf({ deliveryId, claimVersion }: LeaseKey): string {
  return `${deliveryId} ${claimVersion}`
}

interface LeaseRow {
  readonly id: Uint8Array
  readonly batch: Uint8Array | null
  readonly tenant_id: Uint8Array
  readonly event_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly endpoint_id: Uint8Array | null
  readonly target_id: Uint8Array
  readonly claim_version: number
  readonly attempt_count: number
  readonly lost_claims: number
  readonly line: number | null
  readonly created_at: number
}

async function readLeases(context: Context, keys: readonly LeaseKey[]): Promise<readonly Lease[]> {
  const rows = await run(context, readStatement, {
    ids: keys.map(({ deliveryId }) => uuidOfId(deliveryId)),
    versions: keys.map(({ claimVersion }) => claimVersion),
  })
  return rows.map((row) => ({
    deliveryId: bytesToId(idPrefixes.delivery, row.id),
    id: uuid(row.id),
    batch: row.batch === null ? '' : uuid(row.batch),
    event: uuid(row.event_id),
    tenant: uuid(row.tenant_id),
    subscription: row.subscription_id === null ? null : uuid(row.subscription_id),
    endpoint: row.endpoint_id === null ? null : uuid(row.endpoint_id),
    target: uuid(row.target_id),
    targetId: bytesToId(idPrefixes.endpoint, row.target_id),
    claimVersion: row.claim_version,
    attemptCount: row.attempt_count,
    lostClaims: row.lost_claims,
    line: row.line,
    createdAt: row.created_at,
    since: null,
    until: 0,
    isLive: row.batch === null,
  }))
}

const readStatement = query<LeaseRow>()(
  'read_leases',
  { ids: 'uuid[]', versions: 'integer[]' },
  // primary keys; the few hundred rows of handoffs are looked through
  `select d.id, null::uuid as batch, d.tenant_id, d.event_id, d.subscription_id, d.endpoint_id, d.target_id,
     d.claim_version, d.attempt_count, d.lost_claims, d.line, d.created_at
   from unnest($ids, $versions) as o (id, version) cross join lateral (
     select * from live_deliveries l
     where l.id = o.id and l.claim_version = o.version and l.state = 'in_flight' limit 1) d
   union all
   select h.id, h.batch, h.tenant_id, h.event_id, h.subscription_id, h.endpoint_id, h.target_id, h.claim_version, 0, 0,
     null::bigint, h.created_at
   from (
     select ${handedOffColumns}, l.batch
     from (${handOffLeases} and h.delivery_ids && $ids and l.id = any ($ids)) l
     cross join lateral (select * from events e where e.id = l.event_id limit 1) e
     where ${isOnlyHandedOff}) h
   where ((h.id, h.claim_version) in (select * from unnest($ids, $versions))) is true`,
)
