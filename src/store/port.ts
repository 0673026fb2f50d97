/**
 * The one interface between Outhook and a database. Batches in, batches out.
 *
 * Rules for every adapter:
 * - A method resolves only after what it wrote is durable; each says what is atomic.
 * - No caller passes "now": due times, leases and ages go in as durations, and the store's clock makes
 *   instants of them. Times that come out are milliseconds since the epoch.
 * - It rejects with `OuthookError('store_unavailable')` when the outcome is unknown or the store is out of
 *   reach, with `OuthookError('internal')` when the call was surely rolled back (a row the database refused),
 *   and with no other error but those a method names.
 * - `due_at` of a live delivery is its next-attempt time, and while in flight the end of its lease.
 * - `ready_endpoints` is a hint of which targets have due work; the truth is `live_deliveries`, and
 *   `reconcileReady` repairs the hint.
 */
import type { BreakerPolicy, HealthObservation } from '../core/endpoint-health.ts'
import type {
  ApiKey,
  Attempt,
  AttemptStatus,
  CapturedResponse,
  DeadLetter,
  Delivery,
  DeliveryState,
  DisabledReason,
  Endpoint,
  EndpointHealth,
  ErrorClass,
  OutboundEvent,
  SealedSecret,
  Subscription,
  WaitReason,
} from '../core/model.ts'

export interface Store extends ConfigStore, IngestStore, DeliveryStore, ReadStore, MaintenanceStore {
  /** Resolves when the store answers a trivial read and write path is open; rejects otherwise. */
  ping(): Promise<void>
  /** Waits for running calls, then releases every resource. Can be called twice. */
  close(): Promise<void>
  /** Null where one process owns the store, and every target's slots with it. */
  readonly shares: SlotShares | null
  /**
   * Tells, soon after, what other processes did to the store; the returned function ends it. Each may come twice,
   * late or not at all, so nothing may depend on it. Absent where no other process can write.
   */
  listen?(listener: StoreListener): () => void
  /** Publishing inside a caller's transaction; absent where callers have none on the store's database. */
  readonly outbox?: OutboxStore
}

export interface StoreListener {
  /** There may be work to claim. */
  onWork(): void
  /** Endpoints, secrets or subscriptions of the tenant have changed; null: perhaps of any tenant. */
  onRoutingChanged(tenantId: string | null): void
  /** The target is paused until then, milliseconds since the epoch; null: it is paused no longer. */
  onPauseChanged(targetId: string, pausedUntil: number | null): void
}

// ─── configuration ──────────────────────────────────────────────────────────────────────────────

/** All that fan-out and dispatch need to know of one tenant, read in one snapshot. */
export interface Routing {
  readonly tenantId: string
  /** Grows with every change to the tenant's endpoints, secrets or subscriptions, in the same transaction. */
  readonly version: number
  /** Not deleted ones. */
  readonly endpoints: readonly Endpoint[]
  /** Not deleted ones, of those endpoints. */
  readonly subscriptions: readonly Subscription[]
  /** Unexpired, newest first per endpoint. */
  readonly secrets: readonly SealedSecret[]
}

export interface NewEndpoint {
  readonly endpoint: Omit<Endpoint, 'createdAt' | 'updatedAt' | 'deletedAt' | 'disabledAt' | 'disabledReason'>
  readonly secret: NewSecret
  /** The endpoint's own subscription, when it was created with `topics`. */
  readonly subscription: NewSubscription | null
}

export interface NewSecret {
  readonly id: string
  readonly sealed: Uint8Array
}

export type NewSubscription = Omit<Subscription, 'createdAt' | 'updatedAt' | 'deletedAt'>

/** Members that are absent stay as they are. */
export interface EndpointPatch {
  readonly url?: string
  readonly uid?: string | null
  readonly description?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signingSchemes?: Endpoint['signingSchemes']
  readonly maxInFlight?: number
  readonly rateLimitRps?: number | null
  /** Null enables; deliveries parked for it become due. */
  readonly disabledReason?: DisabledReason | null
  /** Replaces patterns and, when given, policy of the endpoint's own subscription, or makes one with this id. */
  readonly ownSubscription?: {
    readonly id: string
    readonly topicPatterns: readonly string[]
    readonly retryPolicy?: Subscription['retryPolicy']
  }
}

export type SubscriptionPatch = Partial<Pick<Subscription, 'topicPatterns' | 'retryPolicy' | 'active'>>

export type UidConflict = { readonly kind: 'uid_exists'; readonly endpointId: string }

export interface NewApiKey {
  readonly id: string
  readonly tenantId: string
  readonly kind: ApiKey['kind']
  readonly name: string
  readonly scopes: readonly string[]
  /** SHA-256 of the whole key; the key itself never reaches the store. */
  readonly hash: Uint8Array
}

export interface ConfigStore {
  /** One snapshot. */
  loadRouting(tenantId: string): Promise<Routing>

  /** Atomic with its secret, its own subscription and the tenant's version. */
  insertEndpoint(
    input: NewEndpoint,
  ): Promise<{ readonly kind: 'inserted'; readonly endpoint: Endpoint } | UidConflict>
  /** Atomic with the version and its own subscription. Null: no such live endpoint. */
  updateEndpoint(
    tenantId: string,
    id: string,
    patch: EndpointPatch,
  ): Promise<{ readonly kind: 'updated'; readonly endpoint: Endpoint } | UidConflict | null>
  /**
   * Soft delete of the endpoint and its subscriptions, atomic. Waiting deliveries are cancelled, the first
   * 1000 in the same transaction, the others by `settleConfigChanges`; none of them can be claimed any more.
   */
  deleteEndpoint(tenantId: string, id: string): Promise<boolean>
  getEndpoint(tenantId: string, id: string, options?: { includeDeleted?: boolean }): Promise<Endpoint | null>
  getEndpointByUid(tenantId: string, uid: string): Promise<Endpoint | null>
  listEndpoints(tenantId: string, page: PageRequest & { includeDeleted?: boolean }): Promise<Page<Endpoint>>

  /** Adds the newest secret and lets all earlier ones expire after `graceMs`; atomic with the version. */
  rotateSecret(tenantId: string, endpointId: string, secret: NewSecret, graceMs: number): Promise<boolean>

  insertSubscription(
    input: NewSubscription,
  ): Promise<
    | { readonly kind: 'inserted'; readonly subscription: Subscription }
    | { readonly kind: 'endpoint_not_available' }
  >
  updateSubscription(tenantId: string, id: string, patch: SubscriptionPatch): Promise<Subscription | null>
  /** As `deleteEndpoint`, for one subscription's waiting deliveries. */
  deleteSubscription(tenantId: string, id: string): Promise<boolean>
  getSubscription(
    tenantId: string,
    id: string,
    options?: { includeDeleted?: boolean },
  ): Promise<Subscription | null>
  listSubscriptions(
    tenantId: string,
    page: PageRequest & { endpointId?: string; includeDeleted?: boolean },
  ): Promise<Page<Subscription>>

  insertApiKey(input: NewApiKey): Promise<ApiKey>
  /** Null, and nothing written, when the tenant has or ever had a key of this kind. Atomic. */
  insertFirstApiKey(input: NewApiKey): Promise<ApiKey | null>
  /** True also when it was revoked before; false: no such key. */
  revokeApiKey(tenantId: string, id: string): Promise<boolean>
  listApiKeys(tenantId: string, page: PageRequest & { kind?: ApiKey['kind'] }): Promise<Page<ApiKey>>
  /** The live (not revoked) key with this hash. */
  findApiKey(hash: Uint8Array): Promise<ApiKey | null>

  /** Stores `value` under `name` unless something is there; resolves to what is there now. Atomic. */
  setMetaOnce(name: string, value: string): Promise<string>
}

// ─── ingest ─────────────────────────────────────────────────────────────────────────────────────

export interface NewEvent {
  readonly id: string
  readonly tenantId: string
  readonly topic: string
  readonly payload: Uint8Array
  readonly metadata: Readonly<Record<string, string>> | null
  readonly orderingKey: string | null
  readonly producerKeyId: string | null
  readonly idempotency: NewIdempotencyKey | null
  /** The routing version that the fan-out was computed with. */
  readonly routingVersion: number
  readonly deliveries: readonly NewDelivery[]
}

export interface NewIdempotencyKey {
  /** The producer key's id over HTTP; empty for admin tokens and the library. */
  readonly scope: string
  readonly key: string
  readonly hash: Uint8Array
  readonly ttlMs: number
}

export interface NewDelivery {
  readonly id: string
  readonly subscriptionId: string
  readonly endpointId: string
  readonly targetId: string
  /** Of its endpoint in that routing. */
  readonly rateLimitRps: number | null
  /** Asks to insert it already leased to this node (claim version 1). */
  readonly handOff: boolean
  /** Inserted without a due time, for this reason. */
  readonly parked: Extract<WaitReason, 'endpoint_disabled'> | null
}

export type PublishResult =
  | {
      readonly kind: 'published'
      /** Per delivery, in order: whether the hand-off was granted. */
      readonly handedOff: readonly boolean[]
    }
  /** The idempotency key was used before for the same content; nothing was written. */
  | { readonly kind: 'replayed'; readonly eventId: string; readonly deliveryIds: readonly string[] }
  /** The idempotency key was used before for other content; nothing was written. */
  | { readonly kind: 'conflict'; readonly eventId: string }
  /** The tenant's routing is newer than `routingVersion`; nothing was written. */
  | { readonly kind: 'stale_routing' }
  /** A transaction that is still open has used the idempotency key, and may commit or not; nothing was written. */
  | { readonly kind: 'key_held' }

export interface IngestStore {
  /**
   * One transaction for the whole batch: events, payloads, deliveries, idempotency records, ready hints.
   * An item that is not `published` writes nothing and hinders no other. Duplicates of an idempotency key
   * within the batch are answered as replays of the first. A hand-off is granted only while the target has
   * no due backlog and no pause, and where its endpoint has a rate takes a token; the lease then runs for `leaseMs`.
   */
  publish(
    batch: readonly NewEvent[],
    options: { readonly leaseMs: number },
  ): Promise<readonly PublishResult[]>
}

// ─── outbox ─────────────────────────────────────────────────────────────────────────────────────

/** A connection with an open transaction: a `Client` of `pg`, or one that its pool gave. */
export interface TransactionClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>
  /** Newer versions of `pg` have it: `T` within a transaction. */
  getTransactionStatus?(): string | null
}

export interface OutboxEvent
  extends Pick<NewEvent, 'id' | 'tenantId' | 'topic' | 'payload' | 'metadata' | 'orderingKey'> {
  readonly idempotency: { readonly key: string; readonly ttlMs: number } | null
}

export type OutboxResult =
  | { readonly kind: 'accepted' }
  /** As of `PublishResult`; the first use may be one of the same transaction. */
  | { readonly kind: 'replayed'; readonly eventId: string }
  | { readonly kind: 'conflict'; readonly eventId: string }
  /** Another transaction that is still open has used the key. */
  | { readonly kind: 'key_held' }

/** An event whose transaction has committed and whose deliveries do not exist yet. */
export type AcceptedEvent = Pick<NewEvent, 'id' | 'tenantId' | 'topic' | 'orderingKey'> & {
  readonly payloadBytes: number
}

export type FanOutPlan = Pick<NewEvent, 'id' | 'tenantId' | 'orderingKey' | 'routingVersion' | 'deliveries'>

export interface FanOutResult {
  /** Events that were fanned out. */
  readonly count: number
  /** Tenants whose routing is newer than planned with; their events stay. */
  readonly stale: readonly string[]
}

export interface OutboxStore {
  /**
   * Puts events and their idempotency keys into the outbox, in the client's transaction: they exist if and when it
   * commits. Errors: invalid_request (no transaction, another database); those of the client come through as they
   * are, because its owner decides by them whether to try the transaction again.
   */
  accept(client: TransactionClient, events: readonly OutboxEvent[]): Promise<readonly OutboxResult[]>
  /** What waits for its fan-out, in the order of publishing. */
  listAccepted(limit: number): Promise<readonly AcceptedEvent[]>
  /**
   * Writes events, payloads, deliveries and ready hints and removes the events from the outbox, in one transaction,
   * and one caller at a time: another's does nothing. No hand-off is granted.
   */
  fanOut(plans: readonly FanOutPlan[]): Promise<FanOutResult>
}

// ─── delivery ───────────────────────────────────────────────────────────────────────────────────

export interface ClaimRequest {
  /** Deliveries at most. */
  readonly limit: number
  /** Targets whose endpoint has a rate give no more than this together: what waits has spent its token. Default `limit`. */
  readonly startable?: number
  /** Payload bytes at most; the first delivery is given whatever its size. */
  readonly maxBytes: number
  readonly leaseMs: number
  /** Free slots of targets that may not get their endpoint's whole `maxInFlight`; 0 leaves the target alone. */
  readonly slots: ReadonlyMap<string, number>
  /** Of those, targets whose share is used up; what is granted comes on top of `slots`. */
  readonly wantsMore?: ReadonlySet<string>
}

/** A leased delivery with all that an attempt needs. */
export interface ClaimedDelivery {
  readonly id: string
  readonly tenantId: string
  readonly eventId: string
  readonly subscriptionId: string | null
  readonly endpointId: string | null
  readonly targetId: string
  readonly topic: string | null
  readonly metadata: Readonly<Record<string, string>> | null
  readonly payload: Uint8Array
  readonly claimVersion: number
  /** Attempts before this one. */
  readonly attemptCount: number
  /** Claims in a row that ended without an outcome, this one not counted. */
  readonly lostClaims: number
  readonly createdAt: number
}

export interface ClaimResult {
  readonly deliveries: readonly ClaimedDelivery[]
  /** Milliseconds until more becomes due (0: there is due work that this claim left); null: none is known. */
  readonly nextDueMs: number | null
  /**
   * By tenant of these deliveries, the routing version at the moment of the claim: what is known of an older one is
   * out of date. Absent where only this process changes the routing.
   */
  readonly routingVersions?: ReadonlyMap<string, number>
  /**
   * Where the store has `shares`: of targets that were looked at, how many requests this process may have in flight
   * from now on; 0: all slots are taken by others.
   */
  readonly shares?: ReadonlyMap<string, number>
}

export interface NewAttempt {
  readonly attemptNo: number
  readonly status: AttemptStatus
  readonly httpStatus: number | null
  readonly errorClass: ErrorClass | null
  readonly error: string | null
  readonly latencyMs: number
  readonly startedAt: number
  readonly response: CapturedResponse | null
}

export type NextStep =
  | { readonly state: 'succeeded' }
  | { readonly state: 'retry_scheduled'; readonly delayMs: number }
  | { readonly state: 'dead_lettered'; readonly finalError: ErrorClass }

export interface DeliveryOutcome {
  readonly deliveryId: string
  readonly claimVersion: number
  /** Null when the delivery is given up without an attempt (lost claims). */
  readonly attempt: NewAttempt | null
  readonly next: NextStep
  /** What it says of the endpoint's health; null: nothing. */
  readonly observation: HealthObservation | null
  /** Disables the endpoint in the same transaction. */
  readonly disableEndpoint: DisabledReason | null
}

export interface RecordResult {
  /** Per outcome, in order: false when it was stale (no longer in flight under that claim version) and dropped. */
  readonly recorded: readonly boolean[]
  /** Targets whose health changed, with what it is now. */
  readonly health: readonly (readonly [targetId: string, health: EndpointHealth | null])[]
  /** Endpoints that this batch disabled (by outcome, or for failing longer than the policy allows). */
  readonly disabled: readonly {
    readonly tenantId: string
    readonly endpointId: string
    readonly reason: DisabledReason
  }[]
}

export interface Release {
  readonly deliveryId: string
  readonly claimVersion: number
  /** Due again after this; no attempt and no lost claim is counted. */
  readonly delayMs: number
  /** Its request may have gone out, so the token that it took of its endpoint's rate stays spent. Default false. */
  readonly sent?: boolean
}

export type ReplayResult =
  | { readonly kind: 'replayed'; readonly targetId: string }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'not_replayable'; readonly state: DeliveryState; readonly endpointDeleted: boolean }
  /** Its payload is gone. */
  | { readonly kind: 'expired' }

export interface DeliveryStore {
  /** True where publishes, claims and outcomes take turns at one writer, so that a long one keeps the others waiting. */
  readonly oneWriter?: boolean
  /**
   * Leases due deliveries, fairly: tenants first, then their targets, each giving a share that adapts so that
   * a lone target can fill the batch. A target gives no more than `slots` (or its endpoint's `maxInFlight`)
   * allow, nor than its endpoint's rate has tokens; a paused target gives nothing, and one whose pause is over gives
   * a single probe. An expired lease
   * is simply due again and counts a lost claim. Deliveries whose endpoint or subscription was deleted are
   * cancelled instead, those of disabled endpoints parked. One transaction.
   */
  claim(request: ClaimRequest): Promise<ClaimResult>
  /**
   * Attempt rows, transitions, moves to the finished table, endpoint health and ready hints: one transaction.
   * An outcome counts only for a delivery in flight under the same claim version; health is advanced by
   * `nextHealth` in the order of the batch.
   */
  recordOutcomes(outcomes: readonly DeliveryOutcome[], breaker: BreakerPolicy): Promise<RecordResult>
  /** Gives leases back; stale ones are ignored. One transaction. */
  release(releases: readonly Release[]): Promise<void>
  /** A dead letter becomes pending and due: attempts start at 1 again, history, id and claim version go on. */
  replay(tenantId: string, deliveryId: string): Promise<ReplayResult>
  /** Health of every target that is not plainly healthy. */
  loadHealth(): Promise<readonly (readonly [targetId: string, health: EndpointHealth])[]>
}

/** What a process holds is its own for `usableMs`; requests that it starts until then may be open for `openMs` more. */
export type SlotLease = Readonly<Record<'usableMs' | 'openMs', number>>

/**
 * How this process keeps the slots of targets that it shares with others. Claims bring them (`ClaimResult.shares`); all
 * of them end with the lease that `renew` takes, or at once with `leave`.
 */
export interface SlotShares {
  /** A process that does not renew in time has lost everything. */
  renew(lease: SlotLease): Promise<ShareRenewal>
  /** By target, what this process keeps of its share at most. */
  lower(slots: ReadonlyMap<string, number>): Promise<void>
  leave(): Promise<void>
}

export interface ShareRenewal {
  /** Another one than before: the lease had ended, and everything held under it is lost. */
  readonly nodeId: string
  /** Targets of which other processes want slots, with what may be kept of those in use; what is idle is to go. */
  readonly wanted: ReadonlyMap<string, number>
}

// ─── reading ────────────────────────────────────────────────────────────────────────────────────

export interface PageRequest {
  /** Rows at most, 1 to 200. */
  readonly limit: number
  /** `nextCursor` of the page before; null or empty for the first. An unreadable one is `bad_cursor`. */
  readonly cursor: string | null
}

/** Newest first, by id. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Empty at the end. */
  readonly nextCursor: string
}

export interface EventFilter {
  readonly topic?: string
  /** Created at or after, before: milliseconds since the epoch. */
  readonly since?: number
  readonly until?: number
}

export interface DeliveryFilter {
  readonly state?: DeliveryState
  readonly endpointId?: string
  readonly subscriptionId?: string
  readonly eventId?: string
  readonly topic?: string
  readonly since?: number
  readonly until?: number
}

export interface DeadLetterFilter {
  readonly endpointId?: string
  readonly topic?: string
  /** Given up at or after, before. */
  readonly since?: number
  readonly until?: number
}

export interface StoreCounts {
  /** Deliveries by state, of all tenants. */
  readonly deliveries: Readonly<Record<DeliveryState, number>>
  /** Age of the oldest delivery that is due and not in flight; null: none. */
  readonly oldestDueMs: number | null
}

export interface ReadStore {
  getEvent(tenantId: string, id: string): Promise<OutboundEvent | null>
  listEvents(tenantId: string, filter: EventFilter, page: PageRequest): Promise<Page<OutboundEvent>>
  getPayload(tenantId: string, eventId: string): Promise<Uint8Array | null>
  /** Ordered by id. */
  listDeliveriesOfEvent(tenantId: string, eventId: string): Promise<readonly Delivery[]>
  getDelivery(tenantId: string, id: string): Promise<Delivery | null>
  listDeliveries(tenantId: string, filter: DeliveryFilter, page: PageRequest): Promise<Page<Delivery>>
  /** Ordered by delivery and claim version; without capture `response` is null. */
  listAttempts(
    deliveryIds: readonly string[],
    options: { readonly withCapture: boolean },
  ): Promise<readonly Attempt[]>
  listDeadLetters(tenantId: string, filter: DeadLetterFilter, page: PageRequest): Promise<Page<DeadLetter>>
  counts(): Promise<StoreCounts>
}

// ─── maintenance ────────────────────────────────────────────────────────────────────────────────

/** How long rows are kept, milliseconds; 0 is for ever. */
export interface Retention {
  /** From the event's creation; longer while one of its deliveries is live or a dead letter that can be replayed. */
  readonly payloadsMs: number
  /** From the attempt's start; at most as long as its delivery. */
  readonly attemptsMs: number
  /** Finished deliveries from their end, events from their creation and at least as long as their deliveries. */
  readonly eventsMs: number
  /** Dead letters from their end: so long they stay, and their payloads with them. */
  readonly deadLettersMs: number
}

/** Rows that retention has removed. */
export interface RemovedRows {
  readonly payloads: number
  readonly attempts: number
  readonly deliveries: number
  readonly events: number
}

export interface MaintenanceStore {
  /** Arms targets that have due work but no ready hint; looks at no more than `limit` targets, resuming where it stopped. */
  reconcileReady(options: { readonly limit: number }): Promise<{ readonly armed: number }>
  /**
   * Goes on with what a delete, disable or enable left to do (cancel, park, make due), at most `limit` rows.
   * `more`: call again.
   */
  settleConfigChanges(options: { readonly limit: number }): Promise<{ readonly more: boolean }>
  /** Removes idempotency records past their time, at most `limit`. */
  deleteExpiredIdempotencyKeys(options: { readonly limit: number }): Promise<{ readonly more: boolean }>
  /**
   * Removes what is past its retention. Each table is walked upwards by id, over at most `limit` rows a call, and a
   * row that has to stay is passed over; once a day the walk starts over, so what is no longer needed goes within a
   * day. Only one process at a time works, and for the others there is nothing to do. `more`: call again.
   */
  removeExpired(options: {
    readonly retention: Retention
    readonly limit: number
  }): Promise<{ readonly removed: RemovedRows; readonly more: boolean }>
  /** Folds old `delivery_counts` rows into their totals, at most `limit`. */
  foldCounts(options: { readonly limit: number }): Promise<{ readonly more: boolean }>
}
