/** Filters in a program. */
import { expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'

async function open() {
  const hooks = await Outhook.open({ store: 'memory:', dispatch: false, allowNetworks: ['127.0.0.0/8'] })
  onTestFinished(() => hooks.close())
  return hooks
}

test('a program gives an endpoint a filter, publishes, and is told how many subscriptions did not get it', async () => {
  const hooks = await open()
  const filter = { total: { $gte: 100 } }
  const { endpoint } = await hooks.endpoints.create({
    url: 'https://127.0.0.1/hook',
    topics: ['orders.*'],
    filter,
  })
  expect(endpoint.filter).toEqual(filter)
  const large = await hooks.publish({ topic: 'orders.created', payload: { total: 100 } })
  expect([large.deliveryIds.length, large.filteredSubscriptions]).toEqual([1, 0])
  const small = await hooks.publish({ topic: 'orders.created', body: '{"total": 99}' })
  expect([small.deliveryIds.length, small.filteredSubscriptions]).toEqual([0, 1])
  expect(await hooks.events.get(small.id)).toMatchObject({ deliveries: [], filteredSubscriptions: 1 })
  expect((await hooks.events.get(large.id)).filteredSubscriptions).toBeNull()
  expect((await hooks.publish({ topic: 'users.created', payload: 1 })).filteredSubscriptions).toBe(0)
  const preview = await hooks.subscriptions.preview({ filter, topicPatterns: ['orders.*'] })
  expect(preview).toMatchObject({
    passed: 1,
    lookedAt: 3,
    items: [{ eventId: small.id, reason: 'filter' }, { eventId: large.id }],
  })
  await expect(
    hooks.subscriptions.create({
      endpointId: endpoint.id,
      topicPatterns: ['*'],
      filter: { at: new Date(0) },
    }),
  ).rejects.toMatchObject({ code: 'unprocessable', message: expect.stringContaining('filter.at is a Date') })
  await expect(hooks.endpoints.update(endpoint.id, { filter })).rejects.toMatchObject({
    code: 'unprocessable',
  })
})

test('an event for many goes to those whose filter lets it through', async () => {
  const hooks = await open()
  const { endpoint } = await hooks.endpoints.create({ url: 'https://127.0.0.1/hook' })
  const subscribe = (index: number) =>
    hooks.subscriptions.create({
      endpointId: endpoint.id,
      topicPatterns: ['*'],
      filter: { n: { $gte: index % 2 } },
    })
  await Promise.all(Array.from({ length: 2004 }, (_, index) => subscribe(index)))
  const half = await hooks.publish({ topic: 'a', payload: { n: 0 } })
  expect(half).toMatchObject({ state: 'accepted', deliveryIds: [], filteredSubscriptions: 1002 })
  expect(await hooks.events.get(half.id)).toMatchObject({ filteredSubscriptions: 1002 })
  const none = await hooks.publish({ topic: 'a', payload: { n: -1 } })
  expect(none).toMatchObject({ state: 'fanned_out', deliveryIds: [], filteredSubscriptions: 2004 })
})

test('an event with an ordering key joins only the lines of subscriptions whose filter lets it through', async () => {
  const hooks = await open()
  const { endpoint } = await hooks.endpoints.create({ url: 'https://127.0.0.1/hook' })
  const ordered = { endpointId: endpoint.id, topicPatterns: ['*'], ordered: true } as const
  await hooks.subscriptions.create({ ...ordered, filter: { n: 1 } })
  for (const n of [1, 2, 1]) await hooks.publish({ topic: 'a', payload: { n }, orderingKey: 'k' })
  expect((await hooks.orderedKeys.list()).items).toMatchObject([{ orderingKey: 'k', backlogCount: 2 }])
})
