/**
 * The one interface between Outhook and a database. Batches in, batches out.
 *
 * Rules for every adapter:
 * - A method resolves only after what it wrote is durable; each says what is atomic.
 * - No caller passes "now": due times, leases and ages go in as durations, and the store's clock makes
 *   instants of them. Times that come out are moments of the store's line of time (`core/time-line.ts`), which is
 *   the wall clock's milliseconds since the epoch as long as that one does not jump.
 * - It rejects with `OuthookError('store_unavailable')` when the outcome is unknown or the store is out of
 *   reach, with `OuthookError('store_refused')` when the call was surely rolled back (a row the database refused),
 *   and with no other error but those a method names.
 * - `due_at` of a live delivery is its next-attempt time; while it is in flight it says nothing.
 * - `ready_endpoints` says which targets seem to have due work; the truth is `live_deliveries`, and
 *   `reconcileReady` repairs it.
 */
import type { OuthookError } from '../core/errors.ts'
import type { AuditStore } from './port/audit.ts'
import type { ConfigStore } from './port/config.ts'
import type { CredentialStore } from './port/credentials.ts'
import type { DeliveryStore, HeardPace, SlotShares } from './port/delivery.ts'
import type { EventTypeStore } from './port/event-types.ts'
import type { FanOutStore, IngestStore } from './port/ingest.ts'
import type { JobStore } from './port/jobs.ts'
import type { KeyStore, KeyTokens } from './port/keys.ts'
import type { MaintenanceStore } from './port/maintenance.ts'
import type { MasterKeyStore } from './port/master-key.ts'
import type { NodeBook } from './port/nodes.ts'
import type { OrderingStore } from './port/ordering.ts'
import type { OutboxStore } from './port/outbox.ts'
import type { StorePace } from './port/pace.ts'
import type { PortalLinkStore } from './port/portal-links.ts'
import type { ReadStore } from './port/reading.ts'
import type { RequestStore } from './port/requests.ts'
import type { SecretStore } from './port/secrets.ts'
import type { SignInStore } from './port/sign-ins.ts'
import type { StatsStore } from './port/stats.ts'
import type { TenantStore } from './port/tenants.ts'
import type { StoreTime } from './port/time.ts'
import type { TokenStore } from './port/tokens.ts'

export * from './port/audit.ts'
export type * from './port/config.ts'
export * from './port/credentials.ts'
export type * from './port/delivery.ts'
export type * from './port/event-types.ts'
export type * from './port/ingest.ts'
export type * from './port/jobs.ts'
export type * from './port/keys.ts'
export type * from './port/maintenance.ts'
export * from './port/master-key.ts'
export * from './port/nodes.ts'
export type * from './port/ordering.ts'
export type * from './port/outbox.ts'
export type * from './port/outbox-file.ts'
export type * from './port/pace.ts'
export type * from './port/portal-links.ts'
export type * from './port/reading.ts'
export * from './port/requests.ts'
export * from './port/secrets.ts'
export type * from './port/sign-ins.ts'
export * from './port/stats.ts'
export type * from './port/tenants.ts'
export type * from './port/time.ts'
export type * from './port/tokens.ts'

export interface Store
  extends ConfigStore,
    SecretStore,
    CredentialStore,
    TokenStore,
    MasterKeyStore,
    KeyStore,
    SignInStore,
    PortalLinkStore,
    EventTypeStore,
    TenantStore,
    IngestStore,
    FanOutStore,
    DeliveryStore,
    OrderingStore,
    ReadStore,
    StatsStore,
    JobStore,
    AuditStore,
    RequestStore,
    MaintenanceStore {
  /** Resolves when the store answers a trivial read and write path is open; rejects otherwise. */
  ping(): Promise<void>
  /**
   * Writes, durably, what needs as much as an event does: locks, room on the disk, the right to write. Nothing of it
   * stays. Rejects with `store_unavailable` when a publish would.
   */
  probeWrite(): Promise<void>
  /** Waits for running calls, then releases every resource. Can be called twice. */
  close(): Promise<void>
  /** Settles only when the store can never answer again in this process. Absent where it always may. */
  readonly lost?: Promise<OuthookError>
  readonly pace: StorePace
  readonly time: StoreTime
  /** What several processes on one database need of it; null where one process owns the store. */
  readonly cluster: Cluster | null
}

export interface Cluster {
  readonly shares: SlotShares
  /**
   * Tells, soon after, what other processes did to the store; the returned function ends it. Each may come twice,
   * late or not at all, so nothing may depend on it.
   */
  listen(listener: StoreListener): () => void
  /** Tells the others that this process keeps the pace of these targets, in requests per second. */
  tellPaces(perSecond: ReadonlyMap<string, number>): void
  readonly stream: StreamRelay
  readonly keyTokens: KeyTokens
  readonly nodes: NodeBook
  /** Publishing inside a caller's transaction on the store's database. */
  readonly outbox: OutboxStore
}

/** Readers of the stream see what other processes do too. It travels as hints do, and may be lost as they may. */
export interface StreamRelay {
  /** Asks the others to tell for some seconds what happens in them, of these tenants; it is to be asked again before they end. */
  ask(tenants: readonly string[] | 'all'): void
  /** Tells those who asked. False: it is not sent, because nobody is connected or what was told before is still on its way. */
  tell(messages: readonly string[]): boolean
}

/** Bytes of a message of the stream at most: PostgreSQL takes less than 8000. */
export const maxStreamMessageBytes = 7900

export interface StoreListener {
  /** There may be work to claim. */
  onWork(): void
  /** Endpoints, secrets or subscriptions of the tenant have changed; null: perhaps of any tenant. */
  onRoutingChanged(tenantId: string | null): void
  /** The target is paused until then, milliseconds since the epoch; null: it is paused no longer. */
  onPauseChanged(targetId: string, pausedUntil: number | null): void
  /** Another process keeps the target's pace, and leaves it to this one. */
  onPaceKept(pace: HeardPace): void
  /** Another process has readers of the stream, who want to be told of these tenants. */
  onStreamAsked?(tenants: readonly string[] | 'all'): void
  onStreamHeard?(message: string): void
  /** Something of the stream may not have been heard. */
  onStreamGap?(): void
}
