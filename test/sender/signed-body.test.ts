import { afterEach, expect, test, vi } from 'vitest'

// Whoever loaded the module before has the real one, and must not get this one.
afterEach(() => {
  vi.doUnmock('../../src/core/signing.ts')
  vi.resetModules()
})

test('what a scheme signed is what goes out', async () => {
  vi.resetModules()
  // No scheme of today signs anything but the bytes that it is given; this one stands for those that will.
  vi.doMock('../../src/core/signing.ts', async (original) => ({
    ...(await original<typeof import('../../src/core/signing.ts')>()),
    signRequest: () => ({ headers: { 'x-signature': 'of the short form' }, body: Buffer.from('{"a":1}') }),
  }))
  const { aReceiver, aWebhook, inTurn } = await import('./a-webhook.ts')
  const receiver = await aReceiver(inTurn(200))
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  await aWebhook(receiver.url, { signing: { secret } }).sendBytes('{ "a" : 1 }')
  expect(receiver.received[0]).toMatchObject({
    text: '{"a":1}',
    headers: { 'x-signature': 'of the short form', 'content-length': '7' },
  })
})
