import { expect, test } from 'vitest'
import { aClaimed, aDispatcher, severalClaimed } from './a-dispatcher.ts'

test('while one runs alone it is the only lease, so that a crash then counts against nothing else', async () => {
  const { clock, store, sender, dispatcher } = aDispatcher()
  store.add(...severalClaimed(5, 'ep_a', { lostClaims: 3 }), aClaimed('ordinary', 'ep_b'))
  dispatcher.start()
  for (let no = 1; no <= 5; no++) {
    await clock.advance(0)
    expect(sender.deliveryIds).toHaveLength(no)
    const leased = [...store.rows.values()].filter((row) => row.leased)
    expect(leased.map((row) => row.delivery.id)).toContain(sender.deliveryIds[no - 1])
    expect(leased.filter((row) => !sender.deliveryIds.includes(row.delivery.id))).toEqual([])
    sender.answerAll()
  }
  await clock.advance(0)
  expect(sender.deliveryIds.at(-1)).toBe('ordinary')
})
