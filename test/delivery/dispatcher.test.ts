import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { aClaimed, aDispatcher, anEndpoint, aRunningDispatcher, severalClaimed } from './a-dispatcher.ts'

const paused = { consecutiveFailures: 5, failingSince: 0, pausedUntil: 60_000, pauseMs: 30_000 }

test('claims what is due, attempts it and hands the outcome on', async () => {
  const { clock, store, sender, dispatcher, outcomes } = aDispatcher()
  store.add(aClaimed('d1', 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  expect(dispatcher.inFlight).toBe(1)
  sender.answerAll(204)
  await clock.advance(0)
  expect(outcomes).toMatchObject([{ deliveryId: 'd1', claimVersion: 2, next: { state: 'succeeded' } }])
  expect(dispatcher.inFlight).toBe(0)
})

test('a wake-up that comes while a claim runs is not lost', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  const gate = Promise.withResolvers<void>()
  store.gate = gate.promise
  dispatcher.start()
  await clock.advance(0)
  dispatcher.wake()
  gate.resolve()
  await clock.advance(0)
  expect(store.claims).toHaveLength(2)
  expect(sender.attempts).toHaveLength(0)
})

test('a wake-up for later claims then and not before', async () => {
  const { clock, store, dispatcher } = aDispatcher()
  dispatcher.start()
  await clock.advance(0)
  dispatcher.wake(700)
  await clock.advance(699)
  expect(store.claims).toHaveLength(1)
  await clock.advance(1)
  expect(store.claims).toHaveLength(2)
})

test('claims every two seconds without any wake-up', async () => {
  const { clock, store, dispatcher } = aDispatcher()
  dispatcher.start()
  await clock.advance(6000)
  expect(store.claims).toHaveLength(4)
})

test('work that is left for want of slots does not hide what becomes due next', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher({
    endpoints: [anEndpoint('ep_a'), anEndpoint('ep_b')],
  })
  store.add(...severalClaimed(40, 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  store.add(aClaimed('late', 'ep_b'))
  await clock.advance(250)
  expect(sender.deliveryIds).toContain('late')
})

test('a store that fails to claim is asked again, later each time', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  store.add(aClaimed('d1', 'ep_a'))
  for (let count = 0; count < 3; count++)
    store.faults.claim.push(new OuthookError('store_unavailable', 'down'))
  dispatcher.start()
  await clock.advance(49)
  expect(store.claims).toHaveLength(1)
  await clock.advance(1 + 100)
  expect(store.claims).toHaveLength(3)
  await clock.advance(200)
  expect(sender.deliveryIds).toEqual(['d1'])
})

test('a claim that brought nothing is not repeated for slots that were freed elsewhere', async () => {
  const endpoints = [anEndpoint('ep_full'), anEndpoint('ep_b')]
  const { clock, store, sender, dispatcher, routing, routed } = aDispatcher({ endpoints })
  const { targets } = await routing.get(routed.tenantId)
  store.add(...severalClaimed(40, 'ep_full'))
  dispatcher.start()
  await clock.advance(0)
  dispatcher.wake()
  await clock.advance(0)
  const claims = store.claims.length
  for (let count = 0; count < 10; count++) {
    dispatcher.reserve(targets.get('ep_b')!, 2)?.cancel()
    await clock.advance(1)
  }
  expect(store.claims).toHaveLength(claims)
  sender.answerAll()
  await clock.advance(1)
  expect(store.claims.length).toBeGreaterThan(claims)
})

test('never asks for more than free slots and a quarter to wait', async () => {
  const { clock, store, dispatcher } = aDispatcher({ maxInFlight: 64 })
  dispatcher.start()
  await clock.advance(0)
  expect(store.claims[0]?.limit).toBe(56 + 16)
})

test('the backlog takes no slot of the eighth for fresh events', async () => {
  const endpoints = Array.from({ length: 30 }, (_, index) => anEndpoint(`ep_${index}`))
  const { clock, store, sender, dispatcher } = aDispatcher({ endpoints, maxInFlight: 64 })
  for (const { id } of endpoints) store.add(...severalClaimed(4, id))
  dispatcher.start()
  await clock.advance(100)
  expect(sender.open.size).toBe(56)
})

test('while a backlog lasts, the next claim is on its way before anything starts that the last one brought', async () => {
  const endpoints = Array.from({ length: 8 }, (_, index) => anEndpoint(`ep_${index}`))
  const { clock, store, sender, dispatcher, routing, routed } = aDispatcher({ endpoints, maxInFlight: 512 })
  await routing.get(routed.tenantId)
  store.add(
    ...Array.from({ length: 320 }, (_, index) => aClaimed(`d_${index}`, `ep_${index % endpoints.length}`)),
  )
  const claimsAtStart: number[] = []
  sender.instantStatus = 200
  sender.onAttempt = () => claimsAtStart.push(store.claims.length)
  dispatcher.start()
  await clock.advance(0)
  expect(claimsAtStart).toHaveLength(320)
  // What was claimed and has not started yet takes slots as well.
  expect(store.claims.map(({ startable }) => startable).slice(0, 2)).toEqual([448, 320])
  expect(claimsAtStart.slice(0, 128)).toEqual(Array(128).fill(2))
})

test('a node with a single slot still works on its backlog', async () => {
  const { clock, store, sender, dispatcher, outcomes } = aDispatcher({ maxInFlight: 1 })
  sender.instantStatus = 200
  store.add(...severalClaimed(3, 'ep_a'))
  dispatcher.start()
  await clock.advance(2000)
  expect(outcomes).toHaveLength(3)
})

test('claims are as large and as far apart as the store wants them', async () => {
  const endpoints = Array.from({ length: 40 }, (_, index) => anEndpoint(`ep_${index}`))
  const { clock, store, sender, dispatcher } = aDispatcher({ endpoints, maxInFlight: 400 })
  let restsUntil = 0
  const given: number[] = []
  Object.assign(store.pace.claims, {
    restMs: () => Math.max(0, restsUntil - clock.elapsed()),
    begin: () => 8,
    end(count: number) {
      given.push(count)
      restsUntil = clock.elapsed() + 10
    },
  })
  sender.instantStatus = 200
  for (const { id } of endpoints) store.add(...severalClaimed(1, id))
  dispatcher.start()
  await clock.advance(9)
  expect(given).toEqual([8])
  await clock.advance(1)
  expect(given).toEqual([8, 8])
  await clock.advance(30)
  expect(given).toEqual([8, 8, 8, 8, 8])
  expect(store.claims.map(({ limit }) => limit)).toEqual([8, 8, 8, 8, 8])
})

test('a reservation takes a slot, and cancelling it frees it, once', async () => {
  const { clock, dispatcher, target } = await aRunningDispatcher({ maxInFlight: 2 })
  const first = dispatcher.reserve(target('ep_a'), 2)
  dispatcher.reserve(target('ep_a'), 2)
  expect(dispatcher.inFlight).toBe(2)
  first?.cancel()
  first?.cancel()
  expect(dispatcher.inFlight).toBe(1)
  await clock.advance(0)
  dispatcher.reserve(target('ep_a'), 2)
  expect(dispatcher.inFlight).toBe(2)
})

test('nothing is reserved before the start, for a paused target, or while outcomes cannot be recorded', async () => {
  const { clock, dispatcher, routing, routed, recording } = aDispatcher()
  const target = (await routing.get(routed.tenantId)).targets.get('ep_a')!
  expect(dispatcher.reserve(target, 2)).toBeNull()
  dispatcher.start()
  await clock.advance(0)
  dispatcher.setHealth('ep_a', paused)
  expect(dispatcher.reserve(target, 2)).toBeNull()
  dispatcher.setHealth('ep_a', null)
  recording.possible = false
  expect(dispatcher.reserve(target, 2)).toBeNull()
  recording.possible = true
  expect(dispatcher.reserve(target, 2)).not.toBeNull()
})

test('fresh events wait behind what waits in memory for the same target, and overtake it not', async () => {
  const { clock, store, sender, dispatcher, handOff } = await aRunningDispatcher()
  store.add(...severalClaimed(6, 'ep_a'))
  dispatcher.wake()
  await clock.advance(0)
  handOff('fresh', 'ep_a')
  handOff('elsewhere', 'ep_b')
  await clock.advance(0)
  expect(sender.deliveryIds).toEqual(['ep_a_1', 'ep_a_2', 'ep_a_3', 'ep_a_4', 'elsewhere'])
  sender.answerAll()
  await clock.advance(0)
  expect(sender.deliveryIds.slice(5)).toEqual(['ep_a_5', 'ep_a_6', 'fresh'])
})

test('what finds no slot is handed off all the same, waits in memory and needs no claim', async () => {
  const { clock, store, sender, dispatcher, handOff, outcomes } = await aRunningDispatcher()
  for (let no = 1; no <= 20; no++) expect(handOff(`d${no}`, 'ep_a')).toBe(true)
  await clock.advance(0)
  expect([sender.open.size, dispatcher.inFlight]).toEqual([4, 4])
  const claims = store.claims.length
  sender.instantStatus = 200
  sender.answerAll()
  await clock.advance(0)
  expect(sender.deliveryIds).toEqual(Array.from({ length: 20 }, (_, index) => `d${index + 1}`))
  expect(outcomes).toHaveLength(20)
  expect(store.claims).toHaveLength(claims)
})

test('memory holds no more than 256 hand-offs of one target, 2048 in all, and 32 MiB of payloads', async () => {
  const endpoints = Array.from({ length: 12 }, (_, index) => anEndpoint(`ep_${index}`))
  const { dispatcher, target } = await aRunningDispatcher({ endpoints })
  const reserveAll = (id: string, bytes: number) => {
    let count = 0
    while (dispatcher.reserve(target(id), bytes) !== null) count++
    return count
  }
  expect(reserveAll('ep_0', 2)).toBe(4 + 256)
  const others = endpoints.slice(1).map(({ id }) => reserveAll(id, 2))
  expect(others.reduce((sum, count) => sum + count, 256)).toBe(2048 + 11 * 4)
  const bytes = await aRunningDispatcher()
  expect(reserveAll.call(null, 'ep_0', 2)).toBe(0)
  let large = 0
  while (bytes.dispatcher.reserve(bytes.target('ep_a'), 1024 * 1024) !== null) large++
  expect(large).toBe(4 + 32)
})

test('handed-off work that fills the memory does not keep another target from its claims', async () => {
  const endpoints = Array.from({ length: 10 }, (_, index) => anEndpoint(`ep_${index}`))
  const { clock, store, sender, dispatcher, handOff } = await aRunningDispatcher({ endpoints })
  for (const { id } of endpoints.slice(1)) for (let no = 0; handOff(`${id}_${no}`, id); no++);
  await clock.advance(0)
  store.add(aClaimed('backlog', 'ep_0'))
  dispatcher.wake()
  await clock.advance(0)
  expect(sender.deliveryIds).toContain('backlog')
})

test('a target that turns out slow keeps no hand-off in memory, and takes none on', async () => {
  const { clock, store, sender, dispatcher, handOff, target } = await aRunningDispatcher()
  for (let no = 0; no < 10; no++) handOff(`d${no}`, 'ep_a')
  await clock.advance(1200)
  expect(store.released.map(({ deliveryId }) => deliveryId)).toEqual(['d4', 'd5', 'd6', 'd7', 'd8', 'd9'])
  expect(sender.open.size).toBe(4)
  expect(dispatcher.reserve(target('ep_a'), 2)).toBeNull()
})

test('a hand-off that waits is given back when its target is paused, its lease ends or the node stops', async () => {
  const pausedOnes = await aRunningDispatcher()
  for (let no = 0; no < 5; no++) pausedOnes.handOff(`d${no}`, 'ep_a')
  await pausedOnes.clock.advance(0)
  pausedOnes.dispatcher.setHealth('ep_a', paused)
  await pausedOnes.clock.advance(0)
  expect(pausedOnes.store.released.map(({ deliveryId }) => deliveryId)).toEqual(['d4'])

  const stopping = await aRunningDispatcher()
  for (let no = 0; no < 5; no++) stopping.handOff(`d${no}`, 'ep_a')
  const stopped = stopping.dispatcher.stop(0)
  await stopping.clock.advance(0)
  await stopped
  expect(stopping.store.released.map(({ deliveryId }) => deliveryId)).toContain('d4')
})

test('a hand-off that is committed after its target was paused goes back at once', async () => {
  const { clock, store, dispatcher, routed, routing, target } = await aRunningDispatcher()
  for (let no = 0; no < 4; no++) dispatcher.reserve(target('ep_a'), 2)
  const waiting = dispatcher.reserve(target('ep_a'), 2)
  dispatcher.setHealth('ep_a', paused)
  store.lease(aClaimed('d1', 'ep_a'))
  waiting?.accept(
    aClaimed('d1', 'ep_a'),
    await routing.get(routed.tenantId),
    clock.elapsed() + dispatcher.leaseMs,
  )
  await clock.advance(0)
  expect(store.released).toEqual([{ deliveryId: 'd1', claimVersion: 1, delayMs: 0 }])
})

test('an accepted delivery is attempted without a claim, and its slot is freed once', async () => {
  const { clock, sender, dispatcher, outcomes, handOff } = await aRunningDispatcher()
  handOff('d1', 'ep_a')
  expect(sender.deliveryIds).toEqual(['d1'])
  sender.answerAll()
  await clock.advance(0)
  expect(outcomes).toHaveLength(1)
  expect(dispatcher.inFlight).toBe(0)
})

test('a delivery whose insert took too long of its lease is given back without an attempt', async () => {
  const { clock, store, sender, dispatcher, outcomes, routing, routed, target } = await aRunningDispatcher()
  await clock.advance(20_000)
  const delivery = aClaimed('d1', 'ep_a')
  store.lease(delivery)
  const leaseEndsAt = clock.elapsed() + 17_999
  dispatcher.reserve(target('ep_a'), 2)?.accept(delivery, await routing.get(routed.tenantId), leaseEndsAt)
  expect(dispatcher.inFlight).toBe(0)
  expect(sender.attempts).toHaveLength(0)
  await clock.advance(0)
  expect(store.released).toEqual([{ deliveryId: 'd1', claimVersion: 1, delayMs: 0 }])
  expect(outcomes).toHaveLength(0)
})

test('S3.4 the lease outlives the longest attempt, and a delivery in flight is sent no second time', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  expect(dispatcher.leaseMs).toBeGreaterThanOrEqual(2 * sender.totalTimeoutMs)
  store.add(aClaimed('d1', 'ep_a'))
  dispatcher.start()
  await clock.advance(sender.totalTimeoutMs - 1)
  expect(store.claims.length).toBeGreaterThan(5)
  expect(sender.deliveryIds).toEqual(['d1'])
})

test('what waits in memory is given back before its lease ends, so that no claim counts as lost', async () => {
  const { clock, store, sender, dispatcher, recording } = aDispatcher()
  store.add(...severalClaimed(8, 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  recording.possible = false
  sender.answerAll()
  await clock.advance(60_000)
  expect(store.released).toHaveLength(4)
  recording.possible = true
  dispatcher.resume()
  await clock.advance(0)
  expect(sender.attempts).toHaveLength(8)
  expect([...store.rows.values()].map(({ delivery }) => delivery.lostClaims)).toEqual([0, 0, 0, 0])
})

test('leases that an unreachable store did not take back go before the next claim', async () => {
  const { clock, store, sender, dispatcher, recording } = aDispatcher()
  store.add(...severalClaimed(6, 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  recording.possible = false
  for (let count = 0; count < 500; count++)
    store.faults.release.push(new OuthookError('store_unavailable', 'down'))
  await clock.advance(60_000)
  expect(store.released).toHaveLength(0)
  store.faults.release.length = 0
  recording.possible = true
  dispatcher.resume()
  await clock.advance(1000)
  expect(sender.attempts).toHaveLength(6)
  expect([...store.rows.values()].map(({ delivery }) => delivery.lostClaims)).toEqual([0, 0])
})

test('a pause gives back what was claimed before it, and no attempt is made of it', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  store.add(...severalClaimed(6, 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  expect(sender.open.size).toBe(4)
  dispatcher.setHealth('ep_a', paused)
  await clock.advance(0)
  expect(store.released.map(({ deliveryId }) => deliveryId)).toEqual(['ep_a_5', 'ep_a_6'])
})

test('what waits in memory for any target of a tenant can be given back', async () => {
  const { clock, store, dispatcher, routed } = aDispatcher()
  store.add(...severalClaimed(6, 'ep_a'), ...severalClaimed(6, 'ep_b'))
  dispatcher.start()
  await clock.advance(0)
  dispatcher.giveBackWaiting('ten_other')
  await clock.advance(0)
  expect(store.released).toEqual([])
  dispatcher.giveBackWaiting(routed.tenantId)
  await clock.advance(0)
  expect(store.released.map(({ deliveryId }) => deliveryId).toSorted()).toEqual([
    'ep_a_5',
    'ep_a_6',
    'ep_b_5',
    'ep_b_6',
  ])
})

test('the probe that the store gives after a pause goes out', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  dispatcher.setHealth('ep_a', paused)
  dispatcher.start()
  store.add(aClaimed('probe', 'ep_a'))
  dispatcher.setHealth('ep_a', paused)
  await clock.advance(250)
  expect(sender.deliveryIds).toEqual(['probe'])
})

test('a slow target holds nothing in memory that cannot start', async () => {
  const endpoints = [anEndpoint('ep_a', { maxInFlight: 8 })]
  const { clock, store, sender, dispatcher } = aDispatcher({ endpoints, maxInFlight: 8 })
  store.add(...severalClaimed(12, 'ep_a'))
  dispatcher.start()
  await clock.advance(1200)
  expect(sender.open.size).toBe(4)
  expect(store.released).toHaveLength(5)
  expect([...store.rows.values()].filter(({ leased }) => leased)).toHaveLength(4)
})

test('the work of a slow target is not fetched again and again while the slow half is full', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher({ maxInFlight: 8 })
  store.add(aClaimed('first', 'ep_b'))
  dispatcher.start()
  await clock.advance(2000)
  sender.answerAll()
  store.add(...severalClaimed(12, 'ep_a'))
  await clock.advance(2000)
  expect(sender.open.size).toBe(4)
  store.add(...severalClaimed(6, 'ep_b'))
  await clock.advance(10_000)
  expect(
    store.released.filter(({ deliveryId }) => deliveryId.startsWith('ep_b_')).length,
  ).toBeLessThanOrEqual(6)
  await clock.advance(30_000)
  expect(sender.deliveryIds.filter((id) => id.startsWith('ep_b_')).length).toBeGreaterThan(0)
})

test('hanging targets leave room for the claims of others', async () => {
  const hanging = ['ep_a', 'ep_b', 'ep_c', 'ep_d']
  const endpoints = [...hanging, 'ep_healthy'].map((id) => anEndpoint(id))
  const { clock, store, sender, dispatcher } = aDispatcher({ endpoints, maxInFlight: 64 })
  for (const id of hanging) store.add(...severalClaimed(64, id))
  dispatcher.start()
  await clock.advance(1500)
  store.add(...severalClaimed(3, 'ep_healthy'))
  await clock.advance(500)
  expect(sender.deliveryIds.filter((id) => id.startsWith('ep_healthy'))).toHaveLength(3)
})

test('nothing new starts while outcomes cannot be recorded, and all goes on when they can', async () => {
  const { clock, store, sender, dispatcher, recording } = aDispatcher()
  recording.possible = false
  store.add(aClaimed('d1', 'ep_a'))
  dispatcher.start()
  await clock.advance(3000)
  expect(store.claims).toHaveLength(0)
  recording.possible = true
  dispatcher.resume()
  await clock.advance(0)
  expect(sender.deliveryIds).toEqual(['d1'])
})

test('S3.3 one due row and twenty wake-ups make one request', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  store.add(aClaimed('d1', 'ep_a'))
  dispatcher.start()
  for (let count = 0; count < 20; count++) dispatcher.wake()
  await clock.advance(10_000)
  expect(sender.deliveryIds).toEqual(['d1'])
})
