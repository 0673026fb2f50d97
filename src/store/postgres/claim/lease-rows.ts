/** What a claim grants: the rows are in flight, and one row of `handoffs` says for all of them until when. */
import type { Grant } from '../../../core/claim/claim-batch.ts'
import { leased } from '../../../core/claim/row-fate.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { ClaimedDelivery } from '../../port.ts'
import { rowsOf } from '../connection/lists.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { countMoved } from '../record/finish.ts'
import { optionalUuid, uuid } from '../rows/wire-types.ts'
import type { Candidate } from './candidates.ts'
import type { DueRow } from './due-rows.ts'
import type { Lease } from './leases.ts'
import type { NodeIdentity } from './shares.ts'

export type Taken = Grant<Candidate, DueRow>

export interface Granting {
  /** The name of the row of `handoffs`. */
  readonly batch: string
  readonly node: NodeIdentity
  /** When the leases end. */
  readonly until: number
}

interface Granted {
  readonly deliveries: readonly ClaimedDelivery[]
  readonly granted: readonly Lease[]
}

/** Sends its statements at once. */
export async function leaseRows(
  context: Context,
  taken: readonly Taken[],
  granting: Granting,
): Promise<Granted> {
  if (taken.length === 0) return { deliveries: [], granted: [] }
  const leases = taken.map((each) => toLease(each, granting))
  const ids = leases.map(({ id }) => id)
  const leasing = run(context, leaseStatement, {
    ids,
    states_before: taken.map(({ row }) => row.locked.state),
    claim_versions: leases.map(({ claimVersion }) => claimVersion),
    lost_claims: leases.map(({ lostClaims }) => lostClaims),
    no_events: ids.map(() => null),
    payloads_of: largeOf(taken),
    batch: granting.batch,
    node: granting.node.id,
    until: granting.until,
  })
  const [rows] = await Promise.all([leasing, markProbes(context, taken, granting)])
  const payloads = new Map(rows.map((row) => [uuid(row.event_id), row.payload]))
  return {
    deliveries: taken.map((each, index) => toClaimed(each, leases[index] as Lease, payloads)),
    granted: leases,
  }
}

/** Events whose payloads were not read with the rows. */
function largeOf(taken: readonly Taken[]): readonly string[] {
  const large = taken.filter(({ row }) => row.columns.payload === null)
  return Array.from(new Set(large.map(({ row }) => uuid(row.columns.event_id))))
}

interface LeasedRow {
  readonly event_id: Uint8Array
  readonly payload: Uint8Array
}

const leasedLists = rowsOf({
  id: 'ids',
  from_state: 'states_before',
  claim_version: 'claim_versions',
  lost_claims: 'lost_claims',
})

const leaseStatement = query<LeasedRow>()(
  'lease_rows',
  {
    ids: 'uuid[]',
    states_before: 'text[]',
    claim_versions: 'integer[]',
    lost_claims: 'integer[]',
    no_events: 'uuid[]',
    payloads_of: 'uuid[]',
    batch: 'uuid',
    node: 'uuid',
    until: 'bigint',
  },
  // primary keys, one seek for each whatever is known of the tables; the rows are locked since they were read
  `with leased as (
     update live_deliveries d set state = 'in_flight', claim_version = o.claim_version, lost_claims = o.lost_claims,
       updated_at = ${now}
     from (
       select w.*, l.tid from (${leasedLists}) w
       cross join lateral (select ctid as tid from live_deliveries l where l.id = w.id limit 1) l) o
     where d.ctid = o.tid
     returning d.tenant_id, d.endpoint_id, o.from_state, d.state as to_state
   ), held as (
     insert into handoffs (batch, node_id, granted_at, until, delivery_ids, event_ids, claim_versions)
     values ($batch, $node, ${now}, $until, $ids, $no_events, $claim_versions)
   ), moved as (select * from leased), counted as (${countMoved})
   select w.event_id, e.payload from (${rowsOf({ event_id: 'payloads_of' })}) w
   cross join lateral (select payload from events e where e.id = w.event_id limit 1) e`,
)

async function markProbes(context: Context, taken: readonly Taken[], { until }: Granting): Promise<void> {
  const probes = taken.filter(({ target }) => target.isProbe)
  if (probes.length === 0) return
  await run(context, markStatement, {
    targets: probes.map(({ target }) => target.target),
    deliveries: probes.map(({ row }) => row.locked.id),
    until,
  })
}

const markStatement = command(
  'mark_probes',
  { targets: 'uuid[]', deliveries: 'uuid[]', until: 'bigint' },
  // primary key; the rows are locked since they were chosen
  `update endpoint_state s set probe_delivery_id = o.delivery_id, probe_until = $until
   from unnest($targets, $deliveries) as o (target_id, delivery_id) where s.target_id = o.target_id`,
)

function toLease({ row, target }: Taken, { batch, until }: Granting): Lease {
  const { columns, locked } = row
  const { claimVersion, lostClaims } = leased(locked)
  return {
    deliveryId: bytesToId(idPrefixes.delivery, columns.id),
    id: locked.id,
    batch,
    event: uuid(columns.event_id),
    tenant: target.tenant,
    subscription: optionalUuid(columns.subscription_id),
    endpoint: optionalUuid(columns.endpoint_id),
    target: target.target,
    targetId: target.targetId,
    claimVersion,
    attemptCount: columns.attempt_count,
    lostClaims,
    line: columns.line,
    createdAt: columns.created_at,
    since: columns.since,
    until,
    isLive: true,
  }
}

function toClaimed(
  { row: { columns }, target }: Taken,
  lease: Lease,
  payloads: ReadonlyMap<string, Uint8Array>,
): ClaimedDelivery {
  const optionalId = (prefix: 'ep' | 'sub', bytes: Uint8Array | null) =>
    bytes === null ? null : bytesToId(prefix, bytes)
  return {
    id: lease.deliveryId,
    tenantId: target.tenantId,
    eventId: bytesToId(idPrefixes.event, columns.event_id),
    subscriptionId: optionalId(idPrefixes.subscription, columns.subscription_id),
    endpointId: optionalId(idPrefixes.endpoint, columns.endpoint_id),
    targetId: target.targetId,
    topic: columns.topic,
    metadata: columns.metadata === null ? null : JSON.parse(columns.metadata),
    traceContext: columns.trace_context === null ? null : JSON.parse(columns.trace_context),
    request: columns.request === null ? null : JSON.parse(columns.request),
    payload: columns.payload ?? (payloads.get(lease.event) as Uint8Array),
    claimVersion: lease.claimVersion,
    attemptCount: lease.attemptCount,
    lostClaims: lease.lostClaims,
    createdAt: lease.createdAt,
  }
}
