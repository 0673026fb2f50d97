/** Figures over time: what outcomes and publishes left with their own transactions. The rules of `../port.ts` hold. */
import type { DeliveryState, DisabledReason } from '../../core/model.ts'
import type { Span } from '../../core/stats/fold.ts'

export interface StatsRequest {
  /** Null: all tenants together. */
  readonly tenantId: string | null
  /** Each of them by itself, at most 200; null: all that the tenant or the server did, in one. */
  readonly endpointIds: readonly string[] | null
  readonly span: Span
  /** Minutes since the epoch: rows that begin at or after, before. */
  readonly from: number
  readonly to: number
}

export interface StatsRow {
  /** Null: of all that was asked for. */
  readonly endpointId: string | null
  /** Minutes since the epoch. */
  readonly start: number
  /** Packed (`core/stats/tally.ts`). */
  readonly tally: Uint8Array
}

/** What one endpoint did in one minute. */
export interface RecentStats {
  readonly tenantId: string
  readonly endpointId: string
  readonly tally: Uint8Array
}

export interface Backlog {
  /** Deliveries that there are, by state. */
  readonly deliveries: Readonly<Record<DeliveryState, number>>
  /** Age of the oldest delivery that is due and not in flight; null: none is known. */
  readonly oldestDueMs: number | null
  /** Those that are tried again, by `retryBoundsMs`. */
  readonly retries: readonly number[]
  /** There are so many that `retries` is what a part of them says of all. */
  readonly isEstimate: boolean
}

/** An endpoint that is disabled, paused or failing, or whose deliveries are late. Times are the store's. */
export interface TroubledEndpoint {
  readonly tenantId: string
  readonly endpointId: string
  readonly uid: string | null
  /** As it may be shown. */
  readonly url: string
  readonly description: string
  readonly maxInFlight: number
  readonly rateLimitRps: number | null
  readonly disabledReason: DisabledReason | null
  readonly disabledAt: number | null
  readonly consecutiveFailures: number
  readonly failingSince: number | null
  /** Null: it is not paused now. */
  readonly pausedUntil: number | null
  /** Of a delivery that has been due for longer than `lateMs`; null: none is. */
  readonly lateSince: number | null
}

/** A delivery is late once it has been due for so long. */
export const lateMs = 10_000
/** Endpoints of each kind of trouble that are found at most. */
export const maxTroubled = 100

export interface StatsStore {
  /** Of single minutes from there on that are folded, the newest `limit`. */
  listRecentStats(options: {
    readonly tenantId: string | null
    readonly from: number
    readonly limit: number
  }): Promise<readonly RecentStats[]>
  /** Null: of all tenants. */
  readBacklog(tenantId: string | null): Promise<Backlog>
  /** In no order, without deleted ones; of all tenants, or of one. */
  listTroubled(tenantId: string | null): Promise<readonly TroubledEndpoint[]>
  /** Bytes on the disk, indexes and logs included, about. */
  size(): Promise<number>
  /** Rows of which something is counted, what is not folded yet included, in no order. */
  readStats(request: StatsRequest): Promise<readonly StatsRow[]>
  /**
   * Adds at most `limit` rows that outcomes and publishes left to the minutes and hours that they belong to, and removes
   * minutes and hours that are older than `statsKeptMs`, at most `limit` each. One transaction. Only one process at a
   * time works, and for the others there is nothing to do. `more`: call again.
   */
  foldStats(options: { readonly limit: number }): Promise<{ readonly more: boolean }>
}
