import { describe, expect, it } from 'vitest'
import { decideLostClaim, lostClaimLimit } from '../../src/core/lost-claims.ts'

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
