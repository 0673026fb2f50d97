/**
 * The leases that this process holds, by hand-off or by claim: what it needs to write their outcomes without reading.
 * Changed only after a commit. Whether a lease still stands is decided by the database, where its row of `handoffs` may
 * be gone. What is not here is looked for there (`record/find-leases.ts`).
 */

import { randomUUID } from 'node:crypto'

/** Ids are hexadecimal, but for those whose names end in `Id`. */
export interface Lease {
  readonly deliveryId: string
  readonly id: string
  /** The row of `handoffs` that names it. */
  readonly batch: string
  readonly event: string
  readonly tenant: string
  readonly subscription: string | null
  readonly endpoint: string | null
  readonly target: string
  readonly targetId: string
  readonly claimVersion: number
  readonly attemptCount: number
  readonly lostClaims: number
  /** Of an ordered one, in which it is the head. */
  readonly line: number | null
  readonly createdAt: number
  /** When it could begin: with its event, or at the event's own time. Null: it is sent again, or nobody here knows. */
  readonly since: number | null
  /** A moment of the store's line of time. */
  readonly until: number
  /** False: it was handed off, and has no row in `live_deliveries`. */
  readonly isLive: boolean
}

export interface LeaseKey {
  readonly deliveryId: string
  readonly claimVersion: number
}

/** What a transaction did to leases, to be told to `Leases` once it is committed. */
export interface Ended<Result> {
  readonly result: Result
  /** Leases that were to end. Those that are not held have ended, by this or before. */
  readonly asked: readonly Lease[]
  readonly ended: EndedLeases
}

export interface EndedLeases {
  readonly written: ReadonlySet<Lease>
  /** They stand, and somebody else has locked the delivery, or is about to end them. */
  readonly held: ReadonlySet<Lease>
  /** Rows of `handoffs` that are gone. */
  readonly removed: readonly string[]
}

interface Batch {
  readonly until: number
  /** Leases that stand. */
  readonly leases: Set<Lease>
  readonly isClaimed: boolean
  /** On this process's own scale of time. */
  readonly overdueAt: number
  isOverdue: boolean
}

/** Leases that never ended, because their process let them go: after so long their row is gone. */
const forgottenAfterMs = 3_600_000

/** The name of a new row of `handoffs`. */
export function newBatch(): string {
  return randomUUID().replaceAll('-', '')
}

export class Leases {
  readonly #byDelivery = new Map<string, Lease>()
  readonly #byTarget = new Map<string, Set<Lease>>()
  /** By row of `handoffs`, oldest first. */
  readonly #open = new Map<string, Batch>()
  /** Rows of `handoffs` whose last lease has ended. */
  readonly #ended = new Set<string>()
  readonly #elapsed: () => number

  /** Milliseconds on a scale of which only differences mean anything. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
  }

  /** Null: stale. */
  get({ deliveryId, claimVersion }: LeaseKey): Lease | null {
    const lease = this.#byDelivery.get(deliveryId)
    return lease?.claimVersion === claimVersion ? lease : null
  }

  grant(lease: Lease, leaseMs: number): void {
    const earlier = this.#byDelivery.get(lease.deliveryId)
    if (earlier !== undefined) this.end(earlier)
    this.#byDelivery.set(lease.deliveryId, lease)
    const open = this.#open.get(lease.batch)
    if (open === undefined) {
      this.#forget(lease.until)
      const overdueAt = this.#elapsed() + leaseMs
      this.#open.set(lease.batch, {
        until: lease.until,
        leases: new Set([lease]),
        isClaimed: lease.isLive,
        overdueAt,
        isOverdue: false,
      })
    } else open.leases.add(lease)
    const ofTarget = this.#byTarget.get(lease.target)
    if (ofTarget === undefined) this.#byTarget.set(lease.target, new Set([lease]))
    else ofTarget.add(lease)
  }

  /** The lease has ended: with an outcome, given back, or found stale. */
  end(lease: Lease): void {
    if (this.#byDelivery.get(lease.deliveryId) !== lease) return
    this.#byDelivery.delete(lease.deliveryId)
    const ofTarget = this.#byTarget.get(lease.target)
    ofTarget?.delete(lease)
    if (ofTarget?.size === 0) this.#byTarget.delete(lease.target)
    const open = this.#open.get(lease.batch)
    open?.leases.delete(lease)
    if (open?.leases.size !== 0) return
    this.#open.delete(lease.batch)
    this.#ended.add(lease.batch)
  }

  /** The earliest end of a claimed lease of the target that is to be waited for; null: there is none. */
  earliestEnd(target: string): number | null {
    let earliest: number | null = null
    for (const { until, isLive, batch } of this.#byTarget.get(target) ?? []) {
      if (!isLive || this.#open.get(batch)?.isOverdue === true) continue
      if (earliest === null || until < earliest) earliest = until
    }
    return earliest
  }

  /** Whether the time of some that were claimed is over, of which this was not said before. */
  foundOverdue(): boolean {
    const now = this.#elapsed()
    let found = false
    for (const batch of this.#open.values()) {
      // Not all are of one length.
      if (batch.overdueAt > now) continue
      found ||= batch.isClaimed && !batch.isOverdue
      batch.isOverdue = true
    }
    return found
  }

  /** Rows of `handoffs` that the next statement takes away: all of their leases have ended, and that is committed. */
  endedBatches(): readonly string[] {
    return Array.from(this.#ended)
  }

  /** After the commit. */
  conclude<Result>({ result, asked, ended }: Ended<Result>): Result {
    for (const lease of asked) if (!ended.held.has(lease)) this.end(lease)
    for (const batch of ended.removed) this.#ended.delete(batch)
    return result
  }

  #forget(now: number): void {
    for (const { until, leases } of this.#open.values()) {
      if (until > now - forgottenAfterMs) return
      for (const lease of leases) this.end(lease)
    }
  }
}
