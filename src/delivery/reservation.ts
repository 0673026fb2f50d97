import type { ClaimedDelivery } from '../store/port.ts'
import type { TenantRouting } from './routing-cache.ts'

/**
 * What a delivery that is about to be inserted as leased to this node will take of it: a slot, or a place in memory.
 * One of the two calls ends it; whoever holds it makes one of them.
 */
export interface Reservation {
  /** The delivery is committed and leased to this node until `leaseEndsAt` (elapsed scale). */
  accept(delivery: ClaimedDelivery, routing: TenantRouting, leaseEndsAt: number): void
  /** The delivery was not inserted as leased. */
  cancel(): void
}
