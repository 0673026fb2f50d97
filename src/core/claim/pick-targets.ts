/**
 * Which targets a claim looks at: of each tenant with due work, beginning behind the one where the last claim ended,
 * as many as are its part of the claim by its weight. At most half of them are the newest of the fresh ones and a quarter the oldest
 * of them, so that a flood of fresh targets starves none; the others have waited longest for their turn. What one queue
 * leaves goes to the next.
 */

import { areEqual, chooseByWeight, type TurnCredits, type Weighted } from './weighted-turns.ts'

/** The orders in which a tenant's ready rows are read. */
export type ReadyOrder = 'newest_fresh' | 'oldest_fresh' | 'longest_waiting'

/** Tenants of one claim at most; the rotation reaches the others. */
export const maxTenants = 256
/** Blocked targets of one tenant whose ready rows a claim moves at most. */
const maxBlocked = 256

/** `busy`: it has no slots, and is passed over. `blocked`: paused, or out of tokens; its ready row has to move. */
export type Judgement = 'open' | 'busy' | 'blocked'

export interface ReadyTarget {
  readonly targetId: string
}

export interface DueTenant<Target extends ReadyTarget> extends Weighted {
  /** Read only as far as needed. */
  readonly ready: (order: ReadyOrder) => Iterable<Target>
}

export interface Picking<Tenant, Target> {
  /** Deliveries of the whole claim. */
  readonly limit: number
  /** Those with due work, in the order of the rotation. */
  readonly tenants: readonly Tenant[]
  readonly judge: (target: Target) => Judgement
  /** What earlier claims left owing to tenants whose weights differ. */
  readonly credits: TurnCredits
}

export interface Picked<Tenant, Target> {
  readonly open: readonly Target[]
  readonly blocked: readonly Target[]
  /** Behind this tenant the next claim begins; null: nobody had due work. */
  readonly last: Tenant | null
  /** Where weights differ, those that were not looked at: their turns are owed to them. */
  readonly waiting: readonly Tenant[]
}

/** Targets of one tenant that a claim looks at, at most; `weights` are those of all that have due work. */
export function targetsPerTenant(limit: number, weights: number, weight: number): number {
  return Math.max(1, Math.ceil((limit * weight) / Math.max(1, weights)))
}

export function pickTargets<Target extends ReadyTarget, Tenant extends DueTenant<Target>>(
  picking: Picking<Tenant, Target>,
): Picked<Tenant, Target> {
  const { limit, tenants, judge, credits } = picking
  const weights = tenants.reduce((sum, { weight }) => sum + weight, 0)
  const equal = areEqual(tenants)
  const open: Target[] = []
  const blocked: Target[] = []
  let last: Tenant | null = null
  const waiting = new Set(equal ? [] : tenants)
  for (const tenant of equal ? tenants : firstByWeight(tenants, limit, credits)) {
    if (open.length >= limit) break
    last = tenant
    waiting.delete(tenant)
    const most = targetsPerTenant(limit, weights, tenant.weight)
    const picked = pickOfTenant({ tenant, most, judge })
    open.push(...picked.open)
    blocked.push(...picked.blocked)
  }
  return { open, blocked, last, waiting: [...waiting] }
}

/** Those whose turns it is come first, where they are more than a claim has room for. */
function firstByWeight<T extends Weighted>(
  tenants: readonly T[],
  limit: number,
  credits: TurnCredits,
): readonly T[] {
  if (tenants.length <= limit) return tenants
  const chosen = chooseByWeight(tenants, limit, credits)
  return [
    ...tenants.filter((_, index) => chosen.has(index)),
    ...tenants.filter((_, index) => !chosen.has(index)),
  ]
}

interface TenantPicking<Target extends ReadyTarget> {
  readonly tenant: DueTenant<Target>
  readonly most: number
  readonly judge: (target: Target) => Judgement
}

function pickOfTenant<Target extends ReadyTarget>({ tenant, most, judge }: TenantPicking<Target>) {
  const seen = new Set<string>()
  const open: Target[] = []
  const blocked: Target[] = []
  const queues = [
    ['newest_fresh', Math.ceil(most / 2)],
    ['oldest_fresh', Math.ceil((most * 3) / 4)],
    ['longest_waiting', most],
    ['newest_fresh', most],
  ] as const
  for (const [order, upTo] of queues) {
    if (open.length >= upTo) continue
    for (const target of tenant.ready(order)) {
      if (seen.has(target.targetId)) continue
      seen.add(target.targetId)
      const judgement = judge(target)
      if (judgement === 'open') open.push(target)
      if (judgement === 'blocked') blocked.push(target)
      if (open.length >= upTo || blocked.length >= maxBlocked) break
    }
  }
  return { open, blocked }
}
