/** Every route of the API but those of the files that are served beside it. */
import { adminTokenRoutes } from './admin-tokens.ts'
import { auditRoute } from './audit.ts'
import { credentialRoutes } from './credentials.ts'
import { deadLetterRoutes } from './dead-letters.ts'
import { deliveryRoutes } from './deliveries.ts'
import { endpointRepairRoutes } from './endpoint-repair.ts'
import { endpointSecretRoutes } from './endpoint-secrets.ts'
import { endpointRoutes } from './endpoints.ts'
import { eventTypeDocumentRoutes } from './event-type-documents.ts'
import { eventTypeRoutes } from './event-types.ts'
import { eventExpungeRoute, eventListRoute, eventRoutes } from './events.ts'
import { jobRoutes } from './jobs.ts'
import { keyRoutes, whoamiRoute } from './keys.ts'
import { masterKeyRoutes } from './master-key.ts'
import { operationRoutes } from './operations.ts'
import { orderedKeyRoutes } from './ordered-keys.ts'
import { portalLinkRoutes } from './portal-links.ts'
import { publicKeyRoutes } from './public-keys.ts'
import { publishRoute } from './publish.ts'
import { publishBatchRoute } from './publish-batch.ts'
import { sendRoute } from './send.ts'
import { signInRoutes } from './sign-in.ts'
import { statsRoutes } from './stats.ts'
import { streamRoute } from './stream.ts'
import { subscriptionRoutes } from './subscriptions.ts'
import { systemRoute } from './system.ts'
import { tenantRoutes } from './tenants.ts'

export const allRoutes = [
  publishRoute,
  publishBatchRoute,
  sendRoute,
  eventRoutes,
  eventListRoute,
  eventExpungeRoute,
  endpointRoutes,
  endpointRepairRoutes,
  endpointSecretRoutes,
  publicKeyRoutes,
  masterKeyRoutes,
  subscriptionRoutes,
  eventTypeDocumentRoutes,
  eventTypeRoutes,
  tenantRoutes,
  portalLinkRoutes,
  deliveryRoutes,
  orderedKeyRoutes,
  deadLetterRoutes,
  jobRoutes,
  credentialRoutes,
  keyRoutes,
  adminTokenRoutes,
  auditRoute,
  whoamiRoute,
  signInRoutes,
  statsRoutes,
  streamRoute,
  systemRoute,
  operationRoutes,
]
