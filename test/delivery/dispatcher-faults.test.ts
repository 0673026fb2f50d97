/** Lost claims, a routing that cannot be read, and stopping. */

import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { aClaimed, aDispatcher, severalClaimed } from './a-dispatcher.ts'
import { aSecret } from './a-secret.ts'

test('a delivery that lost three claims runs with nothing else in flight', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  store.add(aClaimed('other', 'ep_b'), aClaimed('suspect', 'ep_a', { lostClaims: 3 }))
  dispatcher.start()
  await clock.advance(0)
  expect(sender.deliveryIds).toEqual(['suspect'])
  sender.answerAll()
  await clock.advance(0)
  expect(sender.deliveryIds).toEqual(['suspect', 'other'])
})

test('a delivery that has to run alone waits for what is in flight, and nothing new starts meanwhile', async () => {
  const { clock, store, sender, dispatcher, routing, routed } = aDispatcher()
  store.add(aClaimed('first', 'ep_b'))
  dispatcher.start()
  await clock.advance(0)
  store.add(aClaimed('suspect', 'ep_a', { lostClaims: 5 }), aClaimed('next', 'ep_c'))
  dispatcher.wake()
  await clock.advance(0)
  const { targets } = await routing.get(routed.tenantId)
  expect(dispatcher.reserve(targets.get('ep_c')!, 2)).toBeNull()
  expect(sender.deliveryIds).toEqual(['first'])
  sender.answerAll()
  await clock.advance(0)
  expect(sender.deliveryIds).toEqual(['first', 'suspect'])
})

test('a delivery that has to run alone gets its attempt although what is in flight hangs', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  store.add(aClaimed('hangs', 'ep_b'))
  dispatcher.start()
  await clock.advance(0)
  store.add(aClaimed('suspect', 'ep_a', { lostClaims: 5 }))
  dispatcher.wake()
  await clock.advance(sender.totalTimeoutMs)
  expect(sender.deliveryIds).toEqual(['hangs', 'suspect'])
})

test('many deliveries that hang and have to run alone do not keep the node from ordinary work', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  store.add(...severalClaimed(20, 'ep_a', { lostClaims: 4 }))
  dispatcher.start()
  await clock.advance(1000)
  store.add(aClaimed('ordinary', 'ep_b'))
  await clock.advance(20_000)
  expect(sender.deliveryIds).toContain('ordinary')
  await clock.advance(15 * 60_000)
  expect(new Set(sender.deliveryIds).size).toBe(21)
  expect(sender.repeated).toEqual([])
})

test('S1.24 a delivery that lost every claim is given up as attempts_exhausted, without an attempt', async () => {
  const { clock, store, sender, dispatcher, outcomes } = aDispatcher()
  store.add(aClaimed('d1', 'ep_a', { lostClaims: 20 }))
  dispatcher.start()
  await clock.advance(0)
  expect(sender.attempts).toHaveLength(0)
  expect(outcomes).toMatchObject([
    { deliveryId: 'd1', attempt: null, next: { state: 'dead_lettered', finalError: 'attempts_exhausted' } },
  ])
})

test('when the routing cannot be read, all that was claimed is given back, and the next claim sends it', async () => {
  let faults = 1
  const { clock, store, sender, dispatcher } = aDispatcher({
    loadRouting: async (routing) => {
      if (faults-- > 0) throw new OuthookError('store_unavailable', 'down')
      return routing
    },
  })
  store.add(...severalClaimed(3, 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  expect(store.released).toHaveLength(3)
  await clock.advance(1000)
  expect(sender.attempts).toHaveLength(3)
  expect([...store.rows.values()].every(({ delivery }) => delivery.lostClaims === 0)).toBe(true)
})

test('a delivery whose endpoint is gone from the routing is given back, and the routing is read again', async () => {
  let loads = 0
  const { clock, store, sender, dispatcher } = aDispatcher({
    loadRouting: async (routing) => {
      loads++
      return routing
    },
  })
  store.add(aClaimed('d1', 'ep_unknown'))
  dispatcher.start()
  await clock.advance(1000)
  expect(sender.attempts).toHaveLength(0)
  expect(store.released[0]).toMatchObject({ deliveryId: 'd1', delayMs: 1000 })
  expect(loads).toBe(2)
})

test('a secret that cannot be opened is retried, not given up', async () => {
  const { clock, store, sender, dispatcher, outcomes, routed } = aDispatcher({
    loadRouting: async (routing) => ({
      ...routing,
      endpoints: [{ ...routing.endpoints[0]!, signingSchemes: ['standard'] }],
      secrets: [aSecret({ id: 's', endpointId: 'ep_a', sealed: new Uint8Array(40) })],
    }),
  })
  expect(routed.secrets).toEqual([])
  store.add(aClaimed('d1', 'ep_a', { attemptCount: 50 }))
  dispatcher.start()
  await clock.advance(0)
  expect(sender.attempts).toHaveLength(0)
  expect(outcomes).toMatchObject([
    { attempt: { errorClass: 'internal' }, next: { state: 'retry_scheduled' } },
  ])
})

test('S1.43 stopping lets what is in flight end, gives back what waits, and counts no attempt for that', async () => {
  const { clock, store, sender, dispatcher, outcomes } = aDispatcher()
  store.add(...severalClaimed(6, 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  const stopped = dispatcher.stop(10_000)
  await clock.advance(0)
  expect(store.released.map(({ deliveryId, delayMs }) => [deliveryId, delayMs])).toEqual([
    ['ep_a_5', 0],
    ['ep_a_6', 0],
  ])
  sender.answerAll()
  await clock.advance(0)
  await stopped
  expect(outcomes).toHaveLength(4)
  expect(sender.attempts).toHaveLength(4)
  expect([...store.rows.values()].map(({ delivery }) => delivery.attemptCount)).toEqual([0, 0])
})

test('what the drain deadline cuts off is given back, and its late outcome is nobody`s to record', async () => {
  const { clock, store, sender, dispatcher, outcomes } = aDispatcher()
  store.add(aClaimed('d1', 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  const stopped = dispatcher.stop(1000)
  await clock.advance(1000)
  await stopped
  expect(store.released).toEqual([{ deliveryId: 'd1', claimVersion: 2, delayMs: 1000, sent: true }])
  sender.answerAll()
  await clock.advance(0)
  expect(outcomes).toEqual([])
})

test('what a claim brings while the dispatcher stops is given back unsent', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  const gate = Promise.withResolvers<void>()
  store.gate = gate.promise
  store.add(aClaimed('d1', 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  const stopped = dispatcher.stop(1000)
  gate.resolve()
  await clock.advance(0)
  await stopped
  expect(sender.attempts).toHaveLength(0)
  expect(store.released).toHaveLength(1)
})

test('stopping leaves no timer behind, also when called twice and when the store is gone', async () => {
  const { clock, store, dispatcher } = aDispatcher()
  store.add(aClaimed('d1', 'ep_a', { lostClaims: 20 }))
  dispatcher.start()
  await clock.advance(300)
  store.faults.release.push(new OuthookError('store_unavailable', 'gone'))
  await Promise.all([dispatcher.stop(1000), dispatcher.stop(1000)])
  dispatcher.wake()
  expect(clock.pendingTimers).toBe(0)
})
