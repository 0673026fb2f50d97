/** What a claim grants: the rows are in flight, and one row of `handoffs` says for all of them until when. */
import type { Grant } from '../../../core/claim/claim-batch.ts'
import { leased } from '../../../core/claim/row-fate.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { ClaimedDelivery } from '../../port.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { countMoved } from '../record/finish.ts'
import { type LockedColumns, toLockedRow } from '../record/wait.ts'
import { uuid } from '../rows/wire-types.ts'
import type { Candidate } from './candidates.ts'
import { type Lease, newBatch } from './leases.ts'
import type { NodeIdentity } from './shares.ts'

export interface DueRow extends LockedColumns {
  readonly target_id: Uint8Array
  readonly event_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly endpoint_id: Uint8Array | null
  readonly created_at: number
  readonly since: number | null
  readonly due_at: number
  readonly topic: string | null
  readonly metadata: string | null
  readonly trace_context: string | null
  readonly request: string | null
  /** Null: there is no payload. */
  readonly payload_bytes: number | null
  readonly is_deleted: boolean
  readonly is_disabled: boolean
  readonly routing_version: number
}

export type Taken = Grant<Candidate, DueRow>

interface Granting {
  readonly leaseMs: number
  readonly node: NodeIdentity
}

interface Granted {
  readonly deliveries: readonly ClaimedDelivery[]
  readonly granted: readonly Lease[]
}

export async function leaseRows(
  context: Context,
  taken: readonly Taken[],
  { leaseMs, node }: Granting,
): Promise<Granted> {
  if (taken.length === 0) return { deliveries: [], granted: [] }
  const batch = newBatch()
  const after = taken.map(({ row }) => leasedRow(row))
  const ids = taken.map(({ row }) => uuid(row.id))
  const rows = await run(context, leaseStatement, {
    ids,
    states_before: taken.map(({ row }) => row.state),
    claim_versions: after.map(({ claimVersion }) => claimVersion),
    lost_claims: after.map(({ lostClaims }) => lostClaims),
    no_events: ids.map(() => null),
    payloads_of: Array.from(new Set(taken.map(({ row }) => uuid(row.event_id)))),
    batch,
    node: node.id,
    lease_ms: Math.round(leaseMs),
  })
  const payloads = new Map(rows.map((row) => [uuid(row.event_id), row.payload]))
  const until = rows[0]?.until ?? 0
  await markProbes(context, taken, leaseMs)
  return {
    deliveries: taken.map((each) => toClaimed(each, payloads.get(uuid(each.row.event_id)) as Uint8Array)),
    granted: taken.map((each) => toLease(each, { batch, until })),
  }
}

function leasedRow(row: DueRow) {
  return leased(toLockedRow(row))
}

interface LeasedRow {
  readonly event_id: Uint8Array
  readonly payload: Uint8Array
  readonly until: number
}

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
    lease_ms: 'bigint',
  },
  // primary keys, one seek for each whatever is known of the tables; the rows are locked since they were read
  `with leased as (
     update live_deliveries d set state = 'in_flight', claim_version = o.claim_version, lost_claims = o.lost_claims,
       updated_at = ${now}
     from (
       select w.*, l.tid from unnest($ids, $states_before, $claim_versions, $lost_claims)
         as w (id, from_state, claim_version, lost_claims)
       cross join lateral (select ctid as tid from live_deliveries l where l.id = w.id limit 1) l) o
     where d.ctid = o.tid
     returning d.tenant_id, d.endpoint_id, o.from_state, d.state as to_state
   ), held as (
     insert into handoffs (batch, node_id, granted_at, until, delivery_ids, event_ids, claim_versions)
     values ($batch, $node, ${now}, ${now} + $lease_ms, $ids, $no_events, $claim_versions)
   ), moved as (select * from leased), counted as (${countMoved})
   select w.event_id, e.payload, ${now} + $lease_ms as until
   from unnest($payloads_of) as w (event_id)
   cross join lateral (select payload from events e where e.id = w.event_id limit 1) e`,
)

async function markProbes(context: Context, taken: readonly Taken[], leaseMs: number): Promise<void> {
  const probes = taken.filter(({ target }) => target.isProbe)
  if (probes.length === 0) return
  await run(context, markStatement, {
    targets: probes.map(({ target }) => target.target),
    deliveries: probes.map(({ row }) => uuid(row.id)),
    lease_ms: Math.round(leaseMs),
  })
}

const markStatement = command(
  'mark_probes',
  { targets: 'uuid[]', deliveries: 'uuid[]', lease_ms: 'bigint' },
  // primary key; the rows are locked since they were chosen
  `update endpoint_state s set probe_delivery_id = o.delivery_id, probe_until = ${now} + $lease_ms
   from unnest($targets, $deliveries) as o (target_id, delivery_id) where s.target_id = o.target_id`,
)

function toLease(
  { row, target }: Taken,
  { batch, until }: { readonly batch: string; readonly until: number },
): Lease {
  const { claimVersion, lostClaims } = leasedRow(row)
  return {
    deliveryId: bytesToId(idPrefixes.delivery, row.id),
    id: uuid(row.id),
    batch,
    event: uuid(row.event_id),
    tenant: target.tenant,
    subscription: row.subscription_id === null ? null : uuid(row.subscription_id),
    endpoint: row.endpoint_id === null ? null : uuid(row.endpoint_id),
    target: target.target,
    targetId: target.targetId,
    claimVersion,
    attemptCount: row.attempt_count,
    lostClaims,
    line: row.line,
    createdAt: row.created_at,
    since: row.since,
    until,
    isLive: true,
  }
}

function toClaimed({ row, target }: Taken, payload: Uint8Array): ClaimedDelivery {
  const optionalId = (prefix: 'ep' | 'sub', bytes: Uint8Array | null) =>
    bytes === null ? null : bytesToId(prefix, bytes)
  const { claimVersion, lostClaims } = leasedRow(row)
  return {
    id: bytesToId(idPrefixes.delivery, row.id),
    tenantId: target.tenantId,
    eventId: bytesToId(idPrefixes.event, row.event_id),
    subscriptionId: optionalId(idPrefixes.subscription, row.subscription_id),
    endpointId: optionalId(idPrefixes.endpoint, row.endpoint_id),
    targetId: target.targetId,
    topic: row.topic,
    metadata: row.metadata === null ? null : JSON.parse(row.metadata),
    traceContext: row.trace_context === null ? null : JSON.parse(row.trace_context),
    request: row.request === null ? null : JSON.parse(row.request),
    payload,
    claimVersion,
    attemptCount: row.attempt_count,
    lostClaims,
    createdAt: row.created_at,
  }
}
