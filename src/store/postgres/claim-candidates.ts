/** Which targets a claim looks at: a rotating scan over the tenants with due work, then each one's ready rows. */
import { bytesToId, idPrefixes } from '../../core/ids.ts'
import { tokensAt } from '../../core/rate-limit.ts'
import type { ClaimRequest } from '../port.ts'
import { type Context, now } from './context.ts'
import { type LowWaterMarks, type Position, type Start, startOf } from './low-water-marks.ts'
import { everyNode, insertBucket, type LockedBucket, lockBuckets } from './rate-buckets.ts'
import { growShares, type NodeIdentity } from './shares.ts'
import { uuid, uuidOfId } from './wire-types.ts'

/** Where the next claim begins, so that low tenant ids do not always win. */
export interface TenantRotation {
  after: string
}

export const rotationStart = '00000000000000000000000000000000'

export interface Candidate {
  readonly target: Uint8Array
  /** Of its ready row, which this claim has locked, so that it stays there. */
  readonly place: string
  readonly targetId: string
  readonly tenant: Uint8Array
  readonly tenantId: string
  /** The pause is over and one delivery may try. */
  readonly isProbe: boolean
  /** Its due work is new and little. */
  readonly isFresh: boolean
  /** Null: its endpoint has no rate. */
  readonly rate: { readonly rps: number; readonly bucket: LockedBucket } | null
  /** Deliveries that it may still give. */
  slots: number
  mayHaveMore: boolean
  /** It had its turn; else it keeps its place. */
  isLooked: boolean
  given: number
  /** The database's time. */
  readonly now: number
  readonly start: Start
  /** Where the look at what is left begins. */
  settleFrom: Position
  /** The last delivery that was looked at: the next round goes on behind it, though it is still due. */
  after: Position
  /** The last delivery that was dealt with, and the first one that was left as it was. */
  passed: Position | null
  left: Position | null
}

export interface Candidates {
  readonly open: readonly Candidate[]
  /** Ready, but paused, out on a probe or out of tokens: only their ready rows are to be moved. */
  readonly blocked: readonly Blocked[]
  /** This node's slots of the targets that were looked at, by target id. */
  readonly shares: ReadonlyMap<string, number>
}

export interface Blocked {
  readonly target: Uint8Array
  readonly place: string
  readonly start: Start
}

/** Tenants looked at in one claim at most; the rotation reaches the others. */
const maxTenants = 256

interface CandidateRow {
  readonly target_id: Uint8Array
  readonly place: string
  readonly tenant_id: Uint8Array
  readonly max_in_flight: number | null
  readonly rate_limit_rps: number | null
  /** It has a rate, and nobody has made its bucket, as in a database that was copied. */
  readonly lacks_bucket: boolean
  /** This node's slots. */
  readonly share: number
  /** How many nodes there are. */
  readonly nodes: number
  readonly is_blocked: boolean
  readonly is_probe: boolean
  readonly is_fresh: boolean
  /** Which order found it, and how many of its tenant's targets may be picked up to that order. */
  readonly up_to: number
  readonly now: number
}

export interface Claimant {
  readonly node: NodeIdentity
  readonly rotation: TenantRotation
  readonly marks: LowWaterMarks
}

/** Locks the ready rows of what it picks; those that another node has locked are passed over. */
export async function pickCandidates(
  context: Context,
  request: ClaimRequest,
  { node, rotation, marks }: Claimant,
): Promise<Candidates> {
  const full = Array.from(request.slots).filter(([id, slots]) => slots <= 0 && !request.wantsMore?.has(id))
  const rows = await context.query<CandidateRow>('pick_candidates', candidatesSql, [
    context.shiftMs,
    rotation.after,
    request.limit,
    full.map(([targetId]) => uuidOfId(targetId)),
    node.id,
  ])
  const startOfRow = (row: CandidateRow): Start =>
    startOf(marks, bytesToId(idPrefixes.endpoint, row.target_id), row.now)
  const blocked = new Map<string, Blocked>(
    rows
      .filter((row) => row.is_blocked)
      .map((row) => [
        uuid(row.target_id),
        { target: row.target_id, place: row.place, start: startOfRow(row) },
      ]),
  )
  const picked = pickInOrder(rows, request.limit)
  const last = picked.at(-1)
  if (last !== undefined) rotation.after = uuid(last.tenant_id)
  const granted = await lockProbes(
    context,
    picked.filter((row) => row.is_probe),
  )
  const allowed = picked.filter((row) => !row.is_probe || granted.has(uuid(row.target_id)))
  const shares = await takeShares(context, node, { rows: allowed, request })
  const rated = allowed.filter((row) => row.rate_limit_rps !== null)
  for (const row of rated) if (row.lacks_bucket) await insertBucket(context, row.target_id)
  const buckets = await lockBuckets(
    context,
    rated.map((row) => row.target_id),
  )
  const open = allowed
    .filter((row) => row.rate_limit_rps === null || buckets.has(uuid(row.target_id)))
    .map((row) => {
      const bucket = buckets.get(uuid(row.target_id))
      return toCandidate(row, { request, shares, bucket, start: startOfRow(row) })
    })
  for (const { target, place, rate, start } of open) {
    if (rate !== null && tokensOf(rate) < 1) blocked.set(uuid(target), { target, place, start })
  }
  return {
    open: open.filter(({ slots }) => slots > 0),
    blocked: Array.from(blocked.values()),
    shares: new Map(open.map(({ target, targetId }) => [targetId, shares.get(uuid(target)) ?? 0])),
  }
}

interface Sharing {
  readonly rows: readonly CandidateRow[]
  readonly request: ClaimRequest
}

/** By target, after those that have less than their part, or say that they could use more, have grown. */
async function takeShares(
  context: Context,
  node: NodeIdentity,
  { rows, request }: Sharing,
): Promise<ReadonlyMap<string, number>> {
  const shares = new Map(rows.map((row) => [uuid(row.target_id), row.share]))
  const growing = rows.filter((row) => {
    if (row.max_in_flight === null || row.share >= row.max_in_flight) return false
    const targetId = bytesToId(idPrefixes.endpoint, row.target_id)
    return row.share * row.nodes < row.max_in_flight || request.wantsMore?.has(targetId) === true
  })
  const targets = growing.map((row) => row.target_id)
  const grown = await growShares(context, node, { targets, leaseMs: request.leaseMs })
  for (const [target, slots] of grown) shares.set(target, slots)
  return shares
}

function tokensOf({ rps, bucket }: NonNullable<Candidate['rate']>): number {
  return tokensAt(bucket, rps, bucket.now)
}

/** What one order leaves goes to the next; a target that two orders found counts once. */
function pickInOrder(rows: readonly CandidateRow[], limit: number): readonly CandidateRow[] {
  const picked = new Map<string, CandidateRow>()
  const ofTenant = new Map<string, number>()
  for (const row of rows) {
    const [target, tenant] = [uuid(row.target_id), uuid(row.tenant_id)]
    const count = ofTenant.get(tenant) ?? 0
    if (row.is_blocked || picked.has(target) || count >= row.up_to) continue
    if (count === 0 && picked.size >= limit) break
    picked.set(target, row)
    ofTenant.set(tenant, count + 1)
  }
  return Array.from(picked.values())
}

/** A target may also hold in memory, waiting, as many as it may have in flight. */
function slotsOf(
  { slots, wantsMore }: ClaimRequest,
  targetId: string,
  { share, grown }: { readonly share: number; readonly grown: number },
): number {
  const known = slots.get(targetId)
  if (known === undefined) return share
  return wantsMore?.has(targetId) === true ? known + grown : Math.min(known, share * 2)
}

interface Means {
  readonly request: ClaimRequest
  readonly shares: ReadonlyMap<string, number>
  readonly bucket: LockedBucket | undefined
  readonly start: Start
}

function toCandidate(row: CandidateRow, { request, shares, bucket, start }: Means): Candidate {
  const targetId = bytesToId(idPrefixes.endpoint, row.target_id)
  const rps = row.rate_limit_rps
  const rate = rps === null || bucket === undefined ? null : { rps, bucket }
  const share = shares.get(uuid(row.target_id)) ?? 0
  const slots = slotsOf(request, targetId, { share, grown: share - row.share })
  const free = rate === null ? slots : Math.min(slots, tokensOf(rate))
  return {
    target: row.target_id,
    place: row.place,
    targetId,
    tenant: row.tenant_id,
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    isProbe: row.is_probe,
    isFresh: row.is_fresh,
    rate,
    slots: row.is_probe ? Math.min(1, free) : free,
    mayHaveMore: true,
    isLooked: false,
    given: 0,
    now: row.now,
    start,
    settleFrom: start.from,
    after: start.from,
    passed: null,
    left: null,
  }
}

/** SQL: ready rows of the tenant in one order, a range of ready_endpoints_tenant, locked unless another node has them. */
function inOrder(range: string, order: string, upTo: string): string {
  return `select * from (
    select r.ctid::text as place, r.target_id, r.tenant_id, r.next_at < 0 as is_fresh, ${upTo} as up_to from ready_endpoints r
    where r.tenant_id = due.tenant_id and ${range} and r.target_id <> all ($4::uuid[])
    order by r.next_at ${order} limit ${upTo} for update skip locked) o`
}

const half = '(select ceil(share / 2.0)::integer from shared)'
const threeQuarters = '(select ceil(share * 0.75)::integer from shared)'
const whole = '(select share from shared)'
const fresh = `r.next_at >= -${now} and r.next_at < 0`

/**
 * One seek per tenant, however many targets it has; then as many ready rows of each as are its share. At most half of
 * them are the newest of the fresh ones, a quarter the oldest of them, so that a flood of fresh ones starves none; the
 * others have waited longest for their turn.
 */
const candidatesSql = `
with recursive head as ( -- ready_endpoints_tenant
  (select tenant_id, next_at, 1 as place from ready_endpoints
   where tenant_id > $2::uuid order by tenant_id, next_at limit 1)
  union all
  select n.tenant_id, n.next_at, h.place + 1 from head h cross join lateral (
    select r.tenant_id, r.next_at from ready_endpoints r
    where r.tenant_id > h.tenant_id order by r.tenant_id, r.next_at limit 1) n
  where h.place < ${maxTenants}
),
tail as (
  (select tenant_id, next_at, 1 as place from ready_endpoints
   where tenant_id <= $2::uuid order by tenant_id, next_at limit 1)
  union all
  select n.tenant_id, n.next_at, t.place + 1 from tail t cross join lateral (
    select r.tenant_id, r.next_at from ready_endpoints r
    where r.tenant_id > t.tenant_id and r.tenant_id <= $2::uuid order by r.tenant_id, r.next_at limit 1) n
  where t.place < ${maxTenants}
),
due as materialized (
  select tenant_id from (
    select 0 as part, place, tenant_id, next_at from head
    union all select 1, place, tenant_id, next_at from tail) t
  where next_at <= ${now} order by part, place limit ${maxTenants}
),
alive as materialized (
  select count(*)::integer as nodes, coalesce(bool_or(id = $5), false) as has_me from nodes where usable_until > ${now}
),
shared as materialized (
  select ceil($3::integer / greatest(1, count(*))::real)::integer as share from due
)
select c.place, c.target_id, c.tenant_id, c.is_fresh, c.up_to, e.max_in_flight, e.rate_limit_rps,
  case when e.rate_limit_rps is not null then b.limited_until is null else false end as lacks_bucket,
  case when (select has_me from alive) then coalesce(h.slots, 0) else 0 end as share,
  (select nodes from alive) as nodes,
  coalesce(greatest(s.paused_until, s.probe_until) > ${now} and s.paused_until is not null, false)
    or coalesce(b.limited_until > ${now}, false) as is_blocked,
  coalesce(greatest(s.paused_until, s.probe_until) <= ${now} and s.paused_until is not null, false) as is_probe,
  ${now} as now
from due cross join lateral (
  ${inOrder(fresh, 'asc', half)}
  union all ${inOrder(fresh, 'desc', threeQuarters)}
  union all ${inOrder(`r.next_at >= 0 and r.next_at <= ${now}`, 'asc', whole)}
  union all ${inOrder(fresh, 'asc', whole)}) c
left join endpoints e on e.id = c.target_id -- primary key
left join endpoint_state s on s.target_id = c.target_id -- primary key
left join endpoint_shares h on h.target_id = c.target_id and h.node_id = $5 -- primary key
left join lateral ( -- primary key; looked up for targets with a rate only
  select limited_until from endpoint_shares
  where e.rate_limit_rps is not null and target_id = e.id and node_id = '${everyNode}') b on true`

/** One probe for the cluster: whoever holds the row decides. Outcomes that come in now make us pass it over. */
async function lockProbes(context: Context, rows: readonly CandidateRow[]): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set()
  const locked = await context.query<{ readonly target_id: Uint8Array }>(
    'lock_probes',
    // primary key, in key order
    `select target_id from endpoint_state
     where target_id = any ($2::uuid[]) and paused_until is not null
       and greatest(paused_until, probe_until) <= ${now}
     order by target_id for update skip locked`,
    [context.shiftMs, rows.map((row) => uuid(row.target_id))],
  )
  return new Set(locked.map((row) => uuid(row.target_id)))
}
