import { afterAll, beforeAll, describe } from 'vitest'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { aServer, type TestServer } from './a-server.ts'
import { loopback } from './both-stores/sending-scene.ts'
import { describeStats } from './both-stores/stats.ts'

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

  describeStats(() => ({ one: server, two: server, receiver }))
})
