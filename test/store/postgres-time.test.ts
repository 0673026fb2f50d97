import { afterAll, beforeAll, describe } from 'vitest'
import type { Store } from '../../src/store/port.ts'
import { ServerTime } from '../../src/store/postgres/connection/server-time.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { describeTime } from './contract/time.ts'
import { openPostgresHarness } from './postgres-harness.ts'

describe.each(testedServers())('$name', ({ start }) => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await start()
  }, 60_000)
  afterAll(() => server?.stop(), 60_000)

  describeTime('PostgreSQL', async () => {
    const harness = await openPostgresHarness(server)
    const { clock } = harness
    let store: Store = harness.store
    let starts = 0
    /** Once a second, were it not a manual clock. */
    const look = async (): Promise<void> => {
      if (store.time instanceof ServerTime) await store.time.look().catch(() => {})
    }
    return {
      async start() {
        if (starts++ > 0) store = await harness.openNode()
        return { store, now: () => store.time.now(), advance: clock.advance, close: () => store.close() }
      },
      async advance(ms) {
        await clock.advance(ms)
        await look()
      },
      async jump(ms) {
        clock.jump(ms)
        await look()
      },
      remove: () => harness.close(),
    }
  })
})
