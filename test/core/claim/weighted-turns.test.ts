import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DealSource, dealOut } from '../../../src/core/claim/deal-out.ts'
import { pickTargets } from '../../../src/core/claim/pick-targets.ts'
import type { TurnCredits } from '../../../src/core/claim/weighted-turns.ts'
import { maxTenantWeight } from '../../../src/core/tenant.ts'

const unbounded = Number.MAX_SAFE_INTEGER
const scenes = { numRuns: 2000 }

/** One target of each tenant, with so much due that a claim never sees its end. */
const manyDue = (weights: readonly number[]): DealSource[] =>
  weights.map((weight, index) => ({
    tenantId: `t${index}`,
    weight,
    isFresh: false,
    isRated: false,
    slots: unbounded,
    knownBytes: [],
    mayHaveMore: true,
  }))

const deal = (sources: readonly DealSource[], limit: number, credits?: TurnCredits) =>
  dealOut(
    sources,
    { limit, startable: unbounded, maxBytes: unbounded },
    credits === undefined ? {} : { credits },
  )
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)

const someWeights = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: maxTenantWeight })),
  { minLength: 1, maxLength: 12 },
)
const someLimits = fc.array(fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 150 })), {
  minLength: 1,
  maxLength: 12,
})

describe('tenants of unequal weights', () => {
  it('get what their weights are of all, but for less than one, in a claim and over any claims together', () => {
    fc.assert(
      fc.property(someWeights, someLimits, (weights, limits) => {
        fc.pre(new Set(weights).size > 1)
        const credits: TurnCredits = new Map()
        const given = weights.map(() => 0)
        let dealt = 0
        for (const limit of limits) {
          deal(manyDue(weights), limit, credits).forEach((count, index) => {
            given[index] = (given[index] ?? 0) + count
          })
          dealt += limit
          weights.forEach((weight, index) => {
            const part = (dealt * weight) / sum(weights)
            expect(Math.abs((given[index] ?? 0) - part)).toBeLessThan(1 + 1e-6)
          })
        }
      }),
      scenes,
    )
  })

  it('leave nobody out, however small the claims and the weight', () => {
    const credits: TurnCredits = new Map()
    const sources = manyDue([maxTenantWeight, maxTenantWeight, 1])
    const given = [0, 0, 0]
    for (let claim = 0; claim < 2 * maxTenantWeight + 1; claim++) {
      deal(sources, 1, credits).forEach((count, index) => {
        given[index] = (given[index] ?? 0) + count
      })
    }
    expect(given).toEqual([maxTenantWeight, maxTenantWeight, 1])
  })

  it('leave to the others what one of them has not, and are owed nothing for it later', () => {
    const credits: TurnCredits = new Map()
    const [heavy, light] = manyDue([10, 1]) as [DealSource, DealSource]
    const poor = { ...heavy, knownBytes: [1, 1], mayHaveMore: false }
    expect(deal([poor, light], 50, credits)).toEqual([2, 48])
    expect(deal([heavy, light], 11, credits)).toEqual([10, 1])
    expect(deal([], 11, credits)).toEqual([])
    expect(credits.size).toBe(0)
  })

  it('have as many of their targets looked at as their part of the claim', () => {
    const ready = (name: string) => () => Array.from({ length: 100 }, (_, n) => ({ targetId: `${name}${n}` }))
    const tenants = [
      { tenantId: 'a', weight: 3, ready: ready('heavy') },
      { tenantId: 'b', weight: 1, ready: ready('light') },
    ]
    const { open } = pickTargets({ limit: 40, tenants, judge: () => 'open', credits: new Map() })
    const ofHeavy = open.filter(({ targetId }) => targetId.startsWith('heavy'))
    expect([ofHeavy.length, open.length]).toEqual([30, 40])
  })
})

it('equal weights, whatever they are, give exactly what tenants without any get', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          tenantId: fc.constantFrom('a', 'b', 'c', 'd'),
          isFresh: fc.boolean(),
          isRated: fc.boolean(),
          slots: fc.nat(60),
          knownBytes: fc.array(fc.nat(9), { maxLength: 20 }),
          mayHaveMore: fc.boolean(),
        }),
        { maxLength: 12 },
      ),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: maxTenantWeight }),
      (sources, limit, weight) => {
        const credits: TurnCredits = new Map([['a', 0.5]])
        const weighed = deal(
          sources.map((source) => ({ ...source, weight })),
          limit,
          credits,
        )
        expect(weighed).toEqual(deal(sources, limit))
        expect(credits.size).toBe(0)
      },
    ),
    scenes,
  )
})

it('tenants of unequal weights have their parts also where they are many more than a claim takes', () => {
  const weights = Array.from({ length: 40 }, (_, index) => (index === 7 ? 60 : 1 + (index % 3)))
  const all = weights.map((weight, index) => ({
    tenantId: `t${index}`,
    weight,
    ready: () => [{ targetId: `t${index}` }],
  }))
  const credits: TurnCredits = new Map()
  const given = weights.map(() => 0)
  let after = 0
  for (let claim = 0; claim < 200; claim++) {
    const tenants = [...all.slice(after), ...all.slice(0, after)]
    const { open, last, waiting } = pickTargets({ limit: 7, tenants, judge: () => 'open', credits })
    const picked = open.map(({ targetId }) => all.findIndex(({ tenantId }) => tenantId === targetId))
    const sources = manyDue(weights).filter((_, index) => picked.includes(index))
    const counts = dealOut(
      sources,
      { limit: 7, startable: unbounded, maxBytes: unbounded },
      { credits, waiting },
    )
    counts.forEach((count, at) => {
      const index = Number(sources[at]?.tenantId.slice(1))
      given[index] = (given[index] ?? 0) + count
    })
    after = all.findIndex(({ tenantId }) => tenantId === last?.tenantId) + 1
  }
  weights.forEach((weight, index) => {
    const part = (200 * 7 * weight) / sum(weights)
    expect(Math.abs((given[index] ?? 0) - part)).toBeLessThan(2)
  })
})
