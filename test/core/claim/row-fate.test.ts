import { expect, it } from 'vitest'
import { fateOf, leased, parked, released, unparked } from '../../../src/core/claim/row-fate.ts'

const row = { state: 'pending', claimVersion: 4, attemptCount: 0, lostClaims: 1 } as const

it('cancels what belongs to something deleted, whether or not its endpoint is disabled', () => {
  expect(fateOf({ isDeleted: true, isDisabled: true })).toEqual({ kind: 'cancel' })
  expect(fateOf({ isDeleted: false, isDisabled: true })).toEqual({
    kind: 'park',
    reason: 'endpoint_disabled',
  })
  expect(fateOf({ isDeleted: false, isDisabled: false })).toEqual({ kind: 'lease' })
})

it('counts a lost claim when a lease that has ended is taken over or parked, and only then', () => {
  expect(leased(row)).toEqual({ ...row, state: 'in_flight', claimVersion: 5 })
  expect(leased({ ...row, state: 'in_flight' })).toMatchObject({ claimVersion: 5, lostClaims: 2 })
  const isParked = { dueInMs: null, reason: 'endpoint_disabled' } as const
  expect(parked(row, 'endpoint_disabled')).toEqual({ ...row, ...isParked })
  expect(parked({ ...row, state: 'in_flight', attemptCount: 2 }, 'endpoint_disabled')).toEqual({
    state: 'retry_scheduled',
    claimVersion: 5,
    attemptCount: 2,
    lostClaims: 2,
    ...isParked,
  })
})

it('counts neither an attempt nor a lost claim when a lease is given back', () => {
  const back = released({ ...row, state: 'in_flight' }, 200)
  expect(back).toEqual({ ...row, claimVersion: 5, dueInMs: 200, reason: null })
})

it('makes a parked row due at once, and nothing else of it', () => {
  expect(unparked({ ...row, attemptCount: 1, state: 'retry_scheduled' }, -5)).toEqual({
    ...row,
    attemptCount: 1,
    state: 'retry_scheduled',
    dueInMs: 0,
    reason: null,
  })
})
