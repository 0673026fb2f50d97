/** Ordering keys of ordered subscriptions: which have deliveries that wait, and behind what. */
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import { type DeliveryState, limits } from '../core/model.ts'
import type { OrderedKeyFilter, OrderingStore, Page, PageRequest, StoreTime } from '../store/port.ts'
import { checkFilter, checkId, checkPage } from './page.ts'

/** A key with deliveries that have not come to an end. Times are milliseconds since the epoch. */
export interface OrderedKey {
  readonly subscriptionId: string
  readonly endpointId: string
  readonly orderingKey: string
  /** `'blocked'`: its head was given up, and what is behind it waits until it is replayed or skipped. */
  readonly state: 'blocked' | 'active'
  /** The one whose turn it is. */
  readonly headDeliveryId: string
  readonly headState: DeliveryState
  /** Null: it is not blocked. */
  readonly blockedSince: number | null
  /** The head included. */
  readonly backlogCount: number
  /** How long the oldest delivery behind the head waits; null: there is none. */
  readonly oldestSuccessorAgeMs: number | null
}

export interface OrderedKeysOptions {
  readonly store: Pick<OrderingStore, 'listOrderedKeys'>
  readonly time: Pick<StoreTime, 'now'>
  readonly words: FaceWords
}

export class OrderedKeys {
  readonly #options: OrderedKeysOptions

  constructor(options: OrderedKeysOptions) {
    this.#options = options
  }

  /**
   * Keys that have deliveries which have not come to an end, by subscription and key. `blocked: true` gives those that
   * wait for somebody to replay or skip their head. Errors: invalid_request, bad_cursor.
   */
  async list(
    tenantId: string,
    filter: OrderedKeyFilter = {},
    page: Partial<PageRequest> = {},
  ): Promise<Page<OrderedKey>> {
    const { store, time, words } = this.#options
    const now = time.now()
    const found = await store.listOrderedKeys(tenantId, checkKeyFilter(filter, words), checkPage(page))
    const items = found.items.map(
      ({ tenantId: _, length, oldestSuccessorAt, ...key }): OrderedKey => ({
        ...key,
        state: key.blockedSince === null ? 'active' : 'blocked',
        backlogCount: length,
        oldestSuccessorAgeMs: oldestSuccessorAt === null ? null : Math.max(0, now - oldestSuccessorAt),
      }),
    )
    return { ...found, items }
  }
}

function checkKeyFilter(filter: OrderedKeyFilter, words: FaceWords): OrderedKeyFilter {
  const { blocked, subscriptionId, orderingKey } = checkFilter(filter)
  if (blocked !== undefined && typeof blocked !== 'boolean') {
    throw new OuthookError('invalid_request', 'blocked must be true or false')
  }
  if (subscriptionId !== undefined) checkId(subscriptionId, 'sub', 'subscription')
  const bytes = orderingKey === undefined ? 1 : Buffer.byteLength(orderingKey)
  if (bytes < 1 || bytes > limits.maxOrderingKeyBytes) {
    const member = words.member('ordering_key')
    throw new OuthookError('invalid_request', `${member} must be text of 1 to 256 bytes`)
  }
  return filter
}
