import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { LeaseReturns } from '../../src/delivery/lease-returns.ts'
import type { Release } from '../../src/store/port.ts'

function someReturns() {
  const released: (readonly Release[])[] = []
  const delays: number[] = []
  const faults: Error[] = []
  const locked = new Set<string>()
  const returns = new LeaseReturns({
    logger: silentLogger,
    onReturned: (delayMs) => delays.push(delayMs),
    store: {
      async release(batch) {
        const fault = faults.shift()
        if (fault !== undefined) throw fault
        released.push(batch)
        return batch.filter(({ deliveryId }) => locked.has(deliveryId))
      },
    },
  })
  return { returns, released, delays, faults, locked }
}

const first = { id: 'dlv_1', claimVersion: 1 }
const second = { id: 'dlv_2', claimVersion: 4 }

test('what is given back together shares a transaction', async () => {
  const { returns, released, delays } = someReturns()
  returns.give([first], 500)
  returns.give([second], 100)
  await returns.flush()
  expect(released).toEqual([
    [
      { deliveryId: 'dlv_1', claimVersion: 1, delayMs: 500 },
      { deliveryId: 'dlv_2', claimVersion: 4, delayMs: 100 },
    ],
  ])
  expect(delays).toEqual([100])
  expect(returns.pending).toBe(false)
})

test('what an unreachable store does not take stays owed and goes with the next', async () => {
  const { returns, released, faults } = someReturns()
  faults.push(new OuthookError('store_unavailable', 'down'))
  returns.give([first], 0)
  await expect(returns.flush()).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(returns.pending).toBe(true)
  returns.give([second], 0)
  await returns.flush()
  expect(released.flat().map(({ deliveryId }) => deliveryId)).toEqual(['dlv_1', 'dlv_2'])
})

test('rows that the store refuses are let go of, and hold up no others', async () => {
  const { returns, released, faults } = someReturns()
  faults.push(new OuthookError('store_refused', 'refused'))
  returns.give([first], 0)
  await returns.flush()
  returns.give([second], 0)
  await returns.flush()
  expect(released.flat().map(({ deliveryId }) => deliveryId)).toEqual(['dlv_2'])
})

test('a failed give without anybody asking is no unhandled rejection', async () => {
  const { returns, faults } = someReturns()
  faults.push(new OuthookError('store_unavailable', 'down'))
  returns.give([first], 0)
  await new Promise((resolve) => setImmediate(resolve))
  expect(returns.pending).toBe(true)
})

test('what somebody else has locked goes again with the next flush, and a wake-up is asked for', async () => {
  const { returns, released, delays, locked } = someReturns()
  locked.add('dlv_1')
  returns.give([first, second], 100)
  await returns.flush()
  expect(delays).toEqual([500, 100])
  expect(returns.pending).toBe(true)
  locked.clear()
  await returns.flush()
  expect(returns.pending).toBe(false)
  expect(released.map((batch) => batch.map(({ deliveryId }) => deliveryId))).toEqual([
    ['dlv_1', 'dlv_2'],
    ['dlv_1'],
  ])
})
