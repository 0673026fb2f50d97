/** Events for more than a thousand deliveries, as users of the library meet them. */
import { expect, onTestFinished, test } from 'vitest'
import { type OpenOptions, Outhook } from '../../src/index.ts'
import { anHttpServer } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'

/** Every subscription of the one endpoint gives a delivery. */
async function anOuthookWith(subscriptions: number, url: string, options: Partial<OpenOptions> = {}) {
  const hooks = await Outhook.open({
    store: 'memory:',
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    ...options,
  })
  onTestFinished(() => hooks.close())
  const { endpoint } = await hooks.endpoints.create({ url, maxInFlight: 200 })
  const input = { endpointId: endpoint.id, topicPatterns: ['orders.*'] }
  await Promise.all(Array.from({ length: subscriptions }, () => hooks.subscriptions.create(input)))
  return hooks
}

test('an event for 1001 is accepted at once, then fanned out and delivered once to each', async () => {
  const received: unknown[] = []
  const url = await anHttpServer((request, response) => {
    received.push(request.headers['outhook-delivery-id'])
    response.end()
  })
  const hooks = await anOuthookWith(1001, url)
  const published = await hooks.publish({
    topic: 'orders.created',
    payload: { id: 1 },
    idempotencyKey: 'o_1',
  })
  expect(published).toEqual({
    id: published.id,
    deliveryIds: [],
    state: 'accepted',
    filteredSubscriptions: 0,
    replayed: false,
    warnings: [],
  })

  const status = await hooks.events.wait(published.id, { timeoutMs: 6 * patienceMs })
  expect(status.state).toBe('fanned_out')
  expect(status.deliveries).toHaveLength(1000)
  const { deliveries: rest, nextCursor } = await hooks.events.get(published.id, { cursor: status.nextCursor })
  expect(nextCursor).toBe('')
  const all = [...status.deliveries, ...rest]
  expect(all.every(({ state, attempts }) => state === 'succeeded' && attempts.length === 1)).toBe(true)
  expect(received.toSorted()).toEqual(all.map(({ id }) => id).toSorted())

  const again = { topic: 'orders.created', payload: { id: 1 }, idempotencyKey: 'o_1' }
  expect(await hooks.publish(again)).toEqual({ ...published, replayed: true })
}, 90_000)

test('an event for 1000 is fanned out with its publish, and none of its deliveries is left out', async () => {
  const hooks = await anOuthookWith(1000, 'http://127.0.0.1:9/', { dispatch: false })
  const { id, deliveryIds, state } = await hooks.publish({ topic: 'orders.created', payload: 1 })
  expect(state).toBe('fanned_out')
  const status = await hooks.events.get(id)
  expect(status.nextCursor).toBe('')
  expect(status.deliveries.map((delivery) => delivery.id)).toEqual(deliveryIds)
  expect(deliveryIds).toHaveLength(1000)
}, 30_000)

test('a wait that ends too early names some of what is open, not a thousand deliveries', async () => {
  const hooks = await anOuthookWith(1001, 'http://127.0.0.1:9/', { dispatch: false })
  const { id } = await hooks.publish({ topic: 'orders.created', payload: 1 })
  await expect
    .poll(async () => (await hooks.events.get(id)).state, { timeout: patienceMs })
    .toBe('fanned_out')
  const waited = hooks.events.wait(id, { timeoutMs: 0 })
  await expect(waited).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringMatching(/and others$/),
  })
  expect(((await waited.catch((error: unknown) => error)) as Error).message.length).toBeLessThan(2000)
}, 30_000)

test('a cursor that no answer gave is bad_cursor', async () => {
  const hooks = await anOuthookWith(1, 'http://127.0.0.1:9/', { dispatch: false })
  const { id } = await hooks.publish({ topic: 'orders.created', payload: 1 })
  await expect(hooks.events.get(id, { cursor: 'nonsense' })).rejects.toMatchObject({ code: 'bad_cursor' })
})
