import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClaimBatch } from '../../../src/core/claim/claim-batch.ts'
import { type DealBounds, type DealSource, dealOut } from '../../../src/core/claim/deal-out.ts'

interface Target {
  readonly tenantId: string
  readonly isFresh: boolean
  readonly isRated: boolean
  readonly slots: number
  /** Payload sizes of what is due. */
  readonly due: readonly number[]
}

const someTargets = fc.array(
  fc.record({
    tenantId: fc.constantFrom('a', 'b', 'c', 'd'),
    isFresh: fc.boolean(),
    isRated: fc.boolean(),
    slots: fc.oneof(fc.nat(5), fc.nat(200)),
    due: fc
      .oneof(fc.nat(3), fc.nat(20), fc.nat(300))
      .chain((count) => fc.constantFrom(1, 7, 100).map((bytes) => Array<number>(count).fill(bytes))),
  }),
  { maxLength: 12 },
)
const someBounds = fc.record({
  limit: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 200 })),
  startable: fc.oneof(fc.nat(5), fc.nat(300)),
  maxBytes: fc.oneof(fc.constant(Number.MAX_SAFE_INTEGER), fc.nat(2000)),
})

const scenes = { numRuns: 10_000 }
const unbounded = Number.MAX_SAFE_INTEGER

const asKnown = (target: Target): DealSource => ({ ...target, knownBytes: target.due, mayHaveMore: false })
const deal = (targets: readonly Target[], bounds: DealBounds) => dealOut(targets.map(asKnown), bounds)
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
const couldGive = ({ slots, due }: Target) => Math.min(slots, due.length)
const givenBy = (targets: readonly Target[], counts: readonly number[], tenantId: string) =>
  sum(counts.filter((_, index) => targets[index]?.tenantId === tenantId))
const couldGiveOf = (targets: readonly Target[], tenantId: string) =>
  sum(targets.filter((target) => target.tenantId === tenantId).map(couldGive))
const tenantsOf = (targets: readonly Target[]) =>
  Array.from(new Set(targets.filter((target) => couldGive(target) > 0).map(({ tenantId }) => tenantId)))

describe('what a claim deals out, in 10 000 scenes', () => {
  it('is never more than is due, than there are slots, than the limit, the tokens or the bytes allow', () => {
    fc.assert(
      fc.property(someTargets, someBounds, (targets, bounds) => {
        const counts = deal(targets, bounds)
        counts.forEach((count, index) => {
          expect(count).toBeLessThanOrEqual(couldGive(targets[index] as Target))
        })
        expect(sum(counts)).toBeLessThanOrEqual(bounds.limit)
        expect(sum(counts.filter((_, index) => targets[index]?.isRated))).toBeLessThanOrEqual(
          bounds.startable,
        )
        const bytes = sum(counts.map((count, index) => sum(targets[index]?.due.slice(0, count) ?? [])))
        if (sum(counts) > 1) expect(bytes).toBeLessThanOrEqual(bounds.maxBytes)
      }),
      scenes,
    )
  })

  it('is as much as there is room for', () => {
    fc.assert(
      fc.property(someTargets, someBounds, (targets, { limit, startable }) => {
        const counts = deal(targets, { limit, startable, maxBytes: unbounded })
        const rated = Math.min(startable, sum(targets.filter(({ isRated }) => isRated).map(couldGive)))
        const others = sum(targets.filter(({ isRated }) => !isRated).map(couldGive))
        expect(sum(counts)).toBe(Math.min(limit, rated + others))
      }),
      scenes,
    )
  })

  it('gives no tenant more than one above another that has more to give, but for the head start of fresh targets', () => {
    fc.assert(
      fc.property(someTargets, someBounds, fc.boolean(), (given, { limit }, withFresh) => {
        const targets = given.map((target) => ({ ...target, isFresh: withFresh && target.isFresh }))
        const counts = deal(targets, { limit, startable: unbounded, maxBytes: unbounded })
        const tenants = tenantsOf(targets)
        const headStart = withFresh ? Math.ceil(limit / tenants.length / 2) : 0
        for (const tenant of tenants) {
          const own = givenBy(targets, counts, tenant)
          if (own === couldGiveOf(targets, tenant)) continue
          for (const other of tenants) {
            expect(givenBy(targets, counts, other)).toBeLessThanOrEqual(own + 1 + headStart)
          }
        }
      }),
      scenes,
    )
  })

  it('gives no target more than one above another of its tenant that has more to give, but for 16 of a fresh one', () => {
    fc.assert(
      fc.property(someTargets, someBounds, (targets, { limit }) => {
        const counts = deal(targets, { limit, startable: unbounded, maxBytes: unbounded })
        targets.forEach((target, index) => {
          const own = counts[index] as number
          if (own === couldGive(target)) return
          targets.forEach((other, at) => {
            if (other.tenantId !== target.tenantId) return
            const headStart = other.isFresh && !target.isFresh ? 16 : 0
            expect(counts[at]).toBeLessThanOrEqual(own + 1 + headStart + (target.isFresh ? 1 : 0))
          })
        })
      }),
      scenes,
    )
  })

  it("leaves a tenant's equal part of what is left when fresh targets had theirs", () => {
    fc.assert(
      fc.property(someTargets, someBounds, (targets, { limit }) => {
        const counts = deal(targets, { limit, startable: unbounded, maxBytes: unbounded })
        const tenants = tenantsOf(targets)
        const fresh = tenantsOf(targets.filter(({ isFresh }) => isFresh)).length
        const left = limit - Math.min(limit, Math.ceil((limit / tenants.length) * (fresh / 2)))
        for (const tenant of tenants) {
          const least = Math.min(couldGiveOf(targets, tenant), Math.floor(left / tenants.length))
          expect(givenBy(targets, counts, tenant)).toBeGreaterThanOrEqual(least)
        }
      }),
      scenes,
    )
  })

  it('is the same however little is known at first, and hardly more is read than is given', () => {
    fc.assert(
      fc.property(someTargets, someBounds, (given, { limit, startable }) => {
        const targets = given.filter(({ due }) => due.length > 0)
        const bounds = { limit, startable, maxBytes: unbounded }
        const batch = new ClaimBatch<Target, number>(targets, bounds)
        const read = new Map<Target, number>()
        for (let asks = batch.nextLook(); asks.length > 0; asks = batch.nextLook()) {
          for (const ask of asks) {
            const from = read.get(ask.target) ?? 0
            const found = ask.target.due.slice(from, from + ask.count)
            read.set(ask.target, from + found.length)
            batch.add(ask, { leasable: found.map((bytes, at) => ({ row: from + at, bytes })), others: 0 })
          }
        }
        const counts = targets.map(
          (target) => batch.grants().filter((grant) => grant.target === target).length,
        )
        expect(counts).toEqual(deal(targets, bounds))
        expect(sum(Array.from(read.values()))).toBeLessThanOrEqual(2 * limit)
      }),
      scenes,
    )
  })
})

describe('a claim', () => {
  const target = (given: Partial<Target> & { readonly count: number }): Target => ({
    tenantId: 'a',
    isFresh: false,
    isRated: false,
    slots: 1000,
    due: Array<number>(given.count).fill(10),
    ...given,
  })
  const bounds = { limit: 60, startable: 60, maxBytes: unbounded }

  it('gives 15 fresh targets beside a backlog equal turns', () => {
    const fresh = Array.from({ length: 15 }, () => target({ isFresh: true, count: 16 }))
    expect(deal([...fresh, target({ count: 500 })], bounds)).toEqual([...Array(14).fill(4), 3, 1])
  })

  it('takes from every target in turn until the bytes are used up', () => {
    const targets = [target({ count: 9 }), target({ count: 9 }), target({ tenantId: 'b', count: 9 })]
    expect(deal(targets, { ...bounds, maxBytes: 60 })).toEqual([2, 1, 3])
  })

  it('gives the first delivery whatever its size', () => {
    expect(deal([target({ count: 3 })], { ...bounds, maxBytes: 5 })).toEqual([1])
  })
})
