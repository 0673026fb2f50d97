/** Writes by their names, as they are done within a transaction that holds more than them. */
import type { AuditedWriteName } from '../../port.ts'
import { deleteCredential, insertCredential, updateCredential } from '../config/credentials.ts'
import { deleteEndpoint, insertEndpoint, updateEndpoint } from '../config/endpoints.ts'
import { deleteEventType, insertEventType, putEventTypes, updateEventType } from '../config/event-types.ts'
import { insertApiKey, insertFirstApiKey, revokeApiKey, rotateApiKey, updateApiKey } from '../config/keys.ts'
import { insertPortalLink, revokePortalLink } from '../config/portal-links.ts'
import { noteReveal, rotateSecret, setPrimarySecret } from '../config/secrets.ts'
import { deleteSubscription, insertSubscription, updateSubscription } from '../config/subscriptions.ts'
import { insertTenant, updateTenant } from '../config/tenants.ts'
import type { Context } from '../connection/statement.ts'
import { cancelJob, insertJob, pauseJob, resumeJob } from '../jobs/jobs.ts'
import { cancelByHand } from '../record/cancel.ts'
import { expungePayload } from '../record/expunge.ts'
import { replay, resend } from '../record/replay.ts'
import { skip } from '../record/skip.ts'
import { deleteTenant } from '../upkeep/remove-tenants.ts'
import { replaceMeta } from '../upkeep/sealed.ts'

type Write = (context: Context, ...args: readonly never[]) => Promise<unknown>

export const writes: Readonly<Record<AuditedWriteName, Write>> = {
  cancelDelivery: cancelByHand,
  cancelJob,
  deleteCredential,
  deleteEndpoint,
  deleteEventType,
  deleteSubscription,
  deleteTenant,
  expungePayload,
  insertApiKey,
  insertCredential,
  insertEndpoint,
  insertEventType,
  insertFirstApiKey,
  insertJob,
  insertPortalLink,
  insertSubscription,
  insertTenant,
  noteReveal: (context, tenantId, endpointId, secretId, by) =>
    noteReveal(context, tenantId, { endpointId, secretId, by }),
  pauseJob,
  putEventTypes,
  replaceMeta,
  replay,
  resend,
  resumeJob,
  revokeApiKey,
  revokePortalLink,
  rotateApiKey,
  rotateSecret: (context, tenantId, endpointId, secret, graceMs) =>
    rotateSecret(context, tenantId, endpointId, { secret, graceMs }),
  setPrimarySecret,
  skipDelivery: skip,
  updateApiKey,
  updateCredential,
  updateEndpoint,
  updateEventType,
  updateSubscription,
  updateTenant,
}
