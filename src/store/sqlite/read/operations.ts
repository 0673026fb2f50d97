/** Every operation of the reader by its name. */

import { listAuditLines } from '../audit/lines.ts'
import { listExpiryNotices } from '../config/expiry-notices.ts'
import { listNotices } from '../config/notices.ts'
import { findPortalLinks, listPortalLinks } from '../config/portal-links.ts'
import { findSignIns } from '../config/sign-ins.ts'
import { countJobSlice, getJob, listJobs } from '../jobs/read-jobs.ts'
import { listDeliveryNotices } from '../record/delivery-notices.ts'
import { getRequest } from '../requests/requests.ts'
import { countSealed, getMeta, listSealed } from '../upkeep/sealed.ts'
import { listAttempts } from './attempts.ts'
import { listRecentStats, listTroubled, readBacklog, size } from './backlog.ts'
import {
  getEndpoint,
  getEndpointByUid,
  getSubscription,
  listEndpoints,
  listFailing,
  listHeldEndpoints,
  listSubscriptions,
  loadHealth,
  loadRouting,
} from './config.ts'
import type { ReadContext } from './context.ts'
import { countInFlight, counts } from './counts.ts'
import { getCredential, getCredentialByName, listCredentials } from './credentials.ts'
import { countDeadLetterReasons, listDeadLetters, listDeliveries } from './deliveries.ts'
import { listDeliveriesOfEvent } from './event-deliveries.ts'
import { getEventType, listEventTypes, loadServerEventTypes, serverEventTypesVersion } from './event-types.ts'
import { getEvent, getPayload } from './events.ts'
import { findApiKeys, getApiKey, listApiKeys } from './keys.ts'
import { listEvents } from './list-events.ts'
import { getDelivery } from './one-delivery.ts'
import { countOrderedKeys, findHeads, listOrderedKeys } from './ordered-keys.ts'
import { countRetryProfiles } from './retry-profiles.ts'
import { listSecrets } from './secrets.ts'
import { readStats } from './stats.ts'
import { findTenantOf, getTenant, getTenantByUid, listTenants } from './tenants.ts'

export const readOperations = {
  getMeta,
  listSealed,
  countSealed,
  getEvent,
  listEvents,
  getPayload,
  listDeliveriesOfEvent,
  getDelivery,
  listDeliveries,
  listAttempts,
  listDeadLetters,
  countDeadLetterReasons,
  listOrderedKeys,
  findHeads,
  countOrderedKeys,
  counts,
  readStats,
  listRecentStats,
  readBacklog,
  listTroubled,
  size,
  loadRouting,
  listSecrets,
  getEndpoint,
  getEndpointByUid,
  listEndpoints,
  listHeldEndpoints,
  listFailing,
  countInFlight,
  listNotices,
  listDeliveryNotices,
  listExpiryNotices,
  countRetryProfiles,
  getSubscription,
  listSubscriptions,
  getCredential,
  getCredentialByName,
  listCredentials,
  listApiKeys,
  getApiKey,
  findApiKeys,
  findSignIns,
  findPortalLinks,
  listPortalLinks,
  getEventType,
  listEventTypes,
  loadServerEventTypes,
  serverEventTypesVersion,
  loadHealth,
  getTenant,
  getTenantByUid,
  listTenants,
  findTenantOf,
  getJob,
  listJobs,
  listAuditLines,
  countJobSlice,
  getRequest,
  ping: (context: ReadContext): void => {
    context.prepare('select 1').get()
  },
} as const

export type ReadOperations = typeof readOperations

/** One call, outside of any transaction of the writer. */
export function runRead(context: ReadContext, name: keyof ReadOperations, args: readonly unknown[]): unknown {
  const operation = readOperations[name] as (context: ReadContext, ...args: readonly unknown[]) => unknown
  return operation(context, ...args)
}
