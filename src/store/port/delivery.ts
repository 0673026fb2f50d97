/** Leasing deliveries, recording what became of them, and sharing the slots of endpoints among processes. The rules of `../port.ts` hold. */
import type { DirectRequest } from '../../core/direct-request.ts'
import type { BreakerPolicy, HealthObservation } from '../../core/endpoint-health.ts'
import type {
  AttemptStatus,
  CapturedResponse,
  DeliveryState,
  DisabledReason,
  EndpointHealth,
  ErrorClass,
} from '../../core/model.ts'
import type { DeliveryNotice, NewDeliveryNotice } from '../../core/operational-events.ts'
import type { TraceContext } from '../../core/trace-context.ts'

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
  readonly traceContext: TraceContext | null
  /** Of a direct send. */
  readonly request: DirectRequest | null
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
  /** Null where one process owns the store. */
  readonly cluster: ClaimNews | null
}

/** What a claim learns of what other processes did. */
export interface ClaimNews {
  /**
   * By tenant of the deliveries, the routing version at the moment of the claim: what is known of an older one is out
   * of date.
   */
  readonly routingVersions: ReadonlyMap<string, number>
  /**
   * Of targets that were looked at, how many requests this process may have in flight from now on; 0: all slots are
   * taken by others.
   */
  readonly shares: ReadonlyMap<string, number>
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
  /** What its endpoint or tenant has of its own. Absent: the server's, which the call names. */
  readonly breaker?: BreakerPolicy | undefined
  /** What its tenant is told of the delivery, kept by the same transaction. Absent: nobody has asked. */
  readonly notice?: NewDeliveryNotice | undefined
}

export interface RecordResult {
  /** Per outcome, in order: false when it was stale (no longer in flight under that claim version) and dropped. */
  readonly recorded: readonly boolean[]
  /**
   * Indexes of outcomes of which nothing is written, because somebody else has locked the delivery, or something of its
   * endpoint: they are to be tried again by themselves. Whether they are stale is not known.
   */
  readonly held: readonly number[]
  /** Targets whose health changed, with what it is now. */
  readonly health: readonly (readonly [targetId: string, health: EndpointHealth | null])[]
  /** A line has a new head that is due: there is something to claim. */
  readonly advanced: boolean
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
  /** Its payload is gone: past its retention, or expunged then. */
  | { readonly kind: 'expired'; readonly expungedAt: number | null }

export type CancelResult =
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'not_found' }
  /** An attempt is under way. */
  | { readonly kind: 'in_flight' }
  | { readonly kind: 'finished'; readonly state: DeliveryState }

export type ExpungeResult =
  | { readonly kind: 'expunged'; readonly expungedAt: number }
  | { readonly kind: 'not_found' }
  /** Its deliveries are not all made yet. */
  | { readonly kind: 'accepted' }
  /** One of its deliveries has not come to an end. */
  | { readonly kind: 'live' }

export interface DeliveryStore {
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
   * Attempt rows, transitions, moves to the finished table, endpoint health and ready rows: one transaction.
   * An outcome counts only for a delivery in flight under the same claim version; health is advanced by
   * `nextHealth` in the order of the batch. What somebody else has locked keeps only its own outcomes from being
   * written, never the batch.
   */
  recordOutcomes(outcomes: readonly DeliveryOutcome[], breaker: BreakerPolicy): Promise<RecordResult>
  /** What outcomes have left for tenants to be told, the oldest deliveries first. */
  listDeliveryNotices(limit: number): Promise<readonly DeliveryNotice[]>
  /** Their events are published. Passes over those that another process has removed. */
  removeDeliveryNotices(
    notices: readonly Pick<DeliveryNotice, 'deliveryId' | 'claimVersion'>[],
  ): Promise<void>
  /**
   * Gives leases back; stale ones are ignored. One transaction. The answer: those that are not given back because
   * somebody else has locked the delivery, or something of its endpoint; they are to be tried again.
   */
  release(releases: readonly Release[]): Promise<readonly Release[]>
  /** A dead letter becomes pending and due: attempts start at 1 again, history, id and claim version go on. */
  replay(tenantId: string, deliveryId: string): Promise<ReplayResult>
  /** The same for any delivery that is at an end; the attempt that succeeded stays in its history. */
  resend(tenantId: string, deliveryId: string): Promise<ReplayResult>
  /** A delivery that waits is `cancelled` for good, with the reason as its last error. One in flight is left to its outcome. */
  cancelDelivery(tenantId: string, deliveryId: string, reason: string): Promise<CancelResult>
  /**
   * The event's payload is gone for good, and the headers that a direct send gave, unless one of its deliveries may still need it. Expunged before: the answer is
   * when. One transaction.
   */
  expungePayload(tenantId: string, eventId: string): Promise<ExpungeResult>
  /**
   * Of deliveries whose payload was expunged: what their answers, and the errors made of them, may repeat of it. One
   * transaction.
   */
  expungeAnswers(deliveryIds: readonly string[]): Promise<void>
  /** Health of every target that is not plainly healthy. */
  loadHealth(): Promise<readonly (readonly [targetId: string, health: EndpointHealth])[]>
}

/** What a process holds is its own for `usableMs`; requests that it starts until then may be open for `openMs` more. */
export type SlotLease = Readonly<Record<'usableMs' | 'openMs', number>>

/**
 * How this process keeps the slots of targets that it shares with others. Claims bring them (`ClaimNews.shares`); all
 * of them end with the lease that `renew` takes, or at once with `leave`.
 */
export interface SlotShares {
  /** A process that does not renew in time has lost everything. */
  renew(lease: SlotLease): Promise<ShareRenewal>
  /** By target, what this process keeps of its share at most. */
  lower(slots: ReadonlyMap<string, number>): Promise<void>
  leave(): Promise<void>
}

/** What another process said of a target whose pace it keeps. */
export interface HeardPace {
  readonly targetId: string
  readonly perSecond: number
  /** Its word counts more than this process's own. */
  readonly isSenior: boolean
}

export interface ShareRenewal {
  /** Another one than before: the lease had ended, and everything held under it is lost. */
  readonly nodeId: string
  /** Targets of which other processes want slots, with what may be kept of those in use; what is idle is to go. */
  readonly wanted: ReadonlyMap<string, number>
}
