import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { patienceMs } from '../patience.ts'
import { adminToken, aServer, type TestServer } from './a-server.ts'
import { loopback } from './both-stores/sending-scene.ts'
import { aReading, describeStream } from './both-stores/stream.ts'

describe('SQLite', () => {
  let server: TestServer
  let receiver: Receiver
  const closing: (() => Promise<void>)[] = []
  beforeAll(async () => {
    receiver = await startReceiver()
    const closeWith = (close: () => Promise<void>): void => void closing.push(close)
    server = await aServer({ dispatch: true, config: loopback, closeWith })
  })
  afterAll(async () => {
    await Promise.all(closing.map((close) => close()))
    await receiver?.close()
  })

  describeStream(() => ({ one: server, two: server, receiver }))
})

test('a server that stops tells its readers, and waits for none of them', async () => {
  const server = await aServer()
  const response = await fetch(`${server.url}/v1/stream`, {
    headers: { authorization: `Bearer ${adminToken}` },
  })
  const before = performance.now()
  await server.close()
  expect(performance.now() - before).toBeLessThan(5000)
  expect(await response.text()).toMatch(/event: ended\nid: .*\ndata: .*"reason":"shutting_down".*\n\n$/)
})

test('a request for the stream is counted when it has ended', async () => {
  const server = await aServer()
  const body = { role: 'viewer', label: 'reads' }
  const { id, token } = (await server.call('POST', '/v1/admin-tokens', { body })).json
  await aReading(server, { token })
  const line = /^outhook_http_requests_total\{[^}]*route="\/v1\/stream"[^}]*\} (\d+)$/m
  const count = async () => line.exec(await server.metrics.render())?.[1]
  expect(await count()).toBeUndefined()
  await server.call('DELETE', `/v1/admin-tokens/${id}`)
  await expect.poll(count, { timeout: patienceMs }).toBe('1')
})

test('while nobody reads nothing is listened to, and the store is called as it is', async () => {
  const server = await aServer({ dispatch: true })
  const listeners = () => server.engine.activity.listenerCount('endpointRecovered')
  expect(listeners()).toBe(0)
  const reading = await aReading(server)
  expect(listeners()).toBe(1)
  reading.stop()
  await expect.poll(listeners).toBe(0)
})
