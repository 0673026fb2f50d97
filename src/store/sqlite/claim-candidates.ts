/** Which targets a claim looks at: a rotating scan over the tenants with due work, then each one's ready rows. */
import { bytesToId, idPrefixes } from '../../core/ids.ts'
import type { ClaimRequest } from '../port.ts'
import { countTokens } from './rate-buckets.ts'
import type { WriteContext } from './write-context.ts'

/** Where the next claim begins, so that low tenant ids do not always win. */
export interface TenantRotation {
  after: Uint8Array | null
}

export interface Candidate {
  readonly target: Uint8Array
  readonly targetId: string
  readonly tenantId: string
  /** The pause is over and one delivery may try. */
  readonly isProbe: boolean
  /** Its due work is new and little. */
  readonly isFresh: boolean
  /** Its endpoint has a rate. */
  readonly isRated: boolean
  /** Deliveries that it may still give. */
  slots: number
  mayHaveMore: boolean
  looked: boolean
  disposed: number
  /** Deliveries leased of it. */
  given: number
}

/** Tenants looked at in one claim at most; the rotation reaches the others. */
const maxTenants = 256
/** Paused and rate-limited targets whose ready row one claim moves at most. */
const maxMoved = 256
const lowest = new Uint8Array(0)

export function pickCandidates(
  context: WriteContext,
  request: ClaimRequest,
  rotation: TenantRotation,
): readonly Candidate[] {
  const next = nextReadyAt(context)
  if (next === null || next > context.now) return []
  const tenants = dueTenants(context, rotation)
  const candidates: Candidate[] = []
  const share = Math.max(1, Math.ceil(request.limit / Math.max(1, tenants.length)))
  for (const tenant of tenants) {
    if (candidates.length >= request.limit) break
    rotation.after = tenant
    pickTargets(context, { tenant, share, request }, candidates)
  }
  return candidates
}

/** The earliest ready row of all, at or before now when due work is left. */
export function nextReadyAt(context: WriteContext): number | null {
  // ready_endpoints_next
  const row = context.prepare('select next_at from ready_endpoints order by next_at limit 1').get()
  return row === undefined ? null : (row.next_at as number)
}

/** Skip-scan over ready_endpoints_tenant: one seek per tenant, however many targets it has. */
function dueTenants(context: WriteContext, rotation: TenantRotation): readonly Uint8Array[] {
  const nextTenant = context.prepare(
    `select tenant_id, next_at from ready_endpoints where tenant_id > ? order by tenant_id, next_at limit 1`,
  )
  const start = rotation.after ?? lowest
  const due: Uint8Array[] = []
  let at = start
  let wrapped = false
  for (let seen = 0; seen < maxTenants; seen++) {
    const row = nextTenant.get(at)
    if (row === undefined) {
      if (wrapped || start.length === 0) break
      wrapped = true
      at = lowest
      continue
    }
    const tenant = row.tenant_id as Uint8Array
    if (wrapped && Buffer.compare(tenant, start) > 0) break
    if ((row.next_at as number) <= context.now) due.push(tenant)
    at = tenant
  }
  return due
}

interface TargetPick {
  readonly tenant: Uint8Array
  /** Targets of the tenant at most. */
  readonly share: number
  readonly request: ClaimRequest
}

/** One range of ready_endpoints_tenant each; targets without free slots are passed over. */
const newestFresh =
  'select target_id from ready_endpoints where tenant_id = ? and next_at < 0 order by next_at'
const oldestFresh = `${newestFresh} desc`
const longestWaiting =
  'select target_id from ready_endpoints where tenant_id = ? and next_at between 0 and ? order by next_at'

/**
 * At most half of the targets are the newest of the fresh ones, a quarter the oldest of them, so that a flood of fresh
 * ones starves none; the others have waited longest for their turn. What one order leaves goes to the next.
 */
function pickTargets(context: WriteContext, pick: TargetPick, candidates: Candidate[]): void {
  const picked = new Set<string>()
  const orders = [
    { sql: newestFresh, values: [pick.tenant], upTo: Math.ceil(pick.share / 2) },
    { sql: oldestFresh, values: [pick.tenant], upTo: Math.ceil((pick.share * 3) / 4) },
    { sql: longestWaiting, values: [pick.tenant, context.now], upTo: pick.share },
    { sql: newestFresh, values: [pick.tenant], upTo: pick.share },
  ]
  for (const order of orders) pickInOrder(context, { ...pick, ...order, picked }, candidates)
}

interface OrderedPick extends TargetPick {
  readonly sql: string
  readonly values: (Uint8Array | number)[]
  /** Targets picked so far and in this order together. */
  readonly upTo: number
  readonly picked: Set<string>
}

function pickInOrder(context: WriteContext, pick: OrderedPick, candidates: Candidate[]): void {
  const { memory, now } = context
  const tenantId = bytesToId(idPrefixes.tenant, pick.tenant)
  let moved = 0
  if (pick.picked.size >= pick.upTo) return
  // Read one by one: busy targets may be passed over and blocked ones moved.
  for (const row of context.prepare(pick.sql).iterate(...pick.values)) {
    const target = row.target_id as Uint8Array
    const targetId = bytesToId(idPrefixes.endpoint, target)
    if (pick.picked.has(targetId)) continue
    const blocked = memory.blockedUntil(targetId, now) !== null
    const isProbe = !blocked && (memory.health(targetId)?.health.pausedUntil ?? null) !== null
    const slots = blocked ? 0 : freeSlots(context, targetId, { isProbe, request: pick.request })
    if (slots === 0 && !blocked) continue
    candidates.push({
      target,
      targetId,
      tenantId,
      isProbe,
      isFresh: pick.sql !== longestWaiting,
      isRated: memory.endpoint(targetId)?.rateLimitRps != null,
      slots,
      mayHaveMore: true,
      looked: false,
      disposed: 0,
      given: 0,
    })
    if (blocked) {
      if (++moved >= maxMoved) return
    } else {
      pick.picked.add(targetId)
      if (pick.picked.size >= pick.upTo) return
    }
  }
}

function freeSlots(
  context: WriteContext,
  targetId: string,
  options: { readonly isProbe: boolean; readonly request: ClaimRequest },
): number {
  const { request, isProbe } = options
  const whole = context.memory.endpoint(targetId)?.maxInFlight ?? request.limit
  const free = Math.min(request.slots.get(targetId) ?? whole, countTokens(context, targetId))
  return isProbe ? Math.min(1, free) : free
}
