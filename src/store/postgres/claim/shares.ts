/**
 * How nodes share the slots of a target. A node registers with a lease that it renews every second or so, and all that
 * it holds is its own until then: nothing is written per target to keep a share. A node that did not renew in time has
 * lost everything, and comes back under another name. Requests that it started before may be open for a while; so long
 * its slots are taken as far as there are deliveries in flight.
 *
 * A claim that meets a target of which this node has no slots, or too few, takes its part of what is free, under the
 * lock of the endpoint's row; hand-offs spend what the node has without asking anybody. When nothing is free the node
 * says that it wants some, and the others give up what they do not use, or what is above their part.
 */
import { randomUUID } from 'node:crypto'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { ShareRenewal, SlotLease } from '../../port.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { endpointIn } from '../rows/fan-out.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { everyNode } from './rate-buckets.ts'

/** Who this process is among the nodes. */
export interface NodeIdentity {
  /** Another one after each lapse: what it held before is lost. */
  id: string
  /** Somebody renews it; else every claim does. */
  isRenewed: boolean
}

export function newNode(): NodeIdentity {
  return { id: randomUUID(), isRenewed: false }
}

/** A wish that is not repeated is forgotten after this. */
const wantMs = 5000
/**
 * Slots in use are not split up further: several nodes that claim for two or three slots each got through half as many
 * requests as one that claimed for all of them.
 */
const smallPart = 8
/**
 * What is in use above that is given up in so many steps, one a second: a wish may be for one slot, and what is given
 * up is used by nobody for a moment.
 */
const lowerings = 16
/** Every node has renewed its lease by then, or lost it. */
const reviewMs = 120_000

/** Keeps this node's shares. Those of nodes whose requests are over go. */
export async function renewNode(context: Context, node: NodeIdentity, lease: SlotLease): Promise<void> {
  const { usableMs, openMs } = lease
  const times = { usable_ms: Math.round(usableMs), until_ms: Math.round(usableMs + openMs) }
  const kept = await run(context, renewStatement, { node: node.id, ...times })
  if (kept.length > 0) return
  node.id = randomUUID()
  await run(context, addStatement, { node: node.id, ...times })
}

const renewStatement = query<{ readonly id: Uint8Array }>()(
  'renew_node',
  { node: 'uuid', usable_ms: 'bigint', until_ms: 'bigint' },
  // nodes is small; endpoint_shares_node
  `with dead as (
     delete from nodes where until <= ${now} returning id
   ), gone as (
     delete from endpoint_shares s using dead where s.node_id = dead.id
   )
   update nodes set usable_until = ${now} + $usable_ms, until = ${now} + $until_ms
   where id = $node and usable_until > ${now} returning id`,
)

const addStatement = command(
  'add_node',
  { node: 'uuid', usable_ms: 'bigint', until_ms: 'bigint' },
  `insert into nodes (id, usable_until, until) values ($node, ${now} + $usable_ms, ${now} + $until_ms)`,
)

export async function renewShares(
  context: Context,
  node: NodeIdentity,
  lease: SlotLease,
): Promise<ShareRenewal> {
  node.isRenewed = true
  await renewNode(context, node, lease)
  const rows = await run(context, wantedStatement, { node: node.id })
  const wanted = rows.map((row) => [bytesToId(idPrefixes.endpoint, row.target_id), row.keep] as const)
  return { nodeId: node.id, wanted: new Map(wanted) }
}

const wantedStatement = query<{ readonly target_id: Uint8Array; readonly keep: number }>()(
  'wanted_slots',
  { node: 'uuid' },
  // endpoint_shares_wanted, then primary keys; parts differ by at most one, and together they are the whole
  `select m.target_id, case when h.total > e.max_in_flight then h.part
     else greatest(${smallPart}, h.part, m.slots - ceil(e.max_in_flight / ${lowerings}.0)::integer) end as keep
   from (select distinct target_id from endpoint_shares where wants_until > ${now} and node_id <> $node) w
   join endpoint_shares m on m.target_id = w.target_id and m.node_id = $node and m.slots > 0
   join endpoints e on e.id = m.target_id
   cross join lateral (
     select sum(o.slots) as total, (e.max_in_flight / count(*)
       + (count(*) filter (where o.node_id < $node) < e.max_in_flight % count(*))::integer)::integer as part
     from endpoint_shares o join nodes n on n.id = o.node_id and n.usable_until > ${now}
     where o.target_id = m.target_id) h`,
)

/** The share of each target is no more than this from now on. */
export async function lowerShares(
  context: Context,
  node: NodeIdentity,
  slots: ReadonlyMap<string, number>,
): Promise<void> {
  const inKeyOrder = Array.from(slots, ([id, count]) => ({ target: uuidOfId(id), count })).sort((a, b) =>
    a.target < b.target ? -1 : 1,
  )
  await run(context, lowerStatement, {
    node: node.id,
    targets: inKeyOrder.map(({ target }) => target),
    slots: inKeyOrder.map(({ count }) => count),
  })
}

const lowerStatement = command(
  'lower_shares',
  { node: 'uuid', targets: 'uuid[]', slots: 'integer[]' },
  // primary key
  `with lowered as materialized (
     select s.target_id, o.slots from unnest($targets, $slots) as o (target_id, slots)
     join endpoint_shares s on s.target_id = o.target_id and s.node_id = $node order by s.target_id for update of s
   ), gone as (
     delete from endpoint_shares s using lowered l where s.target_id = l.target_id and s.node_id = $node and l.slots = 0
   )
   update endpoint_shares s set slots = least(s.slots, l.slots) from lowered l
   where s.target_id = l.target_id and s.node_id = $node and l.slots > 0`,
)

/** The node is gone: the slots that it held are free at once. */
export async function removeNode(context: Context, node: NodeIdentity): Promise<void> {
  await run(context, removeStatement, { node: node.id })
}

const removeStatement = command(
  'remove_node',
  { node: 'uuid' },
  // endpoint_shares_node, primary key
  `with gone as (delete from endpoint_shares where node_id = $node) delete from nodes where id = $node`,
)

/**
 * Takes this node's part of what is free of each target: the more nodes, the less at a time, so that one that comes
 * next finds something; and while others wish for some, no more than its part of the whole. The shares of those that could be looked at; an endpoint that is being changed is left out.
 */
export async function growShares(
  context: Context,
  node: NodeIdentity,
  targets: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (targets.length === 0) return new Map()
  const endpoints = await run(context, lockLimitsStatement, { targets })
  const rows = await run(context, growStatement, {
    node: node.id,
    targets: endpoints.map(({ id }) => uuid(id)),
    limits: endpoints.map((endpoint) => endpoint.max_in_flight),
  })
  return new Map(rows.map((row) => [uuid(row.target_id), row.slots]))
}

const lockLimitsStatement = query<{ readonly id: Uint8Array; readonly max_in_flight: number }>()(
  'lock_limits',
  { targets: 'uuid[]' },
  // primary key. Whoever comes second must see what the first took, so the sums are another statement.
  `select id, max_in_flight from endpoints where id = any ($targets) order by id
   for no key update skip locked`,
)

/**
 * SQL: how many requests of the share `s`, whose node `n` is gone, may be open: of leases that it granted until then. Some
 * of them have ended, and only the finished deliveries say which: claims do without that table.
 */
const mayBeOpen = `
  select count(*) from (
    select from handoffs h cross join lateral unnest(h.delivery_ids, h.event_ids) as l (id, event_id)
    where h.node_id = n.id and h.until > ${now} and h.granted_at <= n.usable_until
      and s.target_id = coalesce(
        (select f.target_id from live_deliveries f where f.id = l.id),
        (select ${endpointIn('e.fan_out', 'l.id')} from events e where e.id = l.event_id))
    limit s.slots) f`

const growStatement = query<{ readonly target_id: Uint8Array; readonly slots: number }>()(
  'grow_shares',
  { node: 'uuid', targets: 'uuid[]', limits: 'integer[]' },
  // nodes is small; primary key, and for nodes that are gone what stands in handoffs
  `with alive as materialized (
     select id from nodes where usable_until > ${now}
   ), held as materialized (
     select s.target_id, s.node_id, s.wants_until, n.usable_until > ${now} as is_alive,
       case when n.usable_until > ${now} then s.slots else (${mayBeOpen}) end as slots
     from endpoint_shares s join nodes n on n.id = s.node_id and n.until > ${now}
     where s.target_id = any ($targets)
   ), facts as materialized (
     select w.target_id, w.max_in_flight as whole, w.max_in_flight - coalesce(sum(h.slots), 0) as free,
       coalesce(sum(h.slots) filter (where h.node_id = $node), 0) as mine,
       count(*) filter (where h.is_alive and h.node_id <> $node and h.wants_until > ${now}) as wishes,
       count(*) filter (where h.is_alive and h.node_id <> $node and (h.slots > 0 or h.wants_until > ${now})) + 1 as nodes
     from unnest($targets, $limits) as w (target_id, max_in_flight)
     left join held h on h.target_id = w.target_id
     group by w.target_id, w.max_in_flight
   ), bounds as (
     select target_id,
       least(greatest(0, free), greatest(${smallPart}, ceil(free / (select count(*) from alive)::numeric))) as free,
       greatest(0,
         case when wishes > 0 then least(whole, greatest(${smallPart}, ceil(whole / nodes::numeric))) else whole end
         - mine) as wanted
     from facts where $node in (select id from alive)
   )
   insert into endpoint_shares as s (target_id, node_id, slots, wants_until)
   select target_id, $node, least(free, wanted), case when free = 0 and wanted > 0 then ${now} + ${wantMs} end
   from bounds order by target_id
   on conflict (target_id, node_id) do update
     set slots = s.slots + excluded.slots, wants_until = excluded.wants_until
   returning target_id, slots`,
)

/** The limit is another one: every node is to look at what it holds. */
export async function reviewShares(context: Context, endpoint: string): Promise<void> {
  await run(context, reviewStatement, { endpoint })
}

const reviewStatement = command(
  'review_shares',
  { endpoint: 'uuid' },
  // primary key
  `update endpoint_shares set wants_until = ${now} + ${reviewMs} where target_id = $endpoint and node_id <> '${everyNode}'`,
)

/** The endpoint is deleted. */
export async function forgetShares(context: Context, endpoint: string): Promise<void> {
  await run(context, forgetStatement, { endpoint })
}

const forgetStatement = command(
  'forget_shares',
  { endpoint: 'uuid' },
  'delete from endpoint_shares where target_id = $endpoint',
)
