/**
 * Publish inside a caller's own transaction: the event exists if and only if the caller's change does. Only the
 * outbox is written; the relay fans out what has committed. Nothing here waits for, or is held up by, anybody but the
 * caller's own connection.
 */
import { OuthookError } from '../core/errors.ts'
import type { IdFactory } from '../core/ids.ts'
import type { RoutingCache } from '../delivery/routing-cache.ts'
import type { OutboxEvent, OutboxResult, OutboxStore, TransactionClient } from '../store/port.ts'
import type { PayloadRules } from './payload-rules.ts'
import {
  type Clocks,
  checkRequest,
  idempotencyConflict,
  type PublishReceipt,
  type PublishRequest,
} from './publish-request.ts'

export interface TransactionalPublisherOptions extends Clocks {
  /** Null: the store has no transactions of callers. */
  readonly outbox: OutboxStore | null
  readonly routing: Pick<RoutingCache, 'get'>
  readonly payloads: Pick<PayloadRules, 'judge' | 'tell'>
  readonly ids: IdFactory
  readonly idempotencyTtlMs: number
  /** Something may be about to commit. */
  readonly onAccepted: () => void
}

export class TransactionalPublisher {
  readonly #options: TransactionalPublisherOptions
  #closed = false

  constructor(options: TransactionalPublisherOptions) {
    this.#options = options
  }

  /**
   * Resolves once the events are part of the client's transaction, in request order; one that is refused leaves the
   * transaction usable and hinders no other. Deliveries do not exist yet, so receipts name none.
   * Errors: as `Publisher.publish`; invalid_request when the client has no open transaction on the store's database,
   * or the store cannot take part in one; else the driver's own.
   */
  async publishMany(
    client: TransactionClient,
    requests: readonly PublishRequest[],
  ): Promise<PromiseSettledResult<PublishReceipt>[]> {
    const outbox = this.#checkUsable(client)
    const checked = await Promise.all(requests.map((request) => settle(() => this.#check(request))))
    const events = checked.flatMap((each) => (each.status === 'fulfilled' ? [each.value.event] : []))
    const results = events.length === 0 ? [] : await outbox.accept(client, events)
    this.#options.onAccepted()
    let next = 0
    return checked.map((each) => {
      if (each.status === 'rejected') return each
      const result = results[next++] as OutboxResult
      const { event, warnings } = each.value
      return attempt(() => ({ ...toReceipt(event, result), warnings }))
    })
  }

  close(): void {
    this.#closed = true
  }

  #checkUsable(client: unknown): OutboxStore {
    const { outbox } = this.#options
    if (this.#closed) {
      throw new OuthookError('shutting_down', 'this Outhook is closed; open it again')
    }
    if (outbox === null) {
      throw new OuthookError(
        'invalid_request',
        'client: this store is a SQLite database, which has no transactions of yours; ' +
          'open a postgres:// store on the database of your transaction, or publish without client',
      )
    }
    if (typeof client !== 'object' || client === null || !('query' in client)) {
      throw new OuthookError(
        'invalid_request',
        'client must be a connected client of pg with an open transaction',
      )
    }
    return outbox
  }

  /** By the catalogues as this process knows them: a change that is not heard of yet the relay finds, and tells. */
  async #check(request: PublishRequest): Promise<CheckedOutboxEvent> {
    const event = this.#toEvent(request)
    const { routing, payloads } = this.#options
    const { topic, payload } = request
    const checked = { tenantId: event.tenantId, topic, payload }
    const verdict = payloads.judge(checked, await routing.get(event.tenantId))
    if (verdict?.refusal == null) return { event, warnings: verdict === null ? undefined : [verdict.warning] }
    payloads.tell(checked, verdict, true)
    throw verdict.refusal
  }

  #toEvent(request: PublishRequest): OutboxEvent {
    const checked = checkRequest(request, this.#options)
    const { idempotency } = checked
    const { ids, idempotencyTtlMs: ttlMs } = this.#options
    return {
      ...checked,
      id: ids.next('evt'),
      idempotency: idempotency && { key: idempotency.key, ttlMs },
    }
  }
}

function toReceipt(event: OutboxEvent, result: OutboxResult): PublishReceipt {
  switch (result.kind) {
    case 'accepted':
      return {
        eventId: event.id,
        deliveryIds: [],
        state: 'accepted',
        filteredSubscriptions: 0,
        replayed: false,
      }
    case 'replayed':
      return {
        eventId: result.eventId,
        deliveryIds: [],
        state: 'accepted',
        filteredSubscriptions: 0,
        replayed: true,
      }
    case 'conflict':
      throw idempotencyConflict()
    case 'refused':
      throw new OuthookError('invalid_request', `the database refused the event: ${result.problem}`)
    case 'key_held':
      throw new OuthookError(
        'store_unavailable',
        'the idempotency key is in use by another transaction that is still open; roll back, and try again when it has ended',
        { retryAfterSeconds: 1 },
      )
  }
}

interface CheckedOutboxEvent extends Pick<PublishReceipt, 'warnings'> {
  readonly event: OutboxEvent
}

async function settle<T>(work: () => Promise<T>): Promise<PromiseSettledResult<T>> {
  try {
    return { status: 'fulfilled', value: await work() }
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}

function attempt<T>(work: () => T): PromiseSettledResult<T> {
  try {
    return { status: 'fulfilled', value: work() }
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}
