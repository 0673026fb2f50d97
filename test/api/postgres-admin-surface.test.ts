/** Two servers on one PostgreSQL database. */
import { afterAll, beforeAll, describe } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aServer, type TestServer } from './a-server.ts'
import { describeConditionalRequests } from './both-stores/conditional-requests.ts'
import { describeCursors } from './both-stores/cursors.ts'
import { describeEventTypes } from './both-stores/event-types.ts'
import { describeFilters } from './both-stores/filters.ts'
import { describeIdempotentPosts } from './both-stores/idempotent-posts.ts'
import { describePortalAccess } from './both-stores/portal-access.ts'
import { describePortalLinks } from './both-stores/portal-links.ts'
import { describePublishing } from './both-stores/publishing.ts'
import { describeRefusedEvents } from './both-stores/refused-events.ts'
import { describeRetryPolicies } from './both-stores/retry-policies.ts'
import { describeSignIns } from './both-stores/sign-ins.ts'
import { describeSystem } from './both-stores/system.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')

describe('PostgreSQL', () => {
  let database: PostgresServer
  let one: TestServer
  let two: TestServer
  const closing: (() => Promise<void>)[] = []
  beforeAll(async () => {
    database = await newest.start()
    const store = `${database.url}?schema=outhook_admin_${process.pid}`
    const config = { store, masterKey: 'ab'.repeat(32), allowNetworks: ['127.0.0.0/8'] }
    const closeWith = (close: () => Promise<void>): void => void closing.push(close)
    one = await aServer({ config, keyCacheMs: 0, closeWith })
    two = await aServer({ config, keyCacheMs: 0, closeWith })
  })
  afterAll(async () => {
    await Promise.all(closing.map((close) => close()))
    await database?.stop()
  })

  const open = () => ({ one, two })
  describeConditionalRequests(open)
  describeCursors(open)
  describeEventTypes(open)
  describeFilters(open)
  describeIdempotentPosts(open)
  describePortalAccess(open)
  describePortalLinks(open)
  describePublishing(open)
  describeRefusedEvents(open)
  describeRetryPolicies(open)
  describeSignIns(open)
  describeSystem(() => {
    const url = new URL(`${database.url}?schema=outhook_system_${process.pid}`)
    const store = url.href
    // The server lets everybody in, so it asks for neither.
    url.password = 'plantedInSettings'
    url.searchParams.set('password', 'plantedInSettings')
    return {
      kind: 'postgres',
      store,
      storeWithPasswords: url.href,
      checks: ['version', 'writable', 'fsync', 'schema', 'privileges', 'autovacuum', 'master key', 'backlog'],
      lengthyChecks: ['ordered keys', 'expunged'],
    }
  })
})
