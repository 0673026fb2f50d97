import { describe, expect, it, test } from 'vitest'
import { parseRetryProfiles, RetryPolicies } from '../../src/core/retry-policies.ts'
import { type RetryPolicy, retryProfiles } from '../../src/core/retry-policy.ts'

const { standard, hookrail, dograh, pyfly } = retryProfiles
const own: RetryPolicy = { ...standard, maxAttempts: 3 }
const gentle: RetryPolicy = { ...standard, maxAttempts: 2 }

describe('the policy in force', () => {
  const policies = new RetryPolicies({ gentle }, 'hookrail')

  it('is the nearest that is there, a built-in profile, one of the operator or an object, else the server’s', () => {
    expect(policies.resolve('dograh', 'pyfly')).toBe(dograh)
    expect(policies.resolve(null, undefined, 'gentle')).toBe(gentle)
    expect(policies.resolve(own)).toBe(own)
    expect(policies.resolve(null)).toBe(hookrail)
    expect(new RetryPolicies({}, own).resolve()).toBe(own)
    expect(new RetryPolicies().resolve()).toBe(standard)
  })

  it('is the next one where a name is not known, down to standard', () => {
    expect(policies.resolve('gone', 'pyfly')).toBe(pyfly)
    expect(policies.resolve('toString')).toBe(hookrail)
    expect(new RetryPolicies({}, 'gone').resolve('gone too')).toBe(standard)
  })

  it('is shown with whose it is, and with the names that nobody knows', () => {
    const given = { subscription: 'gone', endpoint: 'gentle', tenant: 'dograh' }
    expect(policies.findEffective(given)).toEqual({
      policy: 'gentle',
      from: 'endpoint',
      unknownProfiles: ['gone'],
    })
    expect(policies.findEffective({ endpoint: 'gone' })).toEqual({
      policy: 'hookrail',
      from: 'server',
      unknownProfiles: ['gone'],
    })
  })

  it('is refused by a name that is not known, with all that are', () => {
    expect(policies.read('gentle', 'retry_policy')).toBe('gentle')
    expect(policies.read(undefined, 'retry_policy')).toBeNull()
    expect(() => policies.read('gentler', 'retry_policy')).toThrow(
      /^retry_policy "gentler" is no profile; profiles are standard .*, hookrail .*, dograh .*, pyfly .*, gentle$/,
    )
  })
})

test('profiles of one’s own are read like policies', () => {
  expect(parseRetryProfiles({ gentle: { delays: ['1m', '1h'], jitter: 'none', retry_on: ['5xx'] } })).toEqual(
    {
      gentle: {
        maxAttempts: 3,
        delays: [60_000, 3_600_000],
        jitter: 'none',
        retryOn: { include: ['5xx'], except: [] },
      },
    },
  )
})

test.each([
  [[], /must be an object of policies by name/],
  [{ standard: {} }, /"standard" is built in; choose another name/],
  [{ 'Not good': {} }, /"Not good" is no name of a profile/],
  [{ gentle: { delays: ['soon'] } }, /gentle\.delays\[0\] must be a duration/],
  [{ gentle: { often: 1 } }, /gentle\.often is not known/],
  [{ gentle: 'dograh' }, /gentle must be a policy, not the name of another one/],
  [Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`p${n}`, {}])), /at most 100 profiles/],
])('profiles are refused as %o', (input, message) => {
  expect(() => parseRetryProfiles(input)).toThrow(message)
})
