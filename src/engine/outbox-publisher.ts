/** Publishes rows of an outbox like anybody's events, each under a key that makes one event of it however often it comes. */
import type { Clock } from '../core/clock.ts'
import { errorTable, isStoreRefusal, OuthookError } from '../core/errors.ts'
import { ofNoProducer } from '../core/event-fields.ts'
import { ownKeyScopes } from '../core/idempotency.ts'
import { idTime, parseId } from '../core/ids.ts'
import { defaultTenantId } from '../core/model.ts'
import type { OutboxRow, ReadStore, StoreTime } from '../store/port.ts'
import type { Publisher } from './publish.ts'
import type { Tenants } from './tenants.ts'

/** An id that lies further ahead has its time from a clock that is wrong; its event gets one of ours. */
const idAheadMs = 3_600_000

export interface OutboxPublisherOptions {
  readonly publisher: Pick<Publisher, 'publish'>
  readonly tenants: Pick<Tenants, 'resolve'>
  readonly store: Pick<ReadStore, 'getEvent' | 'getPayload'> & { readonly time: Pick<StoreTime, 'now'> }
  readonly clock: Pick<Clock, 'now'>
}

/** What came of a row. */
export type RowFate =
  | { readonly kind: 'relayed' }
  | { readonly kind: 'refused'; readonly error: string }
  /** It may be published later: the store is away, the tenant's rate is spent, or its ordering key is full. */
  | { readonly kind: 'later'; readonly error: unknown }

/**
 * Ordering keys of which a row was put off, and names of tenants that could not be looked up, with what kept them: what
 * follows of them is put off too, so that it does not overtake that row.
 */
export type PutOff = Map<string, RowFate>

export class OutboxPublisher {
  readonly #options: OutboxPublisherOptions

  constructor(options: OutboxPublisherOptions) {
    this.#options = options
  }

  /**
   * At once, in the order of the rows; but one of an ordering key only when the one before it is stored.
   *
   * @param putOff what was put off of the rows before these; what is put off of these is added
   */
  async publishInOrder(rows: readonly OutboxRow[], putOff: PutOff): Promise<readonly RowFate[]> {
    const tenantIds = await Promise.all(rows.map(({ tenant }) => this.#findTenantOnce(tenant, putOff)))
    const lastOfKey = new Map<string, Promise<RowFate>>()
    const fates = rows.map((row, index) => {
      const found = tenantIds[index] as RowFate | string
      if (typeof found !== 'string') return found
      if (row.orderingKey === null) return this.#publish(row, found)
      const key = `${found} ${row.orderingKey}`
      const before = lastOfKey.get(key) ?? putOff.get(key)
      const fate = this.#publishAfter(before, () => this.#publish(row, found)).then((last) => {
        if (last.kind === 'later') putOff.set(key, last)
        return last
      })
      lastOfKey.set(key, fate)
      return fate
    })
    return Promise.all(fates)
  }

  async #findTenantOnce(tenant: string | null, putOff: PutOff): Promise<RowFate | string> {
    const name = `tenant ${tenant}`
    const found = putOff.get(name) ?? (await this.#findTenant(tenant))
    if (typeof found !== 'string' && found.kind === 'later') putOff.set(name, found)
    return found
  }

  async #publishAfter(
    earlier: Promise<RowFate> | RowFate | undefined,
    publish: () => Promise<RowFate>,
  ): Promise<RowFate> {
    const before = await earlier
    return before?.kind === 'later' ? before : publish()
  }

  async #findTenant(tenant: string | null): Promise<RowFate | string> {
    if (tenant === null) return defaultTenantId
    try {
      return await this.#options.tenants.resolve(tenant)
    } catch (error) {
      return fateOf(error)
    }
  }

  async #publish(row: OutboxRow, tenantId: string): Promise<RowFate> {
    const { topic, payload, metadata, orderingKey, schedule, traceContext } = row
    try {
      await this.#options.publisher.publish({
        tenantId,
        topic,
        payload,
        metadata,
        orderingKey,
        schedule,
        ...ofNoProducer,
        traceContext,
        eventId: this.#eventIdOf(row),
        refuseHeld: true,
        idempotency:
          row.idempotencyKey === null
            ? { scope: ownKeyScopes.outboxRow, key: row.id }
            : { scope: '', key: row.idempotencyKey },
      })
      return { kind: 'relayed' }
    } catch (error) {
      const isRelayed = isStoreRefusal(error) && (await this.#wasRelayed(row, tenantId))
      return isRelayed ? { kind: 'relayed' } : fateOf(error)
    }
  }

  /** Undefined: the row's id is none of an event, or of a time that is not yet. */
  #eventIdOf({ id }: OutboxRow): string | undefined {
    const { clock, store } = this.#options
    if (parseId(id, 'evt') === null) return undefined
    return idTime(id) <= Math.max(clock.now(), store.time.now()) + idAheadMs ? id : undefined
  }

  /** Its key is forgotten by now, as after a restored backup of the file, but its event is still there. */
  async #wasRelayed(row: OutboxRow, tenantId: string): Promise<boolean> {
    const { store } = this.#options
    const eventId = this.#eventIdOf(row)
    if (eventId === undefined) return false
    try {
      const event = await store.getEvent(tenantId, eventId)
      if (event === null || event.topic !== row.topic) return false
      const payload = await store.getPayload(tenantId, eventId)
      return payload === null || Buffer.compare(payload, row.payload) === 0
    } catch {
      return false
    }
  }
}

/** Whether the row is at fault, or what may pass. */
function fateOf(error: unknown): RowFate {
  if (!(error instanceof OuthookError)) return { kind: 'later', error }
  const { status } = errorTable[error.code]
  const isRowsFault =
    (status >= 400 && status < 500 && status !== 408 && status !== 429) || isStoreRefusal(error)
  return isRowsFault
    ? { kind: 'refused', error: `${error.code}: ${error.message}` }
    : { kind: 'later', error }
}
