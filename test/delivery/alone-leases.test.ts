import { expect, test } from 'vitest'
import { suspectGroup } from '../../src/core/lost-claims.ts'
import { aClaimed, aDispatcher, severalClaimed } from './a-dispatcher.ts'

test('while a group of suspects runs it is all that is leased, so that a crash then counts against nothing else', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  const suspects = severalClaimed(5, 'ep_a', { lostClaims: 3 })
  store.add(...suspects, aClaimed('ordinary', 'ep_b'))
  const groups = new Set(suspects.map(({ id }) => suspectGroup(id, 3)))
  expect(groups.size).toBe(2)
  dispatcher.start()
  for (const _ of groups) {
    await clock.advance(0)
    const inFlight = [...sender.open].map(({ deliveryId }) => deliveryId)
    const name = suspectGroup(inFlight[0] as string, 3)
    const leased = [...store.rows.values()].filter((row) => row.leased).map((row) => row.delivery.id)
    expect(leased.toSorted()).toEqual(
      suspects
        .map(({ id }) => id)
        .filter((id) => suspectGroup(id, 3) === name)
        .toSorted(),
    )
    expect(sender.deliveryIds).not.toContain('ordinary')
    sender.answerAll()
  }
  await clock.advance(0)
  expect(sender.deliveryIds).toHaveLength(6)
  expect(sender.deliveryIds.at(-1)).toBe('ordinary')
})
