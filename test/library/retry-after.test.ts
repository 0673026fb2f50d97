/** What a receiver asks for is heard alike by the engine and by the stand-alone sender. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { Webhook } from '../../src/sender/index.ts'

async function aReceiverThatAsksFor(retryAfter: string): Promise<string> {
  const server: Server = createServer((request, response) => {
    request.resume()
    response.writeHead(503, { 'retry-after': retryAfter }).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

test.each([
  ['1234.5', 1_234_500],
  ['1234', 1_234_000],
])(
  'Retry-After: %s is waited for by the engine, to the millisecond, as the sender reads it',
  async (text, waitMs) => {
    const url = await aReceiverThatAsksFor(text)
    const sent = await new Webhook(url, { maxRetries: 0 }).send({ a: 1 })
    expect(sent).toMatchObject({ ok: false, retryAfterMs: waitMs })

    const hooks = await Outhook.open({
      store: 'memory:',
      allowHttp: true,
      allowNetworks: ['127.0.0.0/8'],
    })
    onTestFinished(() => hooks.close())
    const heard = new Promise<number | null>((resolve) =>
      hooks.on('attempt', ({ nextAttemptInMs }) => resolve(nextAttemptInMs)),
    )
    await hooks.endpoints.create({
      url,
      topics: ['*'],
      retryPolicy: { max_attempts: 5, delays: ['1s'], jitter: 'none' },
    })
    await hooks.publish({ topic: 'a', payload: 1 })
    const inMs = (await heard) ?? 0
    expect(inMs).toBeGreaterThanOrEqual(waitMs)
    expect(inMs).toBeLessThan(waitMs * 1.3)
  },
)
