import type { KeptWriteName, RequestStore } from '../../port.ts'
import { insertCredential } from '../config/credentials.ts'
import { insertEndpoint, updateEndpoint } from '../config/endpoints.ts'
import { insertEventType, putEventTypes } from '../config/event-types.ts'
import { insertApiKey, rotateApiKey } from '../config/keys.ts'
import { insertPortalLink } from '../config/portal-links.ts'
import { rotateSecret, setPrimarySecret } from '../config/secrets.ts'
import { insertSubscription } from '../config/subscriptions.ts'
import { insertTenant, updateTenant } from '../config/tenants.ts'
import type { Runner } from '../connection/runner.ts'
import type { Context } from '../connection/statement.ts'
import { cancelJob, insertJob, pauseJob, resumeJob } from '../jobs/jobs.ts'
import { cancelByHand } from '../record/cancel.ts'
import { replay, resend } from '../record/replay.ts'
import { getRequest, keepAnswer, writeOnce } from './requests.ts'

type Write = (context: Context, ...args: readonly never[]) => Promise<unknown>

const writes: Readonly<Record<KeptWriteName, Write>> = {
  cancelDelivery: cancelByHand,
  cancelJob,
  insertApiKey,
  insertCredential,
  insertEndpoint,
  insertEventType,
  insertJob,
  insertPortalLink,
  insertSubscription,
  insertTenant,
  pauseJob,
  putEventTypes,
  replay,
  resend,
  resumeJob,
  rotateApiKey,
  rotateSecret: (context, tenantId, endpointId, secret, graceMs) =>
    rotateSecret(context, tenantId, endpointId, { secret, graceMs }),
  setPrimarySecret,
  updateEndpoint,
  updateTenant,
}

export function createRequestStore({ plain, atomic }: Runner): RequestStore {
  return {
    getRequest: (id) => plain('read', (context) => getRequest(context, id)),
    writeOnce: (request, { name, args }) =>
      atomic('config', (context) => {
        const run = () => writes[name](context, ...(args as readonly never[]))
        return writeOnce(context, request, { name, run })
      }),
    keepAnswer: (request, answer) => atomic('config', (context) => keepAnswer(context, request, answer)),
  }
}
