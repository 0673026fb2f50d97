import { OuthookError } from '../core/errors.ts'
import type { DeadLetter } from '../core/model.ts'
import type { DeadLetterFilter, DeliveryStore, Page, PageRequest, ReadStore } from '../store/port.ts'
import { checkFilter, checkId, checkPage, notFound } from './page.ts'

export interface DeadLettersOptions {
  readonly store: ReadStore & Pick<DeliveryStore, 'replay'>
  /** There is due work. */
  readonly onDueWork: () => void
}

export class DeadLetters {
  readonly #options: DeadLettersOptions

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  async list(
    tenantId: string,
    filter: DeadLetterFilter = {},
    page: Partial<PageRequest> = {},
  ): Promise<Page<DeadLetter>> {
    return this.#options.store.listDeadLetters(tenantId, checkFilter(filter), checkPage(page))
  }

  /**
   * Makes a dead letter pending and due again. Its attempts start at 1; its id, its history and its claim
   * version go on. Errors: not_found, not_replayable, expired.
   */
  async replay(
    tenantId: string,
    deliveryId: string,
  ): Promise<{ readonly deliveryId: string; readonly state: 'pending' }> {
    const result = await this.#options.store.replay(tenantId, checkId(deliveryId, 'dlv', 'delivery'))
    switch (result.kind) {
      case 'replayed':
        this.#options.onDueWork()
        return { deliveryId, state: 'pending' }
      case 'not_found':
        throw notFound('delivery')
      case 'expired':
        throw new OuthookError(
          'expired',
          'its payload is past its retention and was removed; publish the event again',
        )
      case 'not_replayable':
        throw new OuthookError(
          'not_replayable',
          result.endpointDeleted
            ? 'its endpoint or subscription was deleted; publish the event again for a new one'
            : `only a dead letter can be replayed; this delivery is ${result.state}`,
        )
    }
  }
}
