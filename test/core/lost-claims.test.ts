import { describe, expect, it, test } from 'vitest'
import { createIdFactory } from '../../src/core/ids.ts'
import { decideLostClaim, lostClaimLimit, suspectGroup } from '../../src/core/lost-claims.ts'

describe('lost claims', () => {
  it('have a limit of 20, or of the attempts where there are more', () => {
    expect([1, 10, 20, 21, 100].map(lostClaimLimit)).toEqual([20, 20, 20, 21, 100])
  })

  it.each([
    [0, 'run'],
    [2, 'run'],
    [3, 'run_alone'],
    [19, 'run_alone'],
    [20, 'dead_letter'],
    [21, 'dead_letter'],
  ])('%d of them: %s', (lost, kind) => {
    expect(decideLostClaim(lost, 10).kind).toBe(kind)
  })

  it('end as attempts_exhausted', () => {
    expect(decideLostClaim(50, 50)).toEqual({ kind: 'dead_letter', finalError: 'attempts_exhausted' })
    expect(decideLostClaim(49, 50).kind).toBe('run_alone')
  })
})

test('a group of suspects is about halved with each claim that it loses', () => {
  const ids = createIdFactory(() => 1_800_000_000_000)
  let group = Array.from({ length: 2000 }, () => ids.next('dlv'))
  const sizes: number[] = []
  for (let lost = 3; group.length > 1; lost++) {
    const name = suspectGroup(group[0] as string, lost)
    group = group.filter((id) => suspectGroup(id, lost) === name)
    sizes.push(group.length)
  }
  expect(sizes[0]).toBeGreaterThan(850)
  expect(sizes[0]).toBeLessThan(1150)
  expect(3 + sizes.length).toBeLessThan(lostClaimLimit(8))
})

test('well before the limit nobody is left in the group of a poisonous delivery, however alike their ids are', () => {
  const ids = createIdFactory(() => 1_800_000_000_000)
  const last = lostClaimLimit(8) - 2
  const groups = Array.from({ length: 20_000 }, () => suspectGroup(ids.next('dlv'), last))
  expect(groups.length - new Set(groups).size).toBeLessThan(5)
})

test('those that lost more claims run apart from those that lost fewer', () => {
  expect(suspectGroup('dlv_1', 3)).not.toBe(suspectGroup('dlv_1', 4))
})
