import { expect, test } from 'vitest'
import { defaultBreakerPolicy as server } from '../../src/core/endpoint-health.ts'
import { findBreaker, findEffectiveHealth } from '../../src/core/health-policy.ts'
import { noHealthSettings as nothing } from '../../src/core/health-settings.ts'

test('of endpoint, tenant and server the nearest that says something wins, for each setting by itself', () => {
  const endpoint = { ...nothing, breakerThreshold: 0 }
  const tenant = { ...nothing, breakerThreshold: 9, disableAfterMs: 0 }
  expect(findEffectiveHealth({ endpoint, tenant, server })).toEqual({
    breakerThreshold: { value: 0, from: 'endpoint' },
    breakerPauseMs: { value: 30_000, from: 'server' },
    breakerMaxPauseMs: { value: 3_600_000, from: 'server' },
    disableAfterMs: { value: 0, from: 'tenant' },
  })
  expect(findBreaker({ endpoint, tenant, server })).toEqual({
    ...server,
    failureThreshold: 0,
    disableAfterMs: 0,
  })
})

test('a first pause that is longer than the longest of somebody farther is the longest as well', () => {
  const endpoint = { ...nothing, breakerPauseMs: 7_200_000 }
  expect(findEffectiveHealth({ endpoint, server }).breakerMaxPauseMs).toEqual({
    value: 7_200_000,
    from: 'endpoint',
  })
})

test('a longest pause that is shorter than the first of somebody farther is the first as well', () => {
  const endpoint = { ...nothing, breakerMaxPauseMs: 1000 }
  const tenant = { ...nothing, breakerPauseMs: 60_000 }
  expect(findEffectiveHealth({ endpoint, tenant, server })).toMatchObject({
    breakerPauseMs: { value: 1000, from: 'endpoint' },
    breakerMaxPauseMs: { value: 1000, from: 'endpoint' },
  })
})

test('where nobody nearer says anything it is the server that decides', () => {
  expect(findBreaker({ endpoint: nothing, tenant: nothing, server })).toBeNull()
  expect(findBreaker({ server })).toBeNull()
})
