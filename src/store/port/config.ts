import type { RoutedCredential } from '../../core/credential.ts'
import type { RoutedEventType } from '../../core/event-type.ts'
import type { HealthSettings } from '../../core/health-settings.ts'
import type { DisabledReason, Endpoint, SealedSecret, Subscription } from '../../core/model.ts'
import type { EndpointNotice, NoticedEndpoint } from '../../core/operational-events.ts'
import type { TenantSettings } from '../../core/tenant.ts'
import type { ChangeOptions } from '../../core/version.ts'
import type { Page, PageRequest } from './reading.ts'

/** What publishing and delivering need to know of the tenant itself. */
export interface RoutedTenant {
  readonly settings: TenantSettings
  /** It takes nothing more. */
  readonly deleted: boolean
}

/** All that fan-out and dispatch need to know of one tenant, read in one snapshot. */
export interface Routing {
  readonly tenantId: string
  /** Null: there is no row of the tenant. */
  readonly tenant: RoutedTenant | null
  /** Grows with every change to the tenant's endpoints, secrets, credentials, subscriptions, event types or settings, in the same transaction. */
  readonly version: number
  /** Not deleted ones. */
  readonly endpoints: readonly Endpoint[]
  /** Not deleted ones, of those endpoints. */
  readonly subscriptions: readonly Subscription[]
  /** Unexpired, newest first per endpoint. */
  readonly secrets: readonly SealedSecret[]
  readonly credentials: readonly RoutedCredential[]
  /** Its own, without those of the server. */
  readonly eventTypes: readonly RoutedEventType[]
}

export interface NewEndpoint {
  readonly endpoint: Omit<
    Endpoint,
    | 'createdAt'
    | 'updatedAt'
    | 'deletedAt'
    | 'disabledAt'
    | 'disabledReason'
    | 'pausedReason'
    | 'pausedBy'
    | 'version'
  >
  /** Null: of a kind that signs nothing. */
  readonly secret: NewSecret | null
  /** The endpoint's own subscription, when it was created with `topics`. */
  readonly subscription: NewSubscription | null
}

export interface NewSecret {
  readonly id: string
  readonly sealed: Uint8Array
}

export type NewSubscription = Omit<Subscription, 'createdAt' | 'updatedAt' | 'deletedAt' | 'version'>

/** Members that are absent stay as they are. */
export interface EndpointPatch extends Partial<HealthSettings> {
  readonly url?: string
  readonly moreUrls?: readonly string[]
  readonly failOver?: boolean
  /** Given with every `url`. */
  readonly sealedUrl?: Uint8Array | null
  readonly settings?: Endpoint['settings']
  readonly uid?: string | null
  readonly description?: string
  readonly method?: Endpoint['method']
  readonly headers?: Readonly<Record<string, string>>
  readonly contentType?: string | null
  readonly timeoutMs?: number | null
  readonly signingSchemes?: Endpoint['signingSchemes']
  readonly maxInFlight?: number
  readonly rateLimitRps?: number | null
  readonly retryPolicy?: Endpoint['retryPolicy']
  readonly credentialId?: string | null
  readonly clientCertificateId?: string | null
  /** Null enables; deliveries parked for it become due. */
  readonly disabledReason?: DisabledReason | null
  /** With the reason `paused`. */
  readonly pause?: Pick<Endpoint, 'pausedReason' | 'pausedBy'>
  /** Replaces patterns and, when given, filter and policy of the endpoint's own subscription, or makes one with this id. */
  readonly ownSubscription?: {
    readonly id: string
    readonly topicPatterns: readonly string[]
    readonly filter?: Subscription['filter']
    readonly retryPolicy?: Subscription['retryPolicy']
  }
}

export type SubscriptionPatch = Partial<
  Pick<Subscription, 'topicPatterns' | 'filter' | 'headers' | 'retryPolicy' | 'active'>
>

/** Of a tenant that has as many endpoints as its settings allow. */
export type EndpointLimit = { readonly kind: 'too_many'; readonly maxEndpoints: number }

/** It is being removed, and takes nothing more. */
export type TenantDeleted = { readonly kind: 'tenant_deleted' }

export type UidConflict = { readonly kind: 'uid_exists'; readonly endpointId: string }

/** The endpoint names a credential that the tenant does not have. */
export type CredentialMissing = { readonly kind: 'credential_missing'; readonly credentialId: string }

export type EndpointInsertion =
  | { readonly kind: 'inserted'; readonly endpoint: Endpoint }
  | UidConflict
  | EndpointLimit
  | CredentialMissing
  | TenantDeleted

export type EndpointUpdate =
  | { readonly kind: 'updated'; readonly endpoint: Endpoint }
  | UidConflict
  | CredentialMissing

export interface HeldEndpoint {
  readonly endpointId: string
  readonly state: 'paused' | 'throttled'
  /** When the next request may go. */
  readonly until: number
}

export interface FailingEndpoint {
  readonly endpointId: string
  /** No request that was begun since has succeeded. */
  readonly failingSince: number
  /** Transport failures in a row, as the breaker counts them. */
  readonly consecutiveFailures: number
}

export interface RetryProfileCount {
  readonly name: string
  readonly tenants: number
  readonly endpoints: number
  readonly subscriptions: number
}

/** The oldest notice of an endpoint whose event is still to be published. */
export interface PendingNotice extends NoticedEndpoint {
  readonly tenantId: string
  readonly notice: EndpointNotice
}

export interface ConfigStore {
  /** One snapshot. */
  loadRouting(tenantId: string): Promise<Routing>

  /** Atomic with its secret, its own subscription, the tenant's version and the look at its limit. */
  insertEndpoint(input: NewEndpoint): Promise<EndpointInsertion>
  /** Atomic with the version, its own subscription and the look at `ifMatch`. Null: no such live endpoint. Errors: version_conflict. */
  updateEndpoint(
    tenantId: string,
    id: string,
    patch: EndpointPatch,
    options?: ChangeOptions,
  ): Promise<EndpointUpdate | null>
  /**
   * Soft delete of the endpoint and its subscriptions, atomic. Waiting deliveries are cancelled, the first
   * 1000 in the same transaction, the others by `applyConfigChanges`; none of them can be claimed any more.
   * Errors: version_conflict.
   */
  deleteEndpoint(tenantId: string, id: string, options?: ChangeOptions): Promise<boolean>
  getEndpoint(tenantId: string, id: string, options?: { includeDeleted?: boolean }): Promise<Endpoint | null>
  getEndpointByUid(tenantId: string, uid: string): Promise<Endpoint | null>
  /** Those of the given endpoints to which nothing is sent for a while. */
  listHeldEndpoints(ids: readonly string[]): Promise<readonly HeldEndpoint[]>
  /** Those of the given endpoints that have only failed of late. */
  listFailing(ids: readonly string[]): Promise<readonly FailingEndpoint[]>
  /**
   * How many deliveries to each of the tenant's given endpoints are in flight, from all processes together; those without
   * one are left out. They are read from counts, so that it takes as long however many deliveries there are.
   */
  countInFlight(tenantId: string, ids: readonly string[]): Promise<ReadonlyMap<string, number>>
  /**
   * Of as many endpoints, what each is to be told of first. Whatever disables an endpoint, or enables it again, leaves a
   * notice in its own transaction; a pause by hand does not.
   */
  listNotices(limit: number): Promise<readonly PendingNotice[]>
  /** Its event is published. False: another process was first. */
  removeNotice(endpointId: string, version: number): Promise<boolean>
  listEndpoints(tenantId: string, page: PageRequest & { includeDeleted?: boolean }): Promise<Page<Endpoint>>

  insertSubscription(
    input: NewSubscription,
  ): Promise<
    | { readonly kind: 'inserted'; readonly subscription: Subscription }
    | { readonly kind: 'endpoint_not_available' }
  >
  /** Atomic. An endpoint's own counts as a change of the endpoint, which shows its topics. Errors: version_conflict. */
  updateSubscription(
    tenantId: string,
    id: string,
    patch: SubscriptionPatch,
    options?: ChangeOptions,
  ): Promise<Subscription | null>
  /** As `deleteEndpoint`, for one subscription's waiting deliveries. */
  deleteSubscription(tenantId: string, id: string, options?: ChangeOptions): Promise<boolean>
  getSubscription(
    tenantId: string,
    id: string,
    options?: { includeDeleted?: boolean },
  ): Promise<Subscription | null>
  listSubscriptions(
    tenantId: string,
    page: PageRequest & { endpointId?: string; includeDeleted?: boolean },
  ): Promise<Page<Subscription>>

  /** The names of retry profiles that live tenants, endpoints and subscriptions have, with how many have each. */
  countRetryProfiles(): Promise<readonly RetryProfileCount[]>

  /** Stores `value` under `name` unless something is there; resolves to what is there now. Atomic. */
  setMetaOnce(name: string, value: string): Promise<string>
}
