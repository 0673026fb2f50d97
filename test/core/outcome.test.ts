import { describe, expect, it } from 'vitest'
import { decideOutcome, maxInternalRetryDelayMs, type OutcomeFacts } from '../../src/core/outcome.ts'
import { retryProfiles } from '../../src/core/retry-policy.ts'

const { dograh } = retryProfiles

describe('decideOutcome', () => {
  const decide = (facts: Partial<OutcomeFacts>, attemptNo: number) =>
    decideOutcome(
      { status: 'retryable_failure', errorClass: null, askedMs: null, throttleMs: null, ...facts },
      { policy: dograh, attemptNo, random: () => 0.5 },
    )

  it('ends a success as succeeded', () => {
    expect(decide({ status: 'success' }, 5)).toEqual({ state: 'succeeded' })
  })

  it('schedules a retry while attempts are left', () => {
    expect(decide({ errorClass: 'http_503' }, 1)).toEqual({ state: 'retry_scheduled', delayMs: 30_000 })
    expect(decide({ errorClass: 'tls' }, 4)).toEqual({ state: 'retry_scheduled', delayMs: 240_000 })
  })

  it('waits as long as the receiver asks when that is longer', () => {
    expect(decide({ errorClass: 'http_503', askedMs: 100_000 }, 1)).toEqual({
      state: 'retry_scheduled',
      delayMs: 100_000,
    })
  })

  it('waits as after the first attempt where the receiver wants to be left alone', () => {
    const refused = { errorClass: 'http_429', askedMs: 7000, throttleMs: 7000 } as const
    expect(decide(refused, 4)).toEqual({ state: 'retry_scheduled', delayMs: 30_000 })
  })

  it('dead-letters the last attempt with its own error class', () => {
    expect(decide({ errorClass: 'http_503' }, 5)).toEqual({ state: 'dead_lettered', finalError: 'http_503' })
    expect(decide({ errorClass: 'timeout' }, 5)).toEqual({ state: 'dead_lettered', finalError: 'timeout' })
    expect(decide({ errorClass: 'timeout' }, 6)).toEqual({ state: 'dead_lettered', finalError: 'timeout' })
  })

  it('dead-letters a permanent failure at once', () => {
    expect(decide({ status: 'permanent_failure', errorClass: 'redirect_rejected' }, 1)).toEqual({
      state: 'dead_lettered',
      finalError: 'redirect_rejected',
    })
    expect(decide({ status: 'permanent_failure', errorClass: 'http_410' }, 1)).toEqual({
      state: 'dead_lettered',
      finalError: 'http_410',
    })
    expect(decide({ status: 'permanent_failure', errorClass: 'policy' }, 1)).toEqual({
      state: 'dead_lettered',
      finalError: 'policy',
    })
  })

  it('never dead-letters an error of our own, and soon tries again', () => {
    expect(decide({ errorClass: 'internal' }, 1)).toEqual({ state: 'retry_scheduled', delayMs: 30_000 })
    expect(decide({ errorClass: 'internal' }, 99)).toEqual({
      state: 'retry_scheduled',
      delayMs: maxInternalRetryDelayMs,
    })
  })
})
