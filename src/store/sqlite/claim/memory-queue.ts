/**
 * Deliveries that wait for a claim in the writer's memory. The commit that publishes one leases it to the writer itself,
 * with claim version 0, in the row of `handoffs` that the commit writes anyway. A claim takes it from here: nothing is
 * inserted, read, changed and removed in `live_deliveries` meanwhile, which is half of what a claimed delivery costs.
 *
 *     published ─► waits here, version 0 ── claim ─► leased to the dispatcher, version 1 ─► outcome
 *                     └── its target is paused, disabled or deleted ─► a row of `live_deliveries`
 *
 * After a crash those of version 0 are due again, and no claim counts as lost: nobody had them. Of one target they are
 * claimed in order with what waits for it in the table.
 */
import { fateOf } from '../../../core/claim/row-fate.ts'
import type { NewDelivery, NewEvent } from '../../port.ts'
import { noResult } from '../record/last-result.ts'
import { putBack } from '../record/wait.ts'
import type { WriteContext } from '../threads/write-context.ts'
import type { Lease } from './leases.ts'

const maxAtTarget = 1024
const maxInAll = 8192
const maxBytesInAll = 32 * 1024 * 1024
const maxPayloadBytes = 16 * 1024

/** Whether there is room for one more of the target. What keeps a target from hand-offs is for the caller to know. */
export function hasRoomInMemory({ memory }: WriteContext, event: NewEvent, delivery: NewDelivery): boolean {
  const { count, bytes } = memory.leases.waitingInAll
  const size = event.payload.byteLength
  return (
    delivery.rateLimitRps === null &&
    size <= maxPayloadBytes &&
    count < maxInAll &&
    bytes + size <= maxBytesInAll &&
    memory.leases.waitingAt(delivery.targetId).size < maxAtTarget
  )
}

/** Those of a target that a claim may take, oldest first, from one look to the next. */
export class WaitingLook {
  readonly #context: WriteContext
  readonly #leases: Iterator<Lease>
  #next: IteratorResult<Lease>

  constructor(context: WriteContext, targetId: string) {
    this.#context = context
    this.#leases = context.memory.leases.waitingAt(targetId).values()
    this.#next = this.#leases.next()
  }

  /** When the next delivery that waits in memory was published; null: there is none. */
  get nextSince(): number | null {
    return this.#next.done === true ? null : this.#next.value.createdAt
  }

  /** At most so many. `others` may not be attempted any more, and have rows in the table now. */
  take(count: number): { readonly leases: readonly Lease[]; readonly others: number } {
    const leases: Lease[] = []
    let others = 0
    for (; leases.length + others < count && this.#next.done !== true; this.#next = this.#leases.next()) {
      const lease = this.#next.value
      if (mayBeAttempted(this.#context, lease)) leases.push(lease)
      else {
        writeOut(this.#context, lease)
        others += 1
      }
    }
    return { leases, others }
  }
}

function mayBeAttempted({ memory }: WriteContext, lease: Lease): boolean {
  const isDisabled = lease.endpointId !== null && memory.endpoint(lease.endpointId)?.disabled === true
  return fateOf({ isDeleted: memory.isForNobody(lease), isDisabled }).kind === 'lease'
}

/** A claim gives it to the dispatcher. */
export function leaseWaiting({ memory, now, counts }: WriteContext, lease: Lease, leaseMs: number): Lease {
  const given = { ...lease, claimVersion: lease.claimVersion + 1, until: now + leaseMs, waiting: null }
  memory.leases.end(lease)
  memory.leases.grant(given)
  counts.move(given, 'pending', 'in_flight')
  return given
}

/** The target is paused, disabled or changed: what waits for it goes on waiting in the table. */
export function writeOutWaiting(context: WriteContext, targetId: string): void {
  for (const lease of [...context.memory.leases.waitingAt(targetId).values()]) writeOut(context, lease)
}

/** All that waits of a tenant goes on waiting in the table. How many did. */
export function writeOutTenant(context: WriteContext, tenantId: string): number {
  const leases = [...context.memory.leases.all()].filter(
    (lease) => lease.waiting !== null && lease.tenantId === tenantId,
  )
  for (const lease of leases) writeOut(context, lease)
  return leases.length
}

/** Those that have waited longest, of whichever tenant, go on waiting in the table: at most so many. How many did. */
export function writeOutOldest(context: WriteContext, limit: number): number {
  const oldest: Lease[] = []
  for (const lease of context.memory.leases.all()) {
    if (oldest.length === limit) break
    if (lease.waiting !== null) oldest.push(lease)
  }
  for (const lease of oldest) writeOut(context, lease)
  return oldest.length
}

function writeOut(context: WriteContext, lease: Lease): void {
  putBack(context, lease, {
    ...noResult,
    claimVersion: lease.claimVersion,
    lostClaims: 0,
    dueAt: lease.createdAt,
  })
}
