import { OuthookError } from '../core/errors.ts'
import { cancelReason } from '../core/jobs.ts'
import type { Attempt } from '../core/model.ts'
import { checkText } from '../core/text.ts'
import type {
  DeliveryFilter,
  DeliveryStore,
  OrderingStore,
  Page,
  PageRequest,
  ReadStore,
} from '../store/port.ts'
import { type DeliveryView, viewDeliveries } from './delivery-view.ts'
import { checkDescription } from './endpoint-checks.ts'
import { checkFilter, checkId, checkPage, notFound } from './page.ts'
import { type RebuildDeps, type RebuiltRequest, rebuildRequests } from './rebuilt-requests.ts'
import { checkSentAgain } from './send-again.ts'

export interface AttemptDetail extends Attempt {
  /** As it can be told now; null: it cannot, or none was made. */
  readonly request: RebuiltRequest | null
}

export interface DeliveryDetail extends DeliveryView {
  /** With captured responses, by claim version. */
  readonly attempts: readonly AttemptDetail[]
}

export interface SkipOptions {
  /** Why, for whoever looks at the delivery. */
  readonly reason?: string
  /** Who, as whoever skips it wants to be called. */
  readonly by?: string | null
}

export interface SkippedDelivery {
  readonly deliveryId: string
  readonly state: 'skipped'
  /** Whose turn it became; null: nothing of the key waited. */
  readonly nextHeadDeliveryId: string | null
}

export interface DeliveriesOptions extends Omit<RebuildDeps, 'store'> {
  readonly store: ReadStore &
    RebuildDeps['store'] &
    Pick<DeliveryStore, 'resend' | 'cancelDelivery'> &
    Pick<OrderingStore, 'findHeads' | 'skipDelivery'>
  /** There is due work. */
  readonly onDueWork: () => void
}

export class Deliveries {
  readonly #options: DeliveriesOptions

  constructor(options: DeliveriesOptions) {
    this.#options = options
  }

  /** Errors: not_found. */
  async get(tenantId: string, id: string): Promise<DeliveryDetail> {
    const { store } = this.#options
    const delivery = await store.getDelivery(tenantId, checkId(id, 'dlv', 'delivery'))
    if (delivery === null) throw notFound('delivery')
    const [view] = await viewDeliveries(store, tenantId, [delivery])
    const attempts = await store.listAttempts([id], { withCapture: true })
    const requests = await rebuildRequests(delivery, attempts, this.#options)
    return {
      ...(view as DeliveryView),
      attempts: attempts.map((one) => ({ ...one, request: requests.get(one.claimVersion) ?? null })),
    }
  }

  async list(
    tenantId: string,
    filter: DeliveryFilter = {},
    page: Partial<PageRequest> = {},
  ): Promise<Page<DeliveryView>> {
    const { store } = this.#options
    const found = await store.listDeliveries(tenantId, checkFilter(filter), checkPage(page))
    return { ...found, items: await viewDeliveries(store, tenantId, found.items) }
  }

  /**
   * Sends a delivery again that has come to an end, whichever: same id, attempts from 1, and its history stays. The
   * receiver gets the same event id as before, by which it may know that it had it.
   * Errors: not_found, not_replayable (it has not ended, or its endpoint is deleted), expired (its payload is gone).
   */
  async resend(
    tenantId: string,
    id: string,
  ): Promise<{ readonly deliveryId: string; readonly state: 'pending' }> {
    const result = await this.#options.store.resend(tenantId, checkId(id, 'dlv', 'delivery'))
    checkSentAgain(result, (state) => `it has not come to an end; it is ${state}, and is sent anyway`)
    this.#options.onDueWork()
    return { deliveryId: id, state: 'pending' }
  }

  /**
   * Ends a delivery that waits for its first or another attempt. An attempt under way is not interrupted, since the
   * receiver may have answered it already: the outcome decides, and if that is another wait, cancel again.
   * Errors: not_found, attempt_under_way, not_cancellable (it has ended).
   */
  async cancel(
    tenantId: string,
    id: string,
  ): Promise<{ readonly deliveryId: string; readonly state: 'cancelled' }> {
    const { store } = this.#options
    const result = await store.cancelDelivery(
      tenantId,
      checkId(id, 'dlv', 'delivery'),
      cancelReason('cancel'),
    )
    switch (result.kind) {
      case 'cancelled':
        // In a line, the next one goes.
        this.#options.onDueWork()
        return { deliveryId: id, state: 'cancelled' }
      case 'not_found':
        throw notFound('delivery')
      case 'in_flight':
        throw new OuthookError(
          'attempt_under_way',
          'an attempt is under way, and its outcome decides; cancel it again if it waits for another one then',
        )
      case 'finished':
        throw new OuthookError('not_cancellable', `it has come to an end already: it is ${result.state}`)
    }
  }

  /**
   * Gives up the dead-lettered head of an ordering key for good, so that the next delivery of the key goes. Repeated, it
   * answers the same. Errors: not_found, not_skippable, unprocessable (the reason).
   */
  async skip(tenantId: string, deliveryId: string, options: SkipOptions = {}): Promise<SkippedDelivery> {
    const { store, onDueWork } = this.#options
    const id = checkId(deliveryId, 'dlv', 'delivery')
    const result = await store.skipDelivery(tenantId, id, skipReason(options))
    switch (result.kind) {
      case 'skipped':
        if (result.targetId !== null) onDueWork()
        return { deliveryId: id, state: 'skipped', nextHeadDeliveryId: result.nextHeadDeliveryId }
      case 'not_found':
        throw notFound('delivery')
      case 'not_skippable':
        throw new OuthookError(
          'not_skippable',
          `delivery is not dead-lettered or not the head; it is ${result.state}`,
        )
    }
  }
}

/** What stands as the last error of a skipped delivery. */
function skipReason({ reason, by = null }: SkipOptions): string {
  const said = reason === undefined ? '' : checkDescription(reason, 'reason')
  if (by !== null) checkText(by, 'by')
  const who = by === null ? 'by hand' : `by ${by}`
  return said === '' ? `skipped ${who}` : `skipped ${who}: ${said}`
}
