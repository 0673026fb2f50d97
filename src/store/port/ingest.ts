import type { EventFields } from '../../core/event-fields.ts'
import type { EventState, WaitReason } from '../../core/model.ts'

export interface NewEvent extends EventFields {
  readonly id: string
  readonly tenantId: string
  /** Null: a direct send. */
  readonly topic: string | null
  readonly payload: Uint8Array
  readonly idempotency: NewIdempotencyKey | null
  /** The routing version that the fan-out was computed with. */
  readonly routingVersion: number
  readonly deliveries: readonly NewDelivery[]
  /**
   * Of an event for many, instead of deliveries: who receives it, as `core/receivers.ts` packs it. `fanOutSlice` makes
   * the deliveries afterwards.
   */
  readonly receivers?: Uint8Array
}

export interface NewIdempotencyKey {
  /** The producer key's id over HTTP; empty for admin tokens and the library. */
  readonly scope: string
  readonly key: string
  readonly hash: Uint8Array
  readonly ttlMs: number
}

export interface NewDelivery {
  readonly id: string
  /** Null: of a direct send. */
  readonly subscriptionId: string | null
  /** Null: of a direct send to a URL. It is never asked to be handed off. */
  readonly endpointId: string | null
  readonly targetId: string
  /** Of its endpoint in that routing. */
  readonly rateLimitRps: number | null
  /** Asks to insert it already leased to this node (claim version 1). */
  readonly handOff: boolean
  /** Its subscription is ordered and the event has an ordering key: it goes to the end of its line. Never handed off. */
  readonly ordered: boolean
  /** Inserted without a due time, for this reason. */
  readonly parked: Extract<WaitReason, 'endpoint_disabled'> | null
}

export type PublishResult =
  | {
      readonly kind: 'published'
      /** Per delivery, in order: whether the hand-off was granted. */
      readonly handedOff: readonly boolean[]
    }
  /** The idempotency key was used before for the same content; nothing was written. */
  | {
      readonly kind: 'replayed'
      readonly eventId: string
      /** As its publish was answered: none where the event was given `receivers`. */
      readonly deliveryIds: readonly string[]
      readonly state: EventState
      readonly filteredSubscriptions: number
    }
  /** The idempotency key was used before for other content; nothing was written. */
  | { readonly kind: 'conflict'; readonly eventId: string }
  /** The tenant's routing is newer than `routingVersion`; nothing was written. */
  | { readonly kind: 'stale_routing' }
  /** A line that a delivery of it was to join is as long as `maxOrderedBacklog` allows; nothing was written. */
  | { readonly kind: 'backlog_full'; readonly subscriptionId: string }
  /**
   * To be tried again soon, nothing was written: a transaction that is still open has used the idempotency key, and may
   * commit or not; or an ordered delivery would overtake an earlier event of its ordering key that is being fanned out.
   */
  | { readonly kind: 'key_held' }

export interface PublishSettings {
  /** Of deliveries that are handed off. */
  readonly leaseMs: number
  /** The caller claims as well, so a store that nobody else claims from may keep what waits in memory. Default false. */
  readonly mayWaitInMemory?: boolean
  /** Deliveries of one ordering key and subscription that may stand in line, a blocked head included. Default: any number. */
  readonly maxOrderedBacklog?: number
}

export interface IngestStore {
  /**
   * One transaction for the whole batch: events, payloads, deliveries, idempotency records, ready rows.
   * An item that is not `published` writes nothing and hinders no other. Duplicates of an idempotency key
   * within the batch are answered as replays of the first. A hand-off is granted only while the target has
   * no due backlog and no pause, and where its endpoint has a rate takes a token; the lease then runs for `leaseMs`.
   */
  publish(batch: readonly NewEvent[], options: PublishSettings): Promise<readonly PublishResult[]>
}

export interface FanOutStore {
  /**
   * Makes the next deliveries of one event that was published with `receivers`: the oldest such event of a tenant,
   * tenants in turn. Each delivery is made once, whoever calls how often, and at most as many as there are ids. Those
   * whose endpoint or subscription was deleted since are cancelled, those of disabled endpoints parked; no hand-off is
   * granted. The event is `accepted` until its last slice. One transaction.
   */
  fanOutSlice(deliveryIds: readonly string[]): Promise<FanOutSlice>
}

export interface FanOutSlice {
  /** Deliveries. */
  readonly made: number
  /** There are others to be made, of this event or another one. */
  readonly more: boolean
}
