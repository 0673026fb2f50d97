import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import { type Attempt, type DeliveryState, limits, type OutboundEvent } from '../core/model.ts'
import type { DeliveryActivity } from '../delivery/activity.ts'
import type { EventListing, PageRequest, ReadStore } from '../store/port.ts'
import { type DeliveryView, type HeadStore, viewDeliveries } from './delivery-view.ts'
import { type EventFilter, readEventFilter } from './event-filter.ts'
import { type Expunged, type ExpungeStore, expungePayload, readCancel } from './expunge.ts'
import { checkId, checkPage, notFound } from './page.ts'
import { payloadGone } from './send-again.ts'

const defaultWaitMs = 30_000
/** How often `wait` looks for itself: another node may have made the delivery. */
const waitPollMs = 500
/** Deliveries that a timeout names. */
const maxNamed = 20

export interface DeliveryWithAttempts extends DeliveryView {
  /** Without captured responses, by claim version. */
  readonly attempts: readonly Attempt[]
}

export interface EventStatus extends OutboundEvent {
  /** Oldest first: 1000 at most, and those that were made so far while the event is `accepted`. */
  readonly deliveries: readonly DeliveryWithAttempts[]
  /** `get` with it as `cursor` gives the deliveries that follow; empty at the end. */
  readonly nextCursor: string
}

export interface EventsOptions {
  readonly store: ReadStore & ExpungeStore & HeadStore
  readonly activity: DeliveryActivity
  readonly clock: Clock
}

/** When `wait` looks again. */
interface NextLook {
  readonly promise: Promise<void>
  startTimer(delayMs: number): void
  cancel(): void
}

export class Events {
  readonly #options: EventsOptions

  constructor(options: EventsOptions) {
    this.#options = options
  }

  /**
   * The event with what became of it.
   *
   * @param options.cursor `nextCursor` of an earlier answer: the deliveries that follow those of that answer
   * Errors: not_found; bad_cursor.
   */
  async get(
    tenantId: string,
    id: string,
    { cursor = null }: { readonly cursor?: string | null } = {},
  ): Promise<EventStatus> {
    const { store } = this.#options
    const event = await store.getEvent(tenantId, checkId(id, 'evt', 'event'))
    if (event === null) throw notFound('event')
    const page = { limit: limits.maxDeliveriesAtOnce, cursor }
    const { items: deliveries, nextCursor } = await store.listDeliveriesOfEvent(tenantId, id, page)
    const attempts = Map.groupBy(
      await store.listAttempts(
        deliveries.map((delivery) => delivery.id),
        { withCapture: false },
      ),
      (attempt) => attempt.deliveryId,
    )
    const views = await viewDeliveries(store, tenantId, deliveries)
    return {
      ...event,
      deliveries: views.map((delivery) => ({ ...delivery, attempts: attempts.get(delivery.id) ?? [] })),
      nextCursor,
    }
  }

  /**
   * Newest first. A page reads so much and no more: where few events match it may have fewer than its limit, or none, and
   * says in `searchedUntil` how far back it has looked.
   * Errors: invalid_request; bad_cursor.
   *
   * @example
   * await hooks.events.list({ topicPattern: 'orders.*', metadata: { source: 'shop' }, deliveryState: 'dead_lettered' })
   */
  async list(
    tenantId: string,
    filter: EventFilter = {},
    page: Partial<PageRequest> = {},
  ): Promise<EventListing> {
    return this.#options.store.listEvents(tenantId, readEventFilter(filter), checkPage(page))
  }

  /** The exact bytes that were published. Errors: not_found, expired. */
  async payload(tenantId: string, id: string): Promise<Uint8Array> {
    const { store } = this.#options
    const payload = await store.getPayload(tenantId, checkId(id, 'evt', 'event'))
    if (payload !== null) return payload
    const event = await store.getEvent(tenantId, id)
    if (event === null) throw notFound('event')
    throw payloadGone(event.expungedAt, 'the payload')
  }

  /**
   * Takes the payload out of the store for good, with what receivers' answers repeat of it: bodies and headers that were
   * captured, and errors made of them. The event and its deliveries stay, and can never be sent again. Deliveries that
   * wait are refused (conflict), or cancelled with `cancel`; one in flight holds the payload (attempt_under_way), and
   * nothing is changed. Expunging again changes nothing. Errors: not_found, conflict, attempt_under_way.
   *
   * @example
   * await hooks.events.expungePayload('evt_…', { cancel: true })
   */
  async expungePayload(
    tenantId: string,
    id: string,
    options: { readonly cancel?: boolean } = {},
  ): Promise<Expunged> {
    const cancel = readCancel(options)
    const eventId = checkId(id, 'evt', 'event')
    return expungePayload(this.#options.store, { tenantId, id: eventId, cancel })
  }

  /**
   * Resolves once every delivery of the event is at an end: succeeded, dead-lettered, cancelled or skipped. An event
   * of a transaction is waited for from its commit on, its fan-out included. The answer is that of `get`.
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
    // Deliveries before it have ended, so a large event is read through once, and not again and again.
    let cursor: string | null = null
    let isLarge = false
    for (;;) {
      // Of a large event every batch of outcomes changes something: it is looked at once in a while.
      const changed = isLarge ? this.#nextLook() : this.#nextChange(id)
      try {
        const status: EventStatus = await this.get(tenantId, id, { cursor })
        isLarge = cursor !== null || status.nextCursor !== ''
        if (status.deliveries.every(({ state }) => isAtEnd(state))) {
          if (status.nextCursor !== '') {
            cursor = status.nextCursor
            continue
          }
          if (status.state === 'fanned_out') return cursor === null ? status : await this.get(tenantId, id)
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
  #nextChange(eventId: string): NextLook {
    const { activity } = this.#options
    const { resolve, ...look } = this.#nextLook()
    const onRecorded = (eventIds: readonly string[]) => {
      if (eventIds.includes(eventId)) resolve()
    }
    activity.on('recorded', onRecorded)
    return {
      ...look,
      cancel() {
        activity.off('recorded', onRecorded)
        look.cancel()
      },
    }
  }

  #nextLook(): NextLook & { resolve(): void } {
    const { clock } = this.#options
    const { promise, resolve } = Promise.withResolvers<void>()
    let cancelTimer = () => {}
    return {
      promise,
      resolve,
      startTimer(delayMs: number) {
        cancelTimer = clock.schedule(delayMs, resolve)
      },
      cancel() {
        cancelTimer()
      },
    }
  }
}

function isAtEnd(state: DeliveryState): boolean {
  return state === 'succeeded' || state === 'dead_lettered' || state === 'cancelled' || state === 'skipped'
}

function timedOut(status: EventStatus): OuthookError {
  const open = status.deliveries.filter((delivery) => !isAtEnd(delivery.state))
  if (status.state === 'accepted' && open.length === 0) {
    return new OuthookError(
      'timeout',
      `${status.id} was not fanned out in time; see that a process that dispatches runs`,
    )
  }
  const named = open.slice(0, maxNamed).map((delivery) => `${delivery.id} is ${delivery.state}`)
  if (open.length > named.length || status.nextCursor !== '') named.push('and others')
  return new OuthookError(
    'timeout',
    `not every delivery of ${status.id} came to an end in time: ${named.join(', ')}`,
  )
}
