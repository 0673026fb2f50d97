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
import type { AttemptDeps } from './attempt.ts'
import type { RoutingCache, Target } from './routing-cache.ts'

/** How the recorder is with outcomes. `behind`: half of what it may hold waits. `blocked`: nothing new may start. */
export type Recording = 'ready' | 'behind' | 'blocked'

/** Why what is published soon finds no place in memory: too much waits for a slot, or too many outcomes for the store. */
export type Pressure = 'memory' | 'outcomes'

export interface DispatcherOptions {
  readonly store: Pick<DeliveryStore, 'claim' | 'release'> & { readonly pace: Pick<StorePace, 'claims'> }
  /** Null or absent: no other process delivers from this store. */
  readonly shares?: SlotShares | null
  /** Tells the other processes which paces this one keeps, in requests per second. */
  readonly tellPaces?: ((perSecond: ReadonlyMap<string, number>) => void) | undefined
  readonly sender: Sender
  readonly credentials: AttemptDeps['credentials']
  readonly routing: RoutingCache
  readonly clock: Clock
  readonly time: StoreTime
  readonly random: () => number
  readonly logger: Logger
  readonly userAgent: string
  /** Requests in flight on this node. */
  readonly maxInFlight: number
  readonly onOutcome: (outcome: DeliveryOutcome, delivery: ClaimedDelivery, target: Target) => void
  readonly recording: () => Recording
}
