/** Crash loops: thousands of deliveries lost their claims in a few crashes, and one of them at most is the cause. */
import { expect, test } from 'vitest'
import { createIdFactory } from '../../src/core/ids.ts'
import { aClaimed, aDispatcher, anEndpoint } from './a-dispatcher.ts'

const count = 2000

function someSuspects() {
  const ids = createIdFactory(() => 1_800_000_000_000)
  const endpoints = Array.from({ length: 8 }, (_, index) => anEndpoint(`ep_${index}`))
  const deliveries = Array.from({ length: count }, (_, index) =>
    aClaimed(ids.next('dlv'), `ep_${index % 8}`, { lostClaims: 3 }),
  )
  return { endpoints, deliveries }
}

test('two thousand suspects of which none is to blame are delivered in a few seconds', async () => {
  const { endpoints, deliveries } = someSuspects()
  const { clock, store, sender, dispatcher, outcomes } = aDispatcher({ endpoints, maxInFlight: 512 })
  sender.instantStatus = 200
  store.add(...deliveries)
  dispatcher.start()
  await clock.advance(4000)
  expect(outcomes).toHaveLength(count)
  expect(sender.repeated).toEqual([])
})

test('one poisonous delivery among two thousand is found in a few crashes, and the others are delivered', async () => {
  const { endpoints, deliveries } = someSuspects()
  const poison = deliveries[1234]?.id as string
  const setup = { endpoints, maxInFlight: 512 }
  let node = aDispatcher(setup)
  const { clock, store } = node
  store.add(...deliveries)
  let crashes = 0
  const left: number[] = []
  for (let isOver = false; !isOver; ) {
    const { sender, dispatcher, kill } = node
    let hasCrashed = false
    sender.instantStatus = 200
    sender.onAttempt = (id) => {
      if (id !== poison) return
      kill()
      hasCrashed = true
    }
    dispatcher.start()
    for (let waited = 0; !hasCrashed && !isOver && waited < 60_000; waited += 50) {
      await clock.advance(50)
      isOver = store.rows.size === 0
    }
    if (!hasCrashed) break
    crashes++
    left.push(store.rows.size)
    node = aDispatcher({ ...setup, before: { clock, store } })
  }
  const ofPoison = node.outcomes.find(({ deliveryId }) => deliveryId === poison)
  expect(ofPoison?.next).toEqual({ state: 'dead_lettered', finalError: 'attempts_exhausted' })
  expect(store.rows.size).toBe(0)
  expect(crashes).toBeLessThanOrEqual(17)
  // Long before the poisonous one is given up, all others are delivered.
  expect(left.indexOf(1)).toBeLessThan(13)
})
