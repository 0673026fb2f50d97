/** The dashboard in a real browser, on PostgreSQL. */
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { type PostgresServer, testedServers } from '../../servers/postgres.ts'
import { type Bed, openBed } from './bed.ts'
import { describeByKeyboard } from './by-keyboard.ts'
import { describeFollowing } from './following.ts'
import { describeMending } from './mending.ts'
import { describeReplaying } from './replaying.ts'
import { describeSigningIn } from './signing-in.ts'
import { describeWatching } from './watching.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')

// All of it waits for conditions; a browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

describe('the dashboard on PostgreSQL', () => {
  let database: PostgresServer
  let bed: Bed
  beforeAll(async () => {
    database = await newest.start()
    const store = `${database.url}?schema=outhook_dashboard_${process.pid}`
    bed = await openBed({ store, masterKey: 'ab'.repeat(32) })
  })
  afterAll(async () => {
    await bed?.close()
    await database?.stop()
  })

  const open = () => bed
  describeSigningIn(open)
  describeMending(open)
  describeByKeyboard(open)
  describeFollowing(open)
  describeReplaying(open)
  describeWatching(open)
})
