import { expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { aServer } from './a-server.ts'
import { describeTextRule } from './text-rule.ts'

describeTextRule(() => aServer())

test('the library refuses text by the same rule, and says which member', async () => {
  const hooks = await Outhook.open({ store: 'memory:' })
  onTestFinished(() => hooks.close())
  const url = 'https://example.com/hook'
  const refusals: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['payload.ordering_key', () => hooks.publish({ topic: 'a', payload: { ordering_key: 'a\0b' } })],
    ['orderingKey', () => hooks.publish({ topic: 'a', payload: 1, orderingKey: '\ud800' })],
    ['idempotency key', () => hooks.publish({ topic: 'a', payload: 1, idempotencyKey: 'a\0' })],
    ['metadata.a', () => hooks.publish({ topic: 'a', payload: 1, metadata: { a: '\udc00' } })],
    ['uid', () => hooks.endpoints.create({ url, uid: 'a\ud800' })],
    ['description', () => hooks.endpoints.create({ url, description: 'a\0' })],
    ['url', () => hooks.endpoints.create({ url: `${url}/\ud800` })],
    ['topics[0]', () => hooks.endpoints.create({ url, topics: ['a\0'] })],
    ['topic', () => hooks.events.list({ topic: 'a\0' })],
    ['topic', () => hooks.deliveries.list({ topic: '\ud800' })],
    ['endpointId', () => hooks.deadLetters.list({ endpointId: 'a\0' })],
    ['orderingKey', () => hooks.orderedKeys.list({ orderingKey: 'a\ud800' })],
    ['reason', () => hooks.deliveries.skip('dlv_01h455vb4pex5vsknk084sn02q', { reason: 'a\0' })],
    ['endpointId', () => hooks.subscriptions.list({ endpointId: 'a\0' })],
  ]
  for (const [member, refused] of refusals) {
    await expect(refused(), member).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(member),
    })
  }
})
