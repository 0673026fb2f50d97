/** Two servers on one PostgreSQL database, of which the first delivers. */
import { afterAll, beforeAll, describe } from 'vitest'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aServer, type TestServer } from './a-server.ts'
import { loopback } from './both-stores/sending-scene.ts'
import { describeStats } from './both-stores/stats.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')

describe('PostgreSQL', () => {
  let database: PostgresServer
  let receiver: Receiver
  let one: TestServer
  let two: TestServer
  const closing: (() => Promise<void>)[] = []
  beforeAll(async () => {
    receiver = await startReceiver()
    database = await newest.start()
    const store = `${database.url}?schema=outhook_stats_${process.pid}`
    const config = { ...loopback, store, masterKey: 'ab'.repeat(32) }
    const closeWith = (close: () => Promise<void>): void => void closing.push(close)
    one = await aServer({ config, dispatch: true, closeWith })
    two = await aServer({ config, closeWith })
  })
  afterAll(async () => {
    await Promise.all(closing.map((close) => close()))
    await database?.stop()
    await receiver?.close()
  })

  describeStats(() => ({ one, two, receiver }))
})
