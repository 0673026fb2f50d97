/** Leases follow the timeouts of endpoints. */
import { expect, test } from 'vitest'
import { aClaimed, aDispatcher, anEndpoint } from './a-dispatcher.ts'

const patient = anEndpoint('ep_a', { timeoutMs: 60_000 })
const usual = anEndpoint('ep_b')

test('an endpoint whose timeout is longer than the usual lease is sent one request, however long it takes', async () => {
  const { clock, store, sender, dispatcher, outcomes } = aDispatcher({ endpoints: [patient, usual] })
  const usualMs = dispatcher.leaseMs
  expect(usualMs).toBeLessThan(60_000)
  store.add(aClaimed('d1', 'ep_a'))
  dispatcher.start()
  await clock.advance(59_000)
  expect(sender.attempts.map(({ request }) => request.timeoutMs)).toEqual([60_000])
  expect(store.released).toMatchObject([{ deliveryId: 'd1', delayMs: 0 }])
  expect(store.claims[0]?.leaseMs).toBe(usualMs)
  expect(store.claims.at(-1)?.leaseMs).toBeGreaterThan(120_000)
  sender.answerAll()
  await clock.advance(200_000)
  expect([sender.deliveryIds, outcomes.length]).toEqual([['d1'], 1])
})

test('a delivery that is handed off is leased for as long as its endpoint’s timeout asks for', async () => {
  const { clock, store, sender, dispatcher, routing } = aDispatcher({ endpoints: [patient, usual] })
  const known = await routing.get(patient.tenantId)
  dispatcher.start()
  await clock.advance(0)
  const target = known.targets.get('ep_a')!
  const reservation = dispatcher.reserve(target, 2)!
  const leaseMs = dispatcher.leaseMs
  expect(leaseMs).toBeGreaterThan(120_000)
  const delivery = aClaimed('d1', 'ep_a')
  store.lease(delivery)
  reservation.accept(delivery, known, clock.elapsed() + leaseMs)
  await clock.advance(59_000)
  expect(sender.deliveryIds).toEqual(['d1'])
  expect(store.released).toEqual([])
})

test('leases are as long as before some time after the last request of a longer timeout', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher({ endpoints: [patient, usual] })
  const usualMs = dispatcher.leaseMs
  sender.instantStatus = 200
  store.add(aClaimed('d1', 'ep_a'))
  dispatcher.start()
  await clock.advance(300_000)
  expect(dispatcher.leaseMs).toBeGreaterThan(120_000)
  await clock.advance(400_000)
  expect(dispatcher.leaseMs).toBe(usualMs)
})

test('a shorter timeout than the usual one shortens no lease', async () => {
  const hasty = anEndpoint('ep_a', { timeoutMs: 1000 })
  const { clock, store, sender, dispatcher } = aDispatcher({ endpoints: [hasty, usual] })
  const usualMs = dispatcher.leaseMs
  store.add(aClaimed('d1', 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  expect(sender.attempts[0]?.request.timeoutMs).toBe(1000)
  expect(dispatcher.leaseMs).toBe(usualMs)
})
