import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { retryProfiles } from '../../src/core/retry-policy.ts'
import {
  parseHookrailBackoff,
  parseRetryPolicy,
  renderRetryPolicy,
} from '../../src/core/retry-policy-json.ts'

const day = 86_400_000

describe('reading a policy', () => {
  it.each(['standard', 'hookrail', 'dograh', 'pyfly'])('keeps the profile %s as its name', (name) => {
    expect(parseRetryPolicy(name)).toBe(name)
  })

  it('reads a list of delays, one attempt more than there are delays', () => {
    expect(parseRetryPolicy({ delays: ['5s', '2h', 250], jitter: 'none', retry_on: ['5xx', 429] })).toEqual({
      maxAttempts: 4,
      delays: [5000, 7_200_000, 250],
      jitter: 'none',
      retryOn: { include: ['5xx', '429'], except: [] },
    })
  })

  it('reads an exponential series', () => {
    expect(
      parseRetryPolicy({
        max_attempts: 3,
        base: '1s',
        factor: 1.5,
        cap: '1m',
        jitter: 0.5,
        retry_on: 'non-2xx',
      }),
    ).toEqual({
      maxAttempts: 3,
      delays: { baseMs: 1000, factor: 1.5, capMs: 60_000 },
      jitter: 0.5,
      retryOn: { include: ['non-2xx'], except: [] },
    })
  })

  it('takes factor 2 and a cap of a day when only the base is given', () => {
    expect(parseRetryPolicy({ base: '10s' })).toMatchObject({
      maxAttempts: 10,
      delays: { baseMs: 10_000, factor: 2, capMs: day },
    })
  })

  it('takes what is left out from standard', () => {
    expect(parseRetryPolicy({})).toEqual(retryProfiles.standard)
    expect(parseRetryPolicy({ max_attempts: 2 })).toEqual({ ...retryProfiles.standard, maxAttempts: 2 })
  })

  it('reads exceptions', () => {
    expect(parseRetryPolicy({ retry_on: ['non-2xx', '!404', '!410'] })).toMatchObject({
      retryOn: { include: ['non-2xx'], except: ['404', '410'] },
    })
  })

  it.each<[string, unknown, string]>([
    [
      'an unknown profile',
      'svix',
      'retry_policy "svix" is no profile; profiles are standard (10 attempts over three days), hookrail (8',
    ],
    ['an inherited name', 'toString', 'is no profile'],
    ['a number', 5, 'retry_policy must be'],
    ['null', null, 'retry_policy must be'],
    ['a list', [], 'retry_policy must be'],
    ['an unknown member', { max: 1 }, 'retry_policy.max is not known'],
    ['no attempts', { max_attempts: 0 }, 'retry_policy.max_attempts must be a whole number from 1 to 100'],
    ['too many attempts', { max_attempts: 101 }, 'retry_policy.max_attempts'],
    ['attempts in text', { max_attempts: '5' }, 'retry_policy.max_attempts'],
    ['half an attempt', { max_attempts: 1.5 }, 'retry_policy.max_attempts'],
    ['no delays', { delays: [] }, 'retry_policy.delays must be a list'],
    ['a single delay', { delays: '5s' }, 'retry_policy.delays must be a list'],
    ['a broken delay', { delays: ['5s', '5 parsecs'] }, 'retry_policy.delays[1] must be a duration'],
    ['a delay beyond a week', { delays: ['8d'] }, 'retry_policy.delays[0]'],
    ['delays and base', { delays: ['5s'], base: '5s' }, 'retry_policy.base cannot stand beside delays'],
    ['delays and cap', { delays: ['5s'], cap: '5s' }, 'retry_policy.cap cannot stand beside delays'],
    ['factor without base', { factor: 2 }, 'retry_policy.factor needs base'],
    ['cap without base', { cap: '1m' }, 'retry_policy.cap needs base'],
    ['base 0', { base: 0 }, 'retry_policy.base must be longer than 0'],
    ['a cap below the base', { base: '1m', cap: '1s' }, 'retry_policy.cap must not be shorter'],
    ['a factor below 1', { base: '1m', factor: 0.5 }, 'retry_policy.factor'],
    ['a factor in text', { base: '1m', factor: '2' }, 'retry_policy.factor'],
    ['NaN as factor', { base: '1m', factor: Number.NaN }, 'retry_policy.factor'],
    ['jitter above 1', { jitter: 1.1 }, 'retry_policy.jitter must be "none", "full"'],
    ['unknown jitter', { jitter: 'some' }, 'retry_policy.jitter'],
    ['retry_on as number', { retry_on: 5 }, 'retry_policy.retry_on must be'],
    ['retry_on of nonsense', { retry_on: ['5xx', 'often'] }, 'retry_policy.retry_on[1]'],
    ['a status of two digits', { retry_on: ['50'] }, 'retry_policy.retry_on[0]'],
    ['2xx', { retry_on: ['2xx'] }, '"2xx" is never retried'],
    ['a redirect', { retry_on: ['302'] }, '"302" is never retried'],
    ['410', { retry_on: [410] }, '"410" is never retried'],
  ])('refuses %s and names it', (_name, input, message) => {
    expect(() => parseRetryPolicy(input)).toThrow(
      expect.objectContaining({ code: 'unprocessable', message: expect.stringContaining(message) }),
    )
  })
})

describe('writing a policy', () => {
  it('writes standard out with durations as text', () => {
    expect(renderRetryPolicy(retryProfiles.standard)).toEqual({
      max_attempts: 10,
      delays: ['5s', '5m', '30m', '2h', '5h', '10h', '14h', '20h', '1d'],
      jitter: 0.2,
      retry_on: ['non-2xx', '!400', '!410', '!413', '!422'],
    })
    expect(renderRetryPolicy('dograh')).toBe('dograh')
  })

  it('is read back to the same policy', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 7 * day }), { minLength: 1, maxLength: 5 })
    const series = fc.record({
      baseMs: fc.integer({ min: 1, max: 1000 }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      capMs: fc.integer({ min: 1000, max: 7 * day }),
    })
    const policy = fc.record({
      maxAttempts: fc.integer({ min: 1, max: 100 }),
      delays: fc.oneof(delays, series),
      jitter: fc.oneof(
        fc.constantFrom('none' as const, 'full' as const),
        fc.double({ min: 0, max: 1, noNaN: true }),
      ),
      retryOn: fc.record({
        include: fc.subarray(['408', '429', '5xx', 'non-2xx']),
        except: fc.subarray(['404', '422', '501']),
      }),
    })
    fc.assert(
      fc.property(policy, (own) => {
        expect(parseRetryPolicy(JSON.parse(JSON.stringify(renderRetryPolicy(own))))).toEqual(
          JSON.parse(JSON.stringify(own)),
        )
      }),
    )
  })
})

describe('hookrail’s max_attempts and backoff_policy', () => {
  it('become a policy like the profile, full jitter included', () => {
    expect(parseHookrailBackoff({ maxAttempts: 3, backoffPolicy: { base_ms: 100, cap_ms: 1000 } })).toEqual({
      ...retryProfiles.hookrail,
      maxAttempts: 3,
      delays: { baseMs: 100, factor: 2, capMs: 1000 },
    })
  })

  it.each([undefined, null, 0])('mean 8 attempts, 5 s and 6 h when %s', (maxAttempts) => {
    expect(parseHookrailBackoff({ maxAttempts, backoffPolicy: undefined })).toEqual(retryProfiles.hookrail)
  })

  it.each<[string, unknown, string]>([
    ['no object', 'fast', 'backoff_policy must be'],
    ['a list', [1, 2], 'backoff_policy must be'],
    ['no cap', { base_ms: 1 }, 'backoff_policy.cap_ms'],
    ['no base', { cap_ms: 1 }, 'backoff_policy.base_ms'],
    ['base 0', { base_ms: 0, cap_ms: 1 }, 'backoff_policy.base_ms'],
    ['a negative cap', { base_ms: 1, cap_ms: -1 }, 'backoff_policy.cap_ms'],
    ['a cap below the base', { base_ms: 2, cap_ms: 1 }, 'backoff_policy.cap_ms must not be less'],
    ['a fraction', { base_ms: 1.5, cap_ms: 2 }, 'backoff_policy.base_ms'],
    ['text', { base_ms: '1', cap_ms: 2 }, 'backoff_policy.base_ms'],
    ['more than 7 days', { base_ms: 1, cap_ms: 604_800_001 }, 'backoff_policy.cap_ms'],
    ['an unknown member', { base_ms: 1, cap_ms: 2, x: 1 }, 'backoff_policy.x is not known'],
  ])('are refused with %s', (_name, backoffPolicy, message) => {
    expect(() => parseHookrailBackoff({ backoffPolicy })).toThrow(
      expect.objectContaining({ title: 'invalid backoff_policy', message: expect.stringContaining(message) }),
    )
  })

  it.each([-1, 101, 1.5, '3'])('are refused with %j attempts', (maxAttempts) => {
    expect(() => parseHookrailBackoff({ maxAttempts })).toThrow(
      expect.objectContaining({ code: 'unprocessable', title: 'invalid subscription' }),
    )
  })

  it('accept the bounds', () => {
    const accepted = parseHookrailBackoff({
      maxAttempts: 100,
      backoffPolicy: { base_ms: 604_800_000, cap_ms: 604_800_000 },
    })
    expect(accepted.maxAttempts).toBe(100)
  })
})
