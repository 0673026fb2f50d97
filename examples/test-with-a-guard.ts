// Tests of code that sends webhooks, without one real request. Run: node --test examples/test-with-a-guard.ts
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { Webhook } from 'outhook/sender'
import { guardSends } from 'outhook/testing'

// What is tested.
const webhook = new Webhook('https://example.com/hook')
async function placeOrder(id: string): Promise<boolean> {
  const { ok } = await webhook.send({ type: 'orders.created', id })
  return ok
}

// In the set-up file of all tests this would be `guardSends()`: every send then fails its run.
const answers: number[] = []
const guard = guardSends({ answer: () => answers.shift() ?? 204 })
afterEach(() => guard.clear())

test('an order is told of once', async () => {
  assert.equal(await placeOrder('o_1'), true)
  assert.deepEqual(
    guard.sends.map(({ origin, json }) => [origin, json]),
    [['https://example.com', { type: 'orders.created', id: 'o_1' }]],
  )
})

test('a receiver that refuses the order is not asked again', async () => {
  answers.push(422)
  assert.equal(await placeOrder('o_2'), false)
  assert.equal(guard.sends.length, 1)
})
