/**
 * What people see of a store's times: the calendar, where the store has moments of its own line. As long as no clock has
 * jumped the two are the same, and nothing is touched.
 */

import type { Job } from '../core/jobs.ts'
import { calendarOf, momentOf, newTimeLine, type TimeLine } from '../core/time-line.ts'
import type { Store } from './port.ts'

/** Members of the model that are moments. */
const moments: ReadonlySet<string> = new Set([
  'createdAt',
  'updatedAt',
  'deletedAt',
  'disabledAt',
  'revokedAt',
  'expiresAt',
  'lastUsedAt',
  'nextAttemptAt',
  'deliverAt',
  'startedAt',
  'endedAt',
  'since',
  'deadAt',
  'blockedSince',
  'until',
  'primarySince',
  'revealedAt',
  'expungedAt',
  'enabledAt',
  'failingSince',
  'searchedUntil',
])

/** Calls whose answers people see. */
const shown = [
  'insertEndpoint',
  'updateEndpoint',
  'getEndpoint',
  'getEndpointByUid',
  'listHeldEndpoints',
  'listFailing',
  'listNotices',
  'listDeliveryNotices',
  'listEndpoints',
  'listSecrets',
  'noteReveal',
  'insertSubscription',
  'updateSubscription',
  'getSubscription',
  'listSubscriptions',
  'insertCredential',
  'updateCredential',
  'getCredential',
  'getCredentialByName',
  'listCredentials',
  'insertEventType',
  'updateEventType',
  'getEventType',
  'listEventTypes',
  'insertApiKey',
  'insertFirstApiKey',
  'updateApiKey',
  'rotateApiKey',
  'getApiKey',
  'listApiKeys',
  'insertPortalLink',
  'listPortalLinks',
  'insertTenant',
  'updateTenant',
  'deleteTenant',
  'getTenant',
  'getTenantByUid',
  'listTenants',
  'getEvent',
  'listDeliveriesOfEvent',
  'getDelivery',
  'listAttempts',
  'listOrderedKeys',
  'getJob',
  'listJobs',
  'cancelJob',
  'pauseJob',
  'resumeJob',
  'replay',
  'resend',
  'expungePayload',
] as const satisfies readonly (keyof Store)[]

/** Likewise, with a filter that names times. */
const filtered = [
  'listEvents',
  'listDeliveries',
  'listDeadLetters',
  'countDeadLetterReasons',
  'listAuditLines',
] as const satisfies readonly (keyof Store)[]

type Call = (...args: readonly unknown[]) => Promise<unknown>

/** The store as people see it. */
export function inCalendar(store: Store): Store {
  const calls: Record<string, Call> = {}
  for (const name of shown) {
    const call = store[name] as Call
    calls[name] = async (...args) => toCalendar(store.time.line, await call(...args))
  }
  for (const name of filtered) {
    const call = store[name] as Call
    calls[name] = async (tenantId, filter, page) => {
      const { line } = store.time
      return toCalendar(line, await call(tenantId, inMoments(line, filter as TimeFilter), page))
    }
  }
  return {
    ...store,
    ...calls,
    async insertJob(job) {
      const { line } = store.time
      const inserted = await store.insertJob({ ...job, filter: inMoments(line, job.filter) })
      return toCalendar(line, inserted) as Job
    },
    countJobSlice(work, cursor) {
      const filter = inMoments(store.time.line, work.filter)
      return store.countJobSlice({ ...work, filter }, cursor)
    },
  }
}

interface TimeFilter {
  readonly since?: number
  readonly until?: number
}

function inMoments<Filter extends TimeFilter>(line: TimeLine, filter: Filter): Filter {
  if (isPlain(line)) return filter
  const { since, until } = filter
  return {
    ...filter,
    ...(since !== undefined && { since: momentOf(line, since) }),
    ...(until !== undefined && { until: momentOf(line, until) }),
  }
}

function toCalendar(line: TimeLine, value: unknown): unknown {
  if (isPlain(line) || typeof value !== 'object' || value === null || value instanceof Uint8Array)
    return value
  if (Array.isArray(value)) return value.map((item) => toCalendar(line, item))
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'number' && moments.has(name) ? calendarOf(line, member) : toCalendar(line, member),
    ]),
  )
}

function isPlain(line: TimeLine): boolean {
  return line === newTimeLine || line.steps.every(({ offset }) => offset === 0)
}
