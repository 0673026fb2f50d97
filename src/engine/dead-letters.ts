import type { DeadLetter } from '../core/model.ts'
import type {
  DeadLetterFilter,
  DeadLetterReasons,
  DeliveryStore,
  Page,
  PageRequest,
  ReadStore,
} from '../store/port.ts'
import { checkFilter, checkId, checkPage } from './page.ts'
import { checkSentAgain } from './send-again.ts'

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
   * How many were given up for which error, the most frequent first. It looks at the newest 10 000 at most, so that it
   * takes as long however many there are; `isComplete` says whether those were all.
   */
  async countReasons(tenantId: string, filter: DeadLetterFilter = {}): Promise<DeadLetterReasons> {
    return this.#options.store.countDeadLetterReasons(tenantId, checkFilter(filter))
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
    checkSentAgain(result, (state) => `only a dead letter can be replayed; this delivery is ${state}`)
    this.#options.onDueWork()
    return { deliveryId, state: 'pending' }
  }
}
