/** Which targets a claim looks at: a rotating scan over the tenants with due work, then each one's ready rows. */
import type { ClaimTarget } from '../../../core/claim/claim-batch.ts'
import { type DueTenant, pickTargets, type ReadyOrder } from '../../../core/claim/pick-targets.ts'
import { isFresh, type NextAt } from '../../../core/claim/ready-row.ts'
import type { TurnCredits, Weighted } from '../../../core/claim/weighted-turns.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { tokensAt } from '../../../core/rate-limit.ts'
import type { ClaimRequest } from '../../port.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { candidatesSql } from './candidates-sql.ts'
import type { Leases } from './leases.ts'
import { type LowWaterMarks, type Start, startOf } from './low-water-marks.ts'
import { insertBucket, type LockedBucket, lockBuckets } from './rate-buckets.ts'
import { growShares, type NodeIdentity } from './shares.ts'

/** Where the next claim begins, so that low tenant ids do not always win, and what is owed to tenants by their weights. */
export interface TenantRotation {
  after: string
  readonly credits: TurnCredits
}

export const rotationStart = '00000000000000000000000000000000'

/** A target whose ready row this claim has locked, so that the row stays where and what it is. */
export interface LockedTarget {
  /** Hexadecimal. */
  readonly target: string
  /** Where its ready row stands in the table, as PostgreSQL says it (`ctid`). */
  readonly tid: string
  /** What its ready row says. */
  readonly nextAt: NextAt
  readonly start: Start
  /** The database's time. */
  readonly now: number
}

export interface Candidate extends LockedTarget, ClaimTarget {
  readonly targetId: string
  /** Hexadecimal. */
  readonly tenant: string
  /** The pause is over and one delivery may try. */
  readonly isProbe: boolean
  /** Null: its endpoint has no rate. */
  readonly rate: { readonly rps: number; readonly bucket: LockedBucket } | null
}

export interface Candidates {
  readonly open: readonly Candidate[]
  /** Ready, but paused, out on a probe or out of tokens: only their ready rows are to be moved. */
  readonly blocked: readonly LockedTarget[]
  /** Tenants that are due and were not looked at, where weights differ. */
  readonly waiting: readonly Weighted[]
  /** This node's slots of the targets that were looked at, by target id. */
  readonly shares: ReadonlyMap<string, number>
}

/** A due tenant without a target that may be claimed has one row, in which everything else is null. */
interface TenantRow {
  readonly tenant_id: Uint8Array
  readonly weight: number
  readonly target_id: null
}

interface CandidateRow {
  readonly target_id: Uint8Array
  readonly ready_order: ReadyOrder
  readonly tid: string
  readonly next_at: NextAt
  readonly tenant_id: Uint8Array
  readonly weight: number
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
  readonly now: number
}

export interface Claimant {
  readonly node: NodeIdentity
  readonly rotation: TenantRotation
  readonly marks: LowWaterMarks
  /** What this process holds. */
  readonly leases: Leases
}

const candidatesStatement = query<CandidateRow | TenantRow>()(
  'pick_candidates',
  { after: 'uuid', limit: 'integer', full: 'uuid[]', node: 'uuid' },
  candidatesSql,
)

/** Locks the ready rows of what it picks; those that another node has locked are passed over. */
export async function pickCandidates(
  context: Context,
  request: ClaimRequest,
  { node, rotation, marks }: Claimant,
): Promise<Candidates> {
  const full = Array.from(request.slots).filter(([id, slots]) => slots <= 0 && !request.wantsMore?.has(id))
  const rows = await run(context, candidatesStatement, {
    after: rotation.after,
    limit: request.limit,
    full: full.map(([targetId]) => uuidOfId(targetId)),
    node: node.id,
  })
  const {
    open: picked,
    blocked: held,
    last,
    waiting,
  } = pickTargets<Ready, Tenant>({
    limit: request.limit,
    tenants: toTenants(rows),
    credits: rotation.credits,
    judge: ({ row }) => (row.is_blocked ? 'blocked' : 'open'),
  })
  if (last !== null) rotation.after = last.tenant
  const start = (row: CandidateRow) => startOf(marks, bytesToId(idPrefixes.endpoint, row.target_id), row.now)
  const blocked = held.map(({ row }) => toLocked(row, start(row)))
  const { candidates, shares } = await toCandidates(
    context,
    picked.map(({ row }) => row),
    { node, request, start },
  )
  for (const candidate of candidates) {
    if (candidate.rate !== null && tokensOf(candidate.rate) < 1) blocked.push(candidate)
  }
  return {
    open: candidates.filter(({ slots }) => slots > 0),
    blocked,
    waiting,
    shares: new Map(candidates.map(({ target, targetId }) => [targetId, shares.get(target) ?? 0])),
  }
}

interface Ready {
  readonly targetId: string
  readonly row: CandidateRow
}

interface Tenant extends DueTenant<Ready> {
  readonly tenant: string
}

/** Tenants in the order of the rows, as are the ready rows of each. */
function toTenants(rows: readonly (CandidateRow | TenantRow)[]): readonly Tenant[] {
  return Array.from(
    Map.groupBy(rows, (row) => uuid(row.tenant_id)),
    ([tenant, ofTenant]) => {
      const found = ofTenant.filter((row) => row.target_id !== null)
      const ready = (order: ReadyOrder): readonly Ready[] =>
        found
          .filter((row) => row.ready_order === order)
          .map((row) => ({ targetId: uuid(row.target_id), row }))
      const [{ tenant_id, weight }] = ofTenant as [TenantRow | CandidateRow]
      return { tenant, tenantId: bytesToId(idPrefixes.tenant, tenant_id), weight, ready }
    },
  )
}

interface Picker {
  readonly node: NodeIdentity
  readonly request: ClaimRequest
  readonly start: (row: CandidateRow) => Start
}

/** Targets whose limits could be locked, with what these allow. */
async function toCandidates(
  context: Context,
  picked: readonly CandidateRow[],
  { node, request, start }: Picker,
): Promise<{ readonly candidates: readonly Candidate[]; readonly shares: ReadonlyMap<string, number> }> {
  const granted = await lockProbes(
    context,
    picked.filter((row) => row.is_probe),
  )
  const allowed = picked.filter((row) => !row.is_probe || granted.has(uuid(row.target_id)))
  const shares = await takeShares(context, node, { rows: allowed, request })
  const rated = allowed.filter((row) => row.rate_limit_rps !== null)
  for (const row of rated) if (row.lacks_bucket) await insertBucket(context, uuid(row.target_id))
  const buckets = await lockBuckets(
    context,
    rated.map((row) => uuid(row.target_id)),
  )
  const candidates = allowed
    .filter((row) => row.rate_limit_rps === null || buckets.has(uuid(row.target_id)))
    .map((row) => {
      const bucket = buckets.get(uuid(row.target_id))
      return toCandidate(row, { request, shares, bucket, start: start(row) })
    })
  return { candidates, shares }
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
  const targets = growing.map((row) => uuid(row.target_id))
  const grown = await growShares(context, node, targets)
  for (const [target, slots] of grown) shares.set(target, slots)
  return shares
}

function tokensOf({ rps, bucket }: NonNullable<Candidate['rate']>): number {
  return tokensAt(bucket, rps, bucket.now)
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
    ...toLocked(row, start),
    targetId,
    tenant: uuid(row.tenant_id),
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    weight: row.weight,
    isProbe: row.is_probe,
    isFresh: isFresh(row.next_at),
    isRated: rate !== null,
    rate,
    slots: row.is_probe ? Math.min(1, free) : free,
  }
}

function toLocked(row: CandidateRow, start: Start): LockedTarget {
  return { target: uuid(row.target_id), tid: row.tid, nextAt: row.next_at, start, now: row.now }
}

/** One probe for the cluster: whoever holds the row decides. Outcomes that come in now make us pass it over. */
async function lockProbes(context: Context, rows: readonly CandidateRow[]): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set()
  const locked = await run(context, lockProbesStatement, { targets: rows.map((row) => uuid(row.target_id)) })
  return new Set(locked.map((row) => uuid(row.target_id)))
}

const lockProbesStatement = query<{ readonly target_id: Uint8Array }>()(
  'lock_probes',
  { targets: 'uuid[]' },
  // primary key, in key order
  `select target_id from endpoint_state
   where target_id = any ($targets) and paused_until is not null
     and greatest(paused_until, probe_until) <= ${now}
   order by target_id for update skip locked`,
)
