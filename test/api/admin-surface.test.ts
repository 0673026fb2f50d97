import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
import { describeSystem } from './both-stores/system.ts'

describe('SQLite', () => {
  let server: TestServer
  const directory = mkdtempSync(join(tmpdir(), 'outhook-admin-'))
  const closing: (() => Promise<void>)[] = []
  beforeAll(async () => {
    const config = { allowNetworks: ['127.0.0.0/8'] }
    server = await aServer({ config, closeWith: (close) => void closing.push(close) })
  })
  afterAll(async () => {
    await Promise.all(closing.map((close) => close()))
    rmSync(directory, { recursive: true, force: true })
  })

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
  const store = `sqlite:${join(directory, 'hooks.db')}`
  describeSystem(() => ({
    kind: 'sqlite',
    store,
    storeWithPasswords: store,
    checks: [
      'file',
      'file system',
      'disk',
      'owner',
      'schema',
      'journal',
      'log',
      'master key',
      'backlog',
      'clock',
    ],
    lengthyChecks: ['integrity', 'ordered keys', 'expunged'],
  }))
})
