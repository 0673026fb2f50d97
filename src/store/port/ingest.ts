import type { WaitReason } from '../../core/model.ts'

export interface NewEvent {
  readonly id: string
  readonly tenantId: string
  readonly topic: string
  readonly payload: Uint8Array
  readonly metadata: Readonly<Record<string, string>> | null
  readonly orderingKey: string | null
  readonly producerKeyId: string | null
  readonly idempotency: NewIdempotencyKey | null
  /** The routing version that the fan-out was computed with. */
  readonly routingVersion: number
  readonly deliveries: readonly NewDelivery[]
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
  readonly subscriptionId: string
  readonly endpointId: string
  readonly targetId: string
  /** Of its endpoint in that routing. */
  readonly rateLimitRps: number | null
  /** Asks to insert it already leased to this node (claim version 1). */
  readonly handOff: boolean
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
  | { readonly kind: 'replayed'; readonly eventId: string; readonly deliveryIds: readonly string[] }
  /** The idempotency key was used before for other content; nothing was written. */
  | { readonly kind: 'conflict'; readonly eventId: string }
  /** The tenant's routing is newer than `routingVersion`; nothing was written. */
  | { readonly kind: 'stale_routing' }
  /** A transaction that is still open has used the idempotency key, and may commit or not; nothing was written. */
  | { readonly kind: 'key_held' }

export interface IngestStore {
  /**
   * One transaction for the whole batch: events, payloads, deliveries, idempotency records, ready rows.
   * An item that is not `published` writes nothing and hinders no other. Duplicates of an idempotency key
   * within the batch are answered as replays of the first. A hand-off is granted only while the target has
   * no due backlog and no pause, and where its endpoint has a rate takes a token; the lease then runs for `leaseMs`.
   */
  publish(
    batch: readonly NewEvent[],
    options: { readonly leaseMs: number },
  ): Promise<readonly PublishResult[]>
}
