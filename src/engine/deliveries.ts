import type { Attempt, Delivery } from '../core/model.ts'
import type { DeliveryFilter, Page, PageRequest, ReadStore } from '../store/port.ts'
import { checkFilter, checkId, checkPage, notFound } from './page.ts'

export interface DeliveryDetail extends Delivery {
  /** With captured responses, by claim version. */
  readonly attempts: readonly Attempt[]
}

export class Deliveries {
  readonly #store: ReadStore

  constructor(store: ReadStore) {
    this.#store = store
  }

  /** Errors: not_found. */
  async get(tenantId: string, id: string): Promise<DeliveryDetail> {
    const delivery = await this.#store.getDelivery(tenantId, checkId(id, 'dlv', 'delivery'))
    if (delivery === null) throw notFound('delivery')
    return { ...delivery, attempts: await this.#store.listAttempts([id], { withCapture: true }) }
  }

  async list(
    tenantId: string,
    filter: DeliveryFilter = {},
    page: Partial<PageRequest> = {},
  ): Promise<Page<Delivery>> {
    return this.#store.listDeliveries(tenantId, checkFilter(filter), checkPage(page))
  }
}
