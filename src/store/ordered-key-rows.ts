/** Pages of ordered keys, by subscription and then by key, and their rows; written once for both databases. */
import { OuthookError } from '../core/errors.ts'
import { bytesToId, idPrefixes } from '../core/ids.ts'
import type { DeliveryState } from '../core/model.ts'
import { bytesOfId } from './cursors.ts'
import type { OrderedKey, OrderedKeyFilter, Page, PageRequest } from './port.ts'

export interface OrderedKeyRow {
  readonly tenant_id: Uint8Array
  readonly subscription_id: Uint8Array
  readonly endpoint_id: Uint8Array
  readonly ordering_key: string
  readonly head_id: Uint8Array
  readonly head_state: DeliveryState
  readonly blocked_at: number | null
  readonly length: number
  readonly oldest_successor_at: number | null
}

export interface OrderedKeyBounds {
  readonly limit: number
  /** The last key of the page before; null on the first. */
  readonly after: { readonly subscription: Uint8Array; readonly orderingKey: string } | null
  /** Null: of any. */
  readonly subscription: Uint8Array | null
}

const maxLimit = 200
const idBytes = 16

/** Null: the filter names a subscription that is none, so nothing matches. */
export function readOrderedKeyPage(filter: OrderedKeyFilter, page: PageRequest): OrderedKeyBounds | null {
  const { limit, cursor } = page
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw new OuthookError('invalid_request', `limit is ${limit}; give a whole number from 1 to ${maxLimit}`)
  }
  const after = cursor === null || cursor === '' ? null : decode(cursor)
  const { subscriptionId } = filter
  if (subscriptionId === undefined) return { limit, after, subscription: null }
  const subscription = bytesOfId(idPrefixes.subscription, subscriptionId)
  return subscription === null ? null : { limit, after, subscription }
}

/** Of rows that were read with `limit + 1`. */
export function toOrderedKeyPage(rows: readonly OrderedKeyRow[], limit: number): Page<OrderedKey> {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  return {
    items: kept.map(toOrderedKey),
    nextCursor: rows.length > limit && last !== undefined ? encode(last) : '',
  }
}

function toOrderedKey(row: OrderedKeyRow): OrderedKey {
  return {
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    subscriptionId: bytesToId(idPrefixes.subscription, row.subscription_id),
    endpointId: bytesToId(idPrefixes.endpoint, row.endpoint_id),
    orderingKey: row.ordering_key,
    headDeliveryId: bytesToId(idPrefixes.delivery, row.head_id),
    headState: row.head_state,
    blockedSince: row.blocked_at,
    length: row.length,
    oldestSuccessorAt: row.oldest_successor_at,
  }
}

function encode({ subscription_id, ordering_key }: OrderedKeyRow): string {
  return Buffer.concat([subscription_id, Buffer.from(ordering_key)]).toString('base64url')
}

function decode(cursor: string): OrderedKeyBounds['after'] {
  const bytes = Buffer.from(cursor, 'base64url')
  const orderingKey = bytes.subarray(idBytes).toString()
  const isWhole = bytes.toString('base64url') === cursor && bytes.length > idBytes
  if (!isWhole || !Buffer.from(orderingKey).equals(bytes.subarray(idBytes))) {
    throw new OuthookError(
      'bad_cursor',
      'the cursor cannot be read; give the next_cursor of an earlier page as it was',
    )
  }
  return { subscription: new Uint8Array(bytes.subarray(0, idBytes)), orderingKey }
}
