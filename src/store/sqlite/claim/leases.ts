/**
 * The leases that stand, which nobody but the writer grants or ends, so it knows them without asking the database. A
 * starting writer finds those of its predecessor in `handoffs` and ends them. What a call or a whole tick changed is
 * undone with it.
 */
import type { DirectRequest } from '../../../core/direct-request.ts'
import type { TraceContext } from '../../../core/trace-context.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'
import { packLeases } from '../rows/handoff-row.ts'
import type { UnwrittenKeys } from '../rows/key-space.ts'

/** What a claim hands on of a delivery that waits in memory. */
export interface Waiting {
  readonly eventId: string
  readonly topic: string | null
  readonly metadata: Readonly<Record<string, string>> | null
  readonly traceContext: TraceContext | null
  readonly request: DirectRequest | null
  readonly payload: Uint8Array
}

export interface Lease {
  readonly id: string
  readonly key: number
  readonly eventKey: number
  readonly tenantId: string
  readonly subscriptionId: string | null
  readonly endpointId: string | null
  readonly targetId: string
  readonly claimVersion: number
  readonly attemptCount: number
  readonly lostClaims: number
  readonly createdAt: number
  readonly replayedAt: number | null
  /** When it could begin: with its event, or at the event's own time. Null: it is sent again. */
  readonly since: number | null
  /** Milliseconds since the epoch; infinite for what waits. */
  readonly until: number
  /** False: it was handed off, and has no row in `live_deliveries`. */
  readonly isLive: boolean
  /** In which it stands, of an ordered one; null: in none. */
  readonly line: number | null
  /** It was published and waits for a claim, without a row of its own; see `memory-queue.ts`. Null: it is under way. */
  readonly waiting: Waiting | null
}

interface Held {
  readonly lease: Lease
  /** The row of `handoffs` that names it. */
  readonly batch: number
}

interface Batch {
  readonly grantedAt: number
  /** Leases that stand. */
  leases: number
}

const nothing: ReadonlyMap<string, Lease> = new Map()

type Change = { readonly kind: 'granted' | 'ended'; readonly held: Held }

export class Leases implements UnwrittenKeys {
  readonly #byId = new Map<string, Held>()
  /** The leases of deliveries that are under way. */
  readonly #byTarget = new Map<string, Set<Lease>>()
  /** Of those that wait in memory, by their ids, oldest first but for what a rollback brought back. */
  readonly #waiting = new Map<string, Map<string, Lease>>()
  #waitingCount = 0
  #waitingBytes = 0
  /** By row of `handoffs`, oldest first. */
  readonly #open = new Map<number, Batch>()
  #changes: Change[] = []
  /** Where in them the call began that runs. */
  #unit = 0
  #batch = 1
  #now = 0

  get(id: string): Lease | null {
    return this.#byId.get(id)?.lease ?? null
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Deliveries that wait in memory, and their payloads' bytes. */
  get waitingInAll(): { readonly count: number; readonly bytes: number } {
    return { count: this.#waitingCount, bytes: this.#waitingBytes }
  }

  /** Those of the target that wait in memory. */
  waitingAt(targetId: string): ReadonlyMap<string, Lease> {
    return this.#waiting.get(targetId) ?? nothing
  }

  *all(): Generator<Lease> {
    for (const { lease } of this.#byId.values()) yield lease
  }

  *entries(): Generator<{ readonly key: number; readonly id: string }> {
    for (const { lease } of this.#byId.values()) yield lease
  }

  grant(lease: Lease): void {
    const held = { lease, batch: this.#batch }
    this.#add(held)
    this.#changes.push({ kind: 'granted', held })
  }

  /** With an outcome, or given back, or because its time is over. */
  end(lease: Lease): void {
    const held = this.#byId.get(lease.id)
    if (held === undefined) return
    this.#remove(held)
    this.#changes.push({ kind: 'ended', held })
  }

  /** The earliest end of a lease of the target; null: it has none. */
  earliestEnd(targetId: string): number | null {
    let earliest: number | null = null
    for (const { until } of this.#byTarget.get(targetId) ?? []) {
      if (earliest === null || until < earliest) earliest = until
    }
    return earliest
  }

  /** Leases whose time is over. */
  expired(now: number, targetId: string): readonly Lease[] {
    return Array.from(this.#byTarget.get(targetId) ?? []).filter(({ until }) => until <= now)
  }

  /** Targets with leases whose time is over, at most `limit`. */
  expiredTargets(now: number, limit: number): readonly string[] {
    const targets: string[] = []
    for (const [targetId, leases] of this.#byTarget) {
      if (targets.length >= limit) break
      for (const { until } of leases) {
        if (until > now) continue
        targets.push(targetId)
        break
      }
    }
    return targets
  }

  /**
   * The moment of the oldest row of `handoffs`; null: there is none. What has ended since may still be named in one, and
   * must be found by whoever reads it to know that it has ended.
   */
  oldestGrantAt(): number | null {
    for (const { grantedAt } of this.#open.values()) return grantedAt
    return null
  }

  beginTick(now: number): void {
    this.#now = now
    this.#changes = []
    this.#unit = 0
  }

  beginUnit(): void {
    this.#unit = this.#changes.length
  }

  undoUnit(): void {
    this.#undoTo(this.#unit)
  }

  undoTick(): void {
    this.#undoTo(0)
  }

  /** In the tick's transaction: one row for all that it granted, and those go whose last lease has ended. */
  write(statements: PreparesStatements): void {
    const granted: Lease[] = []
    const ended = new Set<number>()
    for (const { kind, held } of this.#changes) {
      if (kind === 'ended') ended.add(held.batch)
      else if (this.#byId.get(held.lease.id) === held) granted.push(held.lease)
    }
    const leases = granted.map(({ key, eventKey, claimVersion }) => ({ key, eventKey, claimVersion }))
    if (leases.length > 0) {
      statements
        .prepare('insert into handoffs (batch, leases) values (?, ?)')
        .run(this.#batch, packLeases(leases))
    }
    for (const batch of ended) {
      if (batch !== this.#batch && this.#open.get(batch)?.leases === 0) {
        statements.prepare('delete from handoffs where batch = ?').run(batch) // primary key
      }
    }
  }

  committed(): void {
    for (const { held } of this.#changes) {
      if (this.#open.get(held.batch)?.leases === 0) this.#open.delete(held.batch)
    }
    this.#changes = []
    this.#batch += 1
  }

  #undoTo(length: number): void {
    for (const { kind, held } of this.#changes.splice(length).reverse()) {
      if (kind === 'granted') this.#remove(held)
      else this.#add(held)
    }
  }

  #add(held: Held): void {
    const { lease, batch } = held
    this.#byId.set(lease.id, held)
    const open = this.#open.get(batch)
    if (open === undefined) this.#open.set(batch, { grantedAt: this.#now, leases: 1 })
    else open.leases += 1
    if (lease.waiting !== null) {
      this.#addWaiting(lease, lease.waiting.payload.byteLength)
      return
    }
    const ofTarget = this.#byTarget.get(lease.targetId)
    if (ofTarget === undefined) this.#byTarget.set(lease.targetId, new Set([lease]))
    else ofTarget.add(lease)
  }

  #remove({ lease, batch }: Held): void {
    this.#byId.delete(lease.id)
    const open = this.#open.get(batch)
    if (open !== undefined) open.leases -= 1
    if (lease.waiting !== null) {
      this.#removeWaiting(lease, lease.waiting.payload.byteLength)
      return
    }
    const ofTarget = this.#byTarget.get(lease.targetId)
    ofTarget?.delete(lease)
    if (ofTarget?.size === 0) this.#byTarget.delete(lease.targetId)
  }

  #addWaiting(lease: Lease, bytes: number): void {
    const line = this.#waiting.get(lease.targetId)
    if (line === undefined) this.#waiting.set(lease.targetId, new Map([[lease.id, lease]]))
    else line.set(lease.id, lease)
    this.#waitingCount += 1
    this.#waitingBytes += bytes
  }

  #removeWaiting(lease: Lease, bytes: number): void {
    const line = this.#waiting.get(lease.targetId)
    line?.delete(lease.id)
    if (line?.size === 0) this.#waiting.delete(lease.targetId)
    this.#waitingCount -= 1
    this.#waitingBytes -= bytes
  }
}
