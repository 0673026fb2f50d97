import type { Clock } from '../core/clock.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { IdFactory } from '../core/ids.ts'
import type { RoutingCache } from '../delivery/routing-cache.ts'
import type { IngestStore, PublishPace, StoreTime } from '../store/port.ts'
import type { BusyMeter } from './busy-meter.ts'
import type { HandOffTaker } from './hand-off.ts'
import type { KeyRates } from './key-rates.ts'
import type { PayloadRules } from './payload-rules.ts'

export interface PublisherOptions {
  readonly store: IngestStore
  readonly pace: PublishPace
  readonly words: Pick<FaceWords, 'stopped'>
  readonly routing: RoutingCache
  /** Null: this process only publishes. */
  readonly dispatcher: HandOffTaker | null
  readonly busy: Pick<BusyMeter, 'share'>
  readonly ids: IdFactory
  readonly clock: Clock
  readonly time: Pick<StoreTime, 'now'>
  readonly idempotencyTtlMs: number
  /** Of tenants, beside those of keys. */
  readonly rates: KeyRates
  /** A publish that is not durable by then is answered `store_unavailable`. */
  readonly timeoutMs: number
  /** Deliveries in line for one ordering key of a subscription, beyond which an event is `backlog_full`. */
  readonly maxOrderedBacklog: number
  readonly payloads: Pick<PayloadRules, 'judge' | 'tell'>
  /** An event is durable whose deliveries are still to be made, in slices. */
  readonly onAccepted: () => void
  /** An event is durable that so many subscriptions do not get for their filter. */
  readonly onFiltered: (subscriptions: number) => void
}
