/** Which targets a claim looks at: a rotating scan over the tenants with due work, then each one's ready rows. */
import type { ClaimTarget } from '../../../core/claim/claim-batch.ts'
import {
  type DueTenant,
  maxTenants,
  type Picked,
  pickTargets,
  type ReadyOrder,
} from '../../../core/claim/pick-targets.ts'
import { isFresh, type NextAt } from '../../../core/claim/ready-row.ts'
import type { TurnCredits } from '../../../core/claim/weighted-turns.ts'
import { maxInFlightToOrigin } from '../../../core/direct-request.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { ClaimRequest } from '../../port.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { countTokens } from './rate-buckets.ts'
import { nextReadyAt } from './ready-endpoints.ts'

/** Where the next claim begins, so that low tenant ids do not always win, and what is owed to tenants by their weights. */
export interface TenantRotation {
  after: Uint8Array | null
  readonly credits: TurnCredits
}

export interface Candidate extends ClaimTarget {
  readonly target: Uint8Array
  readonly targetId: string
  /** What its ready row says. */
  readonly nextAt: NextAt
  /** Paused, out on a probe or out of tokens. */
  readonly isBlocked: boolean
  /** The pause is over and one delivery may try. */
  readonly isProbe: boolean
}

interface Tenant extends DueTenant<Candidate> {
  readonly tenant: Uint8Array
}

const lowest = new Uint8Array(0)

export function pickCandidates(
  context: WriteContext,
  request: ClaimRequest,
  rotation: TenantRotation,
): Pick<Picked<Tenant, Candidate>, 'open' | 'blocked' | 'waiting'> {
  const next = nextReadyAt(context)
  if (next === null || next > context.now) return { open: [], blocked: [], waiting: [] }
  const tenants = dueTenants(context, rotation).map((tenant) => {
    const tenantId = bytesToId(idPrefixes.tenant, tenant)
    return {
      tenant,
      tenantId,
      weight: context.memory.weight(tenantId),
      ready: (order: ReadyOrder) => readReady(context, { tenant, tenantId, order, request }),
    }
  })
  const { open, blocked, last, waiting } = pickTargets<Candidate, Tenant>({
    limit: request.limit,
    tenants,
    credits: rotation.credits,
    judge: ({ isBlocked, slots }) => (isBlocked ? 'blocked' : slots > 0 ? 'open' : 'busy'),
  })
  if (last !== null) rotation.after = last.tenant
  return { open, blocked, waiting }
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
    if (hasDue(context, tenant, row.next_at as number)) due.push(tenant)
    at = tenant
  }
  return due
}

function hasDue(context: WriteContext, tenant: Uint8Array, lowestNextAt: NextAt): boolean {
  const { now } = context
  if (lowestNextAt >= -now) return lowestNextAt <= now
  const due = context
    .prepare('select 1 from ready_endpoints where tenant_id = ? and next_at between ? and ? limit 1') // ready_endpoints_tenant
    .get(tenant, -now, now)
  return due !== undefined
}

/** One range of ready_endpoints_tenant each. */
const fresh =
  'select target_id, next_at from ready_endpoints where tenant_id = ? and next_at between ? and -1'
const waiting =
  'select target_id, next_at from ready_endpoints where tenant_id = ? and next_at between 0 and ?'
const readySql: Readonly<Record<ReadyOrder, string>> = {
  newest_fresh: `${fresh} order by next_at, target_id`,
  oldest_fresh: `${fresh} order by next_at desc, target_id desc`,
  longest_waiting: `${waiting} order by next_at, target_id`,
}

interface ReadyRange {
  readonly tenant: Uint8Array
  readonly tenantId: string
  readonly order: ReadyOrder
  readonly request: ClaimRequest
}

/** Read one by one: busy targets may be passed over and blocked ones moved. */
function* readReady(context: WriteContext, range: ReadyRange): Generator<Candidate> {
  const { now } = context
  const { tenant, tenantId, order, request } = range
  const bound = order === 'longest_waiting' ? now : -now
  for (const row of context.prepare(readySql[order]).iterate(tenant, bound)) {
    const target = row.target_id as Uint8Array
    yield toCandidate(context, { target, tenantId, nextAt: row.next_at as number, request })
  }
}

interface ReadyRow extends Pick<Candidate, 'target' | 'tenantId' | 'nextAt'> {
  readonly request: ClaimRequest
}

function toCandidate(context: WriteContext, { target, tenantId, nextAt, request }: ReadyRow): Candidate {
  const { memory, now } = context
  const targetId = bytesToId(idPrefixes.endpoint, target)
  const isBlocked = memory.blockedUntil(targetId, now) !== null
  const isProbe = !isBlocked && (memory.health(targetId)?.health.pausedUntil ?? null) !== null
  const endpoint = memory.endpoint(targetId)
  const whole = endpoint?.maxInFlight ?? maxInFlightToOrigin
  const free = Math.min(request.slots.get(targetId) ?? whole, countTokens(context, targetId))
  return {
    target,
    targetId,
    tenantId,
    weight: memory.weight(tenantId),
    nextAt,
    isBlocked,
    isProbe,
    isFresh: isFresh(nextAt),
    isRated: endpoint?.rateLimitRps != null,
    slots: isProbe ? Math.min(1, free) : free,
  }
}
