import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aDirectory, anApp, aReceiver, publish } from './an-app.ts'

test('tenants with backlogs are delivered to by their weights, and all of it arrives', async () => {
  const store = `sqlite:${join(aDirectory(), 'weights.db')}`
  const receiver = await aReceiver()
  const each = 80
  const { engine, close } = await anApp({ store, dispatch: false })
  for (const [uid, weight] of [
    ['light', 1],
    ['heavy', 3],
  ] as const) {
    const { id } = await engine.tenants.create({ uid, settings: { weight } })
    await engine.endpoints.create(id, { url: `${receiver.url}/slow/5/${uid}`, topics: ['*'] })
    await Promise.all(Array.from({ length: each }, () => publish(engine, { tenantId: id })))
  }
  await close()

  const delivering = await anApp({ store, options: { maxInFlight: 8 } })
  await delivering.attempted(2 * each)
  const order = receiver.received.map(({ path }) => path.split('/').at(-1))
  const heavyAmong = (count: number) => order.slice(0, count).filter((uid) => uid === 'heavy').length
  // Three of four are the heavy one's while both wait, but for what is in flight or in memory at that moment.
  expect(heavyAmong(80)).toBeGreaterThanOrEqual(54)
  expect(heavyAmong(80)).toBeLessThanOrEqual(66)
  expect(heavyAmong(2 * each)).toBe(each)
})
