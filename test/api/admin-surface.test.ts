import { afterAll, beforeAll, describe } from 'vitest'
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

describe('SQLite', () => {
  let server: TestServer
  const closing: (() => Promise<void>)[] = []
  beforeAll(async () => {
    const config = { allowNetworks: ['127.0.0.0/8'] }
    server = await aServer({ config, closeWith: (close) => void closing.push(close) })
  })
  afterAll(() => Promise.all(closing.map((close) => close())))

  const open = () => ({ one: server, two: server })
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
})
