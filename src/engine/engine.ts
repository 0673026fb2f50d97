/**
 * Everything that the library and the API can ask for. Both call this and nothing below it.
 * Inputs are typed but not trusted: each use case checks what it is given and throws `OuthookError`.
 */
import type { DeliveryActivity } from '../delivery/activity.ts'
import type { OrderedCounts, StoreCounts } from '../store/port.ts'
import type { Acting } from './acting.ts'
import type { ActivityStream } from './activity-stream.ts'
import type { AdminTokens } from './admin-tokens.ts'
import type { ApiKeys } from './api-keys.ts'
import type { AuditLog } from './audit-log.ts'
import type { Authentication } from './authentication.ts'
import type { Credentials } from './credentials.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Deliveries } from './deliveries.ts'
import type { DirectSends } from './direct-sends.ts'
import type { EndpointPauses } from './endpoint-pauses.ts'
import type { EndpointSecrets } from './endpoint-secrets.ts'
import type { EndpointTests } from './endpoint-tests.ts'
import type { Endpoints } from './endpoints.ts'
import type { EventTypes } from './event-types.ts'
import type { Events } from './events.ts'
import type { IdempotentRequests } from './idempotent-requests.ts'
import type { Jobs } from './jobs.ts'
import type { KeyRates } from './key-rates.ts'
import type { MasterKeys } from './master-key.ts'
import type { OrderedKeys } from './ordered-keys.ts'
import type { PortalLinks } from './portal-links.ts'
import type { Publisher } from './publish.ts'
import type { SignIns } from './sign-ins.ts'
import type { Stats } from './stats.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { System } from './system.ts'
import type { Tenants } from './tenants.ts'
import type { TransactionalPublisher } from './transactional-publish.ts'

export interface Engine {
  readonly publisher: Pick<Publisher, 'publish' | 'publishMany'>
  /** Publishing inside a caller's transaction. */
  readonly transactionalPublisher: Pick<TransactionalPublisher, 'publishMany'>
  readonly events: Events
  readonly endpoints: Endpoints
  readonly endpointPauses: EndpointPauses
  readonly endpointSecrets: Pick<
    EndpointSecrets,
    'listPublicKeys' | 'listSecrets' | 'revealSecret' | 'rotateSecret' | 'setPrimarySecret'
  >
  readonly credentials: Credentials
  readonly eventTypes: EventTypes
  readonly directSends: DirectSends
  readonly endpointTests: EndpointTests
  readonly subscriptions: Subscriptions
  readonly deliveries: Deliveries
  readonly deadLetters: DeadLetters
  readonly orderedKeys: OrderedKeys
  readonly jobs: Jobs
  readonly apiKeys: ApiKeys
  readonly masterKeys: Pick<MasterKeys, 'rotate' | 'state'>
  readonly tenants: Tenants
  readonly adminTokens: AdminTokens
  readonly authentication: Authentication
  readonly signIns: SignIns
  readonly audit: AuditLog
  /** Names who makes a change. */
  readonly acting: Pick<Acting, 'as'>
  readonly portalLinks: PortalLinks
  readonly idempotentRequests: Pick<IdempotentRequests, 'run'>
  readonly keyRates: KeyRates
  readonly system: System
  readonly stats: Pick<Stats, 'now' | 'ofEndpoints' | 'series' | 'trouble'>
  /** Attempts, outcomes and state changes of this process, as they happen. */
  readonly activity: DeliveryActivity
  /** What happens in this process and the others, for readers of the stream. */
  readonly stream: Pick<ActivityStream, 'read'>
  /** Rejects with `store_unavailable`, within half a second, while a publish would not be durable. */
  ping(): Promise<void>
  counts(): Promise<StoreCounts & { readonly orderedKeys: OrderedCounts }>
}
