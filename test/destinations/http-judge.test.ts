import { describe, expect, it } from 'vitest'
import { retryProfiles } from '../../src/core/retry-policy.ts'
import { type AttemptObservation, classifyAttempt } from '../../src/destinations/over-http/judge.ts'
import type { AttemptResult } from '../../src/sender/port.ts'

const { standard, hookrail, dograh } = retryProfiles
const response = (httpStatus: number): AttemptObservation => ({ kind: 'response', httpStatus })
type FailureClass = Extract<AttemptObservation, { kind: 'failure' }>['errorClass']
const failure = (errorClass: FailureClass, httpStatus: number | null = null): AttemptObservation => ({
  kind: 'failure',
  errorClass,
  httpStatus,
})

describe('classifyAttempt', () => {
  it.each([200, 201, 204, 299])('%d is a success', (status) => {
    expect(classifyAttempt(response(status), standard)).toEqual({
      status: 'success',
      errorClass: null,
      contact: 'reached',
      disable: false,
    })
  })

  it.each([300, 301, 302, 304, 307, 308, 399])('%d is a refused redirect and permanent', (status) => {
    expect(classifyAttempt(response(status), standard)).toEqual({
      status: 'permanent_failure',
      errorClass: 'redirect_rejected',
      contact: 'reached',
      disable: false,
    })
  })

  it('410 is permanent and disables the endpoint', () => {
    expect(classifyAttempt(response(410), standard)).toEqual({
      status: 'permanent_failure',
      errorClass: 'http_410',
      contact: 'reached',
      disable: true,
    })
  })

  it.each([
    [400, 'permanent_failure'],
    [401, 'permanent_failure'],
    [404, 'permanent_failure'],
    [408, 'retryable_failure'],
    [425, 'retryable_failure'],
    [429, 'retryable_failure'],
    [499, 'permanent_failure'],
    [500, 'retryable_failure'],
    [501, 'retryable_failure'],
    [520, 'retryable_failure'],
    [599, 'retryable_failure'],
    [700, 'retryable_failure'],
  ])('%d under hookrail is a %s', (status, expected) => {
    expect(classifyAttempt(response(status), hookrail)).toEqual({
      status: expected,
      errorClass: `http_${status}`,
      contact: 'reached',
      disable: false,
    })
  })

  it.each([501, 505, 520])('%d is permanent under dograh and retried under standard', (status) => {
    expect(classifyAttempt(response(status), dograh).status).toBe('permanent_failure')
    expect(classifyAttempt(response(status), standard).status).toBe('retryable_failure')
  })

  it.each(['timeout', 'connection', 'dns', 'tls'] as const)(
    '%s is a retried transport failure',
    (errorClass) => {
      expect(classifyAttempt(failure(errorClass), dograh)).toEqual({
        status: 'retryable_failure',
        errorClass,
        contact: 'transport_failure',
        disable: false,
      })
    },
  )

  it('a failure after the headers still means that the endpoint was reached', () => {
    expect(classifyAttempt(failure('timeout', 200), standard)).toMatchObject({
      status: 'retryable_failure',
      errorClass: 'timeout',
      contact: 'reached',
    })
  })

  it('a name that resolves to a refused address is retried, as policy, and says nothing about the network', () => {
    const refused = { kind: 'failure', errorClass: 'policy', mayChange: true, httpStatus: null } as const
    expect(classifyAttempt(refused, standard)).toEqual({
      status: 'retryable_failure',
      errorClass: 'policy',
      contact: 'none',
      disable: false,
    })
  })

  it('a policy refusal is permanent and says nothing about the network', () => {
    expect(classifyAttempt(failure('policy'), standard)).toMatchObject({
      status: 'permanent_failure',
      errorClass: 'policy',
      contact: 'none',
    })
  })

  it('an error of our own is retried and says nothing about the endpoint', () => {
    expect(classifyAttempt(failure('internal'), dograh)).toMatchObject({
      status: 'retryable_failure',
      errorClass: 'internal',
      contact: 'none',
    })
  })

  it('takes a sender’s result as it is', () => {
    const result: AttemptResult = {
      kind: 'failure',
      errorClass: 'dns',
      error: 'no such host',
      httpStatus: null,
      latencyMs: 3,
    }
    expect(classifyAttempt(result, standard).errorClass).toBe('dns')
  })
})
