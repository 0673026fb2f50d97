import { expect, test } from 'vitest'
import type { ShareRenewal, SlotLease, SlotShares } from '../../src/store/port.ts'
import { aClaimed, aDispatcher, anEndpoint, severalClaimed } from './a-dispatcher.ts'

const rated = anEndpoint('ep_a', { rateLimitRps: 100 })

test('what has spent a token waits nowhere: it goes at once, or back with its token', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher({ endpoints: [rated] })
  store.add(...severalClaimed(6, 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  expect(sender.attempts).toHaveLength(4)
  expect(store.released).toEqual([
    { deliveryId: 'ep_a_5', claimVersion: 2, delayMs: 50 },
    { deliveryId: 'ep_a_6', claimVersion: 2, delayMs: 50 },
  ])
})

test('a claim asks for no more of a busy target with a rate than may start', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher({ endpoints: [rated, anEndpoint('ep_b')] })
  store.add(...severalClaimed(4, 'ep_a'), ...severalClaimed(4, 'ep_b'))
  dispatcher.start()
  await clock.advance(0)
  expect(sender.open.size).toBe(8)
  dispatcher.wake()
  await clock.advance(0)
  const { slots, startable, limit } = store.claims.at(-1) ?? { slots: new Map() }
  expect(Object.fromEntries(slots)).toEqual({ ep_a: 0, ep_b: 4 })
  expect(startable).toBe(64 - 8 - 8)
  expect(limit).toBeGreaterThan(startable ?? 0)
})

/** Shares of a node whose renewals say what they are told to. */
function someShares() {
  const wanted = new Map<string, number>()
  const shares: SlotShares = {
    renew: async (): Promise<ShareRenewal> => ({ nodeId: 'me', wanted: new Map(wanted) }),
    lower: async () => {},
    leave: async () => {},
  }
  return { shares, wanted }
}

test('no hand-off goes without a share; a claim brings one, and hand-offs spend it', async () => {
  const { shares } = someShares()
  const { clock, store, dispatcher, routing, routed } = aDispatcher({ shares })
  const target = (await routing.get(routed.tenantId)).targets.get('ep_a')
  if (target === undefined) throw new Error('no target')
  dispatcher.start()
  expect(dispatcher.reserve(target, 2)).toBeNull()
  await clock.advance(0)
  expect(dispatcher.reserve(target, 2)).toBeNull()
  store.claimedShares = new Map([['ep_a', 3]])
  store.add(aClaimed('d1', 'ep_a'))
  dispatcher.wake()
  await clock.advance(0)
  expect(dispatcher.inFlight).toBe(1)
  for (let count = 0; count < 3; count++) dispatcher.reserve(target, 2)
  expect(dispatcher.inFlight).toBe(3)
})

test('claims begin with the first renewal, and say of which targets the share is used up', async () => {
  const { shares } = someShares()
  const { clock, store, sender, dispatcher } = aDispatcher({ shares })
  store.claimedShares = new Map([['ep_a', 2]])
  store.add(...severalClaimed(4, 'ep_a'))
  dispatcher.start()
  expect(store.claims).toHaveLength(0)
  await clock.advance(0)
  expect(sender.open.size).toBe(2)
  dispatcher.wake()
  await clock.advance(0)
  expect(store.claims.at(-1)?.wantsMore).toEqual(new Set(['ep_a']))
  expect(store.claims.at(-1)?.slots.get('ep_a')).toBe(0)
})

test('what waits for slots that went to other nodes is given back', async () => {
  const { shares, wanted } = someShares()
  const { clock, store, dispatcher } = aDispatcher({ shares })
  store.claimedShares = new Map([['ep_a', 2]])
  store.add(...severalClaimed(4, 'ep_a'))
  dispatcher.start()
  await clock.advance(0)
  wanted.set('ep_a', 1)
  await clock.advance(1000)
  expect(store.released.map(({ deliveryId }) => deliveryId)).toEqual(['ep_a_3', 'ep_a_4'])
  expect(dispatcher.inFlight).toBe(2)
})

test('a node keeps its slots for a few failed renewals, and they count while its requests may be open', async () => {
  const { shares } = someShares()
  const kept: SlotLease[] = []
  const renew = (lease: SlotLease) => {
    kept.push(lease)
    return shares.renew(lease)
  }
  const { clock, sender, dispatcher } = aDispatcher({ shares: { ...shares, renew } })
  dispatcher.start()
  await clock.advance(0)
  expect(kept[0]?.usableMs).toBeGreaterThan(3000)
  expect(kept[0]?.usableMs).toBeLessThan(dispatcher.leaseMs / 2)
  expect(kept[0]?.openMs).toBeGreaterThan(sender.totalTimeoutMs)
})
