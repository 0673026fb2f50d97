import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { retryAfterMs } from '../../src/core/retry-after.ts'
import {
  delayAfter,
  isRetryableStatus,
  nextDelayMs,
  type RetryPolicy,
  retryProfiles,
} from '../../src/core/retry-policy.ts'

const { standard, hookrail, dograh, pyfly } = retryProfiles
const middle = () => 0.5
const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const attempts = (policy: RetryPolicy) =>
  Array.from({ length: policy.maxAttempts - 1 }, (_, index) => index + 1)

describe('waits of the profiles', () => {
  it('standard follows the Standard Webhooks schedule with 20 % on either side', () => {
    const minutes = attempts(standard).map((n) => nextDelayMs(standard, n, middle) / 60_000)
    expect(minutes).toEqual([5 / 60, 5, 30, 120, 300, 600, 840, 1200, 1440])
    expect(nextDelayMs(standard, 1, () => 0)).toBe(4000)
    expect(nextDelayMs(standard, 1, () => 0.999999999)).toBe(6000)
  })

  it('hookrail draws from 0 to min(cap, base · 2^(n-1))', () => {
    const ceilings = [5, 10, 20, 40, 80, 160, 320, 640]
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), unit, (n, drawn) => {
        const delay = nextDelayMs(hookrail, n, () => drawn)
        expect(delay).toBe(Math.round(drawn * (ceilings[n - 1] as number) * 1000))
      }),
    )
    expect(nextDelayMs(hookrail, 60, () => 0.999999999)).toBe(6 * 3_600_000)
  })

  it('dograh waits 30 · 2^(n-1) s up to 600 s, without jitter', () => {
    expect([1, 2, 3, 4, 5, 6, 90].map((n) => nextDelayMs(dograh, n, Math.random) / 1000)).toEqual([
      30, 60, 120, 240, 480, 600, 600,
    ])
  })

  it('pyfly waits 5 · 2^(n-1) s up to 300 s, without jitter', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 90].map((n) => nextDelayMs(pyfly, n, Math.random) / 1000)).toEqual([
      5, 10, 20, 40, 80, 160, 300, 300,
    ])
  })

  it('have 10, 8, 5 and 5 attempts', () => {
    expect([standard, hookrail, dograh, pyfly].map((policy) => policy.maxAttempts)).toEqual([10, 8, 5, 5])
  })
})

describe('waits of policies of one’s own', () => {
  it('repeat the last of the listed delays', () => {
    const policy = { ...standard, delays: [10, 20], jitter: 'none' } as const
    expect([1, 2, 3, 50].map((n) => nextDelayMs(policy, n, middle))).toEqual([10, 20, 20, 20])
  })

  it('stay whole and within their share of jitter', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(delays, unit, fc.integer({ min: 1, max: 100 }), unit, (list, jitter, n, drawn) => {
        const plain = list[Math.min(n, list.length) - 1] as number
        const delay = nextDelayMs({ ...standard, delays: list, jitter }, n, () => drawn)
        expect(Number.isSafeInteger(delay)).toBe(true)
        expect(Math.abs(delay - plain)).toBeLessThanOrEqual(plain * jitter + 0.5)
      }),
    )
  })
})

describe('which statuses are retried', () => {
  const retried = (policy: RetryPolicy, statuses: number[]) =>
    statuses.filter((status) => isRetryableStatus(policy, status))
  const statuses = [
    101, 199, 200, 204, 299, 300, 302, 304, 308, 400, 401, 403, 404, 408, 410, 413, 418, 422, 425, 429, 499,
    500, 501, 502, 503, 504, 505, 520, 599, 600, 999,
  ]

  it('standard: all but 2xx, 3xx, 400, 410, 413 and 422', () => {
    expect(retried(standard, statuses)).toEqual([
      101, 199, 401, 403, 404, 408, 418, 425, 429, 499, 500, 501, 502, 503, 504, 505, 520, 599, 600, 999,
    ])
  })

  it('hookrail: 408, 425, 429, 5xx and odd ones', () => {
    expect(retried(hookrail, statuses)).toEqual([
      101, 199, 408, 425, 429, 500, 501, 502, 503, 504, 505, 520, 599, 600, 999,
    ])
  })

  it('dograh: exactly 408, 425, 429, 500, 502, 503 and 504', () => {
    expect(retried(dograh, statuses)).toEqual([408, 425, 429, 500, 502, 503, 504])
  })

  it('pyfly: 408, 429 and everything from 500 up', () => {
    expect(retried(pyfly, statuses)).toEqual([408, 429, 500, 501, 502, 503, 504, 505, 520, 599, 600, 999])
  })

  it('never 2xx, 3xx or 410, whatever the policy says', () => {
    const greedy = { ...standard, retryOn: { include: ['non-2xx', '2xx', '3xx', '410'], except: [] } }
    expect(retried(greedy, [200, 204, 301, 302, 410])).toEqual([])
  })
})

describe('Retry-After', () => {
  const now = Date.UTC(2030, 0, 1)

  it.each([
    ['0', 0],
    ['7', 7000],
    [' 120 ', 120_000],
    ['86400', 86_400_000],
    ['86401', 86_400_000],
    ['99999999999999999999', 86_400_000],
    ['Tue, 01 Jan 2030 00:00:30 GMT', 30_000],
    ['Tuesday, 01-Jan-30 00:00:30 GMT', 30_000],
    ['Tue Jan  1 00:00:30 2030', 30_000],
    ['Fri, 01 Feb 2030 00:00:00 GMT', 86_400_000],
    ['Mon, 31 Dec 2029 23:59:59 GMT', null],
    ['Tue, 01 Jan 2030 00:00:00 GMT', null],
    ['0.5', 500],
    ['-1', null],
    ['+1', null],
    ['1e3', null],
    ['soon', null],
    ['2030-01-01T00:00:30Z', null],
    ['Tue, 99 Jan 2030 00:00:30 GMT', null],
    ['', null],
    [null, null],
  ])('%j is %j ms', (value, expected) => {
    expect(retryAfterMs(value, now)).toBe(expected)
  })

  it('reads a date without a zone as GMT wherever the machine stands', () => {
    const zone = process.env.TZ
    process.env.TZ = 'America/New_York'
    try {
      expect(retryAfterMs('Tue Jan  1 00:00:30 2030', now)).toBe(30_000)
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })

  it('wins over the policy’s wait only when it is longer, and is not bound by the cap', () => {
    const waitWith = (retryAfter: string | null) =>
      delayAfter(dograh, { attemptNo: 1, askedMs: retryAfterMs(retryAfter, now), random: middle })
    expect(waitWith(null)).toBe(30_000)
    expect(waitWith('29')).toBe(30_000)
    expect(waitWith('31')).toBe(31_000)
    expect(waitWith('3600')).toBe(3_600_000)
  })
})
