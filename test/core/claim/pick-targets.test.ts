import { expect, it } from 'vitest'
import {
  type Judgement,
  pickTargets,
  type ReadyOrder,
  targetsPerTenant,
} from '../../../src/core/claim/pick-targets.ts'

interface Target {
  readonly targetId: string
  readonly judgement: Judgement
}

const several = (prefix: string, count: number, judgement: Judgement = 'open'): Target[] =>
  Array.from({ length: count }, (_, index) => ({ targetId: `${prefix}${index}`, judgement }))

/** A tenant whose fresh targets are given newest first. */
const aTenant = (name: string, fresh: readonly Target[], waiting: readonly Target[]) => ({
  name,
  tenantId: name,
  weight: 1,
  ready: (order: ReadyOrder): readonly Target[] =>
    order === 'longest_waiting' ? waiting : order === 'newest_fresh' ? fresh : fresh.toReversed(),
})

const pick = (limit: number, tenants: readonly ReturnType<typeof aTenant>[]) =>
  pickTargets<Target, (typeof tenants)[number]>({
    limit,
    tenants,
    judge: ({ judgement }) => judgement,
    credits: new Map(),
  })
const idsOf = (targets: readonly Target[]) => targets.map(({ targetId }) => targetId)

it('looks at the newest fresh targets, the oldest of them and those that waited longest', () => {
  const { open } = pick(8, [aTenant('a', several('fresh', 20), several('waiting', 20))])
  expect(idsOf(open)).toEqual([
    ...['fresh0', 'fresh1', 'fresh2', 'fresh3'],
    ...['fresh19', 'fresh18'],
    ...['waiting0', 'waiting1'],
  ])
})

it('gives what one queue leaves to the next', () => {
  const few = pick(8, [aTenant('a', several('fresh', 1), several('waiting', 20))])
  expect(idsOf(few.open)).toEqual(['fresh0', ...idsOf(several('waiting', 7))])
  const none = pick(8, [aTenant('a', several('fresh', 20), [])])
  expect(none.open).toHaveLength(8)
})

it('gives every tenant with due work its part, and begins the next claim behind the last one', () => {
  const tenants = ['a', 'b', 'c'].map((name) => aTenant(name, several(`${name}_fresh`, 9), []))
  const { open, last } = pick(4, tenants)
  expect(targetsPerTenant(4, 3, 1)).toBe(2)
  expect(idsOf(open)).toEqual(['a_fresh0', 'a_fresh8', 'b_fresh0', 'b_fresh8'])
  expect(last?.name).toBe('b')
})

it('passes over busy targets, also of a whole tenant, and names those that are blocked', () => {
  const busy = aTenant('busy', several('busy', 3, 'busy'), several('blocked', 2, 'blocked'))
  const { open, blocked, last } = pick(10, [busy, aTenant('b', [], several('waiting', 2))])
  expect(idsOf(open)).toEqual(['waiting0', 'waiting1'])
  expect(idsOf(blocked)).toEqual(['blocked0', 'blocked1'])
  expect(last?.name).toBe('b')
  expect(pick(10, [busy]).last?.name).toBe('busy')
})
