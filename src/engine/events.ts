import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { Attempt, Delivery, DeliveryState, OutboundEvent } from '../core/model.ts'
import type { DeliveryActivity } from '../delivery/activity.ts'
import type { EventFilter, Page, PageRequest, ReadStore } from '../store/port.ts'
import { checkFilter, checkId, checkPage, notFound } from './page.ts'

const defaultWaitMs = 30_000
/** How often `wait` looks for itself: another node may have made the delivery. */
const waitPollMs = 500

export interface DeliveryWithAttempts extends Delivery {
  /** Without captured responses, by claim version. */
  readonly attempts: readonly Attempt[]
}

export interface EventStatus extends OutboundEvent {
  readonly deliveries: readonly DeliveryWithAttempts[]
}

export interface EventsOptions {
  readonly store: ReadStore
  readonly activity: DeliveryActivity
  readonly clock: Clock
}

export class Events {
  readonly #options: EventsOptions

  constructor(options: EventsOptions) {
    this.#options = options
  }

  /** The event with all that became of it. Errors: not_found. */
  async get(tenantId: string, id: string): Promise<EventStatus> {
    const { store } = this.#options
    const event = await store.getEvent(tenantId, checkId(id, 'evt', 'event'))
    if (event === null) throw notFound('event')
    const deliveries = await store.listDeliveriesOfEvent(tenantId, id)
    const attempts = Map.groupBy(
      await store.listAttempts(
        deliveries.map((delivery) => delivery.id),
        { withCapture: false },
      ),
      (attempt) => attempt.deliveryId,
    )
    return {
      ...event,
      deliveries: deliveries.map((delivery) => ({ ...delivery, attempts: attempts.get(delivery.id) ?? [] })),
    }
  }

  async list(
    tenantId: string,
    filter: EventFilter = {},
    page: Partial<PageRequest> = {},
  ): Promise<Page<OutboundEvent>> {
    return this.#options.store.listEvents(tenantId, checkFilter(filter), checkPage(page))
  }

  /** The exact bytes that were published. Errors: not_found, expired. */
  async payload(tenantId: string, id: string): Promise<Uint8Array> {
    const { store } = this.#options
    const payload = await store.getPayload(tenantId, checkId(id, 'evt', 'event'))
    if (payload !== null) return payload
    if ((await store.getEvent(tenantId, id)) === null) throw notFound('event')
    throw new OuthookError('expired', 'the payload is past its retention and was removed')
  }

  /**
   * Resolves once every delivery of the event is at an end: succeeded, dead-lettered or cancelled. An event
   * of a transaction is waited for from its commit on, its fan-out included.
   *
   * @param options.timeoutMs default 30 s
   * Errors: not_found; invalid_request; timeout, which says what is still open.
   */
  async wait(
    tenantId: string,
    id: string,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<EventStatus> {
    const { clock } = this.#options
    const { timeoutMs = defaultWaitMs } = options
    if (!(timeoutMs >= 0)) {
      throw new OuthookError(
        'invalid_request',
        `timeoutMs must be milliseconds of 0 or more, not ${timeoutMs}`,
      )
    }
    const deadline = clock.elapsed() + timeoutMs
    for (;;) {
      const changed = this.#nextChange(id)
      try {
        const status = await this.get(tenantId, id)
        if (status.state === 'fanned_out' && status.deliveries.every((delivery) => isAtEnd(delivery.state))) {
          return status
        }
        const leftMs = deadline - clock.elapsed()
        if (leftMs <= 0) throw timedOut(status)
        changed.startTimer(Math.min(leftMs, waitPollMs))
        await changed.promise
      } finally {
        changed.cancel()
      }
    }
  }

  /** Listens before the state is read, so that nothing is missed in between. */
  #nextChange(eventId: string) {
    const { activity, clock } = this.#options
    const { promise, resolve } = Promise.withResolvers<void>()
    const onRecorded = (eventIds: readonly string[]) => {
      if (eventIds.includes(eventId)) resolve()
    }
    activity.on('recorded', onRecorded)
    let cancelTimer = () => {}
    return {
      promise,
      startTimer(delayMs: number) {
        cancelTimer = clock.schedule(delayMs, resolve)
      },
      cancel() {
        activity.off('recorded', onRecorded)
        cancelTimer()
      },
    }
  }
}

function isAtEnd(state: DeliveryState): boolean {
  return state === 'succeeded' || state === 'dead_lettered' || state === 'cancelled'
}

function timedOut(status: EventStatus): OuthookError {
  if (status.state === 'accepted') {
    return new OuthookError(
      'timeout',
      `${status.id} was not fanned out in time; see that a process that dispatches runs`,
    )
  }
  const open = status.deliveries.filter((delivery) => !isAtEnd(delivery.state))
  const states = open.map((delivery) => `${delivery.id} is ${delivery.state}`).join(', ')
  return new OuthookError('timeout', `not every delivery of ${status.id} came to an end in time: ${states}`)
}
