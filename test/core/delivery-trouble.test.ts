import { expect, test } from 'vitest'
import { deliveryTrouble } from '../../src/core/operational-events.ts'

const retried = { state: 'retry_scheduled' }

test.each([
  [
    'the attempt of that number that is counted',
    { attempt: { attemptNo: 3 }, next: retried },
    2,
    'delivery.failing',
  ],
  ['an earlier one', { attempt: { attemptNo: 2 }, next: retried }, 1, null],
  ['a later one', { attempt: { attemptNo: 4 }, next: retried }, 3, null],
  [
    'one that failed for a reason of ours, and has the number of the one before',
    { attempt: { attemptNo: 3 }, next: retried },
    3,
    null,
  ],
  [
    'the last one',
    { attempt: { attemptNo: 3 }, next: { state: 'dead_lettered' } },
    2,
    'delivery.dead_lettered',
  ],
  [
    'the end without an attempt',
    { attempt: null, next: { state: 'dead_lettered' } },
    2,
    'delivery.dead_lettered',
  ],
  ['a success', { attempt: { attemptNo: 3 }, next: { state: 'succeeded' } }, 2, null],
] as const)('of a delivery %s is told as it should', (_, outcome, attemptCount, topic) => {
  expect(deliveryTrouble(outcome, { attemptCount }, 3)).toBe(topic)
})
