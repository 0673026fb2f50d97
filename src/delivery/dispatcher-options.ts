import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Sender } from '../sender/port.ts'
import type {
  ClaimedDelivery,
  DeliveryOutcome,
  DeliveryStore,
  SlotShares,
  StorePace,
  StoreTime,
} from '../store/port.ts'
import type { RoutingCache, Target } from './routing-cache.ts'

export interface DispatcherOptions {
  readonly store: Pick<DeliveryStore, 'claim' | 'release'> & { readonly pace: Pick<StorePace, 'claims'> }
  /** Null or absent: no other process delivers from this store. */
  readonly shares?: SlotShares | null
  /** Tells the other processes which paces this one keeps, in requests per second. */
  readonly tellPaces?: ((perSecond: ReadonlyMap<string, number>) => void) | undefined
  readonly sender: Sender
  readonly routing: RoutingCache
  readonly clock: Clock
  readonly time: StoreTime
  readonly random: () => number
  readonly logger: Logger
  readonly userAgent: string
  /** Requests in flight on this node. */
  readonly maxInFlight: number
  readonly onOutcome: (outcome: DeliveryOutcome, delivery: ClaimedDelivery, target: Target) => void
  /** False while outcomes cannot be recorded: then nothing new starts. */
  readonly canRecord: () => boolean
}
