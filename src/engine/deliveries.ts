import { OuthookError } from '../core/errors.ts'
import { cancelReason } from '../core/jobs.ts'
import type { Attempt, Delivery } from '../core/model.ts'
import type { DeliveryFilter, DeliveryStore, Page, PageRequest, ReadStore } from '../store/port.ts'
import { checkFilter, checkId, checkPage, notFound } from './page.ts'
import { checkSentAgain } from './send-again.ts'

export interface DeliveryDetail extends Delivery {
  /** With captured responses, by claim version. */
  readonly attempts: readonly Attempt[]
}

export interface DeliveriesOptions {
  readonly store: ReadStore & Pick<DeliveryStore, 'resend' | 'cancelDelivery'>
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
    const delivery = await this.#options.store.getDelivery(tenantId, checkId(id, 'dlv', 'delivery'))
    if (delivery === null) throw notFound('delivery')
    return { ...delivery, attempts: await this.#options.store.listAttempts([id], { withCapture: true }) }
  }

  async list(
    tenantId: string,
    filter: DeliveryFilter = {},
    page: Partial<PageRequest> = {},
  ): Promise<Page<Delivery>> {
    return this.#options.store.listDeliveries(tenantId, checkFilter(filter), checkPage(page))
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
}
