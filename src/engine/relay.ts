/**
 * Fans out what was published inside callers' transactions, once those have committed: over the subscriptions of
 * that moment, in the order of publishing, in bounded batches. Every process that dispatches runs one; the store lets
 * one at a time write, and each event be fanned out once.
 *
 * Nobody tells of a commit of somebody else's, so the relay looks: 25 ms after there was something, then ever more
 * seldom, down to once a second. Looking costs one query by index.
 */
import type { Clock } from '../core/clock.ts'
import { isStoreRefusal } from '../core/errors.ts'
import type { IdFactory } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import { limits } from '../core/model.ts'
import type { RoutingCache, TenantRouting } from '../delivery/routing-cache.ts'
import type { AcceptedEvent, AcceptedPayloads, FanOutPlan, FanOutResult, OutboxStore } from '../store/port.ts'
import { needsPayload, planFanOut } from './fan-out.ts'
import type { CheckedEvent, PayloadRules, PayloadVerdict } from './payload-rules.ts'

const minWaitMs = 25
const maxWaitMs = 1000
const maxBatchEvents = 500
const maxBatchDeliveries = limits.maxDeliveriesAtOnce
const maxBatchBytes = 4 * 1024 * 1024
/** In place of a payload that no filter looks at. */
const notRead = new Uint8Array(0)

export interface RelayOptions {
  readonly outbox: OutboxStore
  readonly routing: RoutingCache
  readonly ids: IdFactory
  readonly clock: Clock
  readonly logger: Logger
  /** Deliveries were made that nobody has claimed. */
  readonly onDueWork: () => void
  /** An event goes to so many that its deliveries are still to be made, in slices. */
  readonly onLargeFanOut: () => void
  /** Events were fanned out that so many subscriptions do not get for their filter. */
  readonly onFiltered: (subscriptions: number) => void
  readonly payloads: Pick<PayloadRules, 'concern' | 'judge' | 'tell'>
}

export class Relay {
  readonly #options: RelayOptions
  #state: 'idle' | 'running' | 'stopped' = 'idle'
  #waitMs = minWaitMs
  #cancelWait: (() => void) | null = null
  #draining: Promise<void> | null = null
  #failing = false
  /** Events that the database takes from nobody: left where they are, so that they hold up no other. */
  readonly #refused = new Set<string>()
  /** Of planned events whose payload is not as its type says. They are committed, so nothing can be refused any more. */
  readonly #verdicts = new Map<
    string,
    { readonly event: Omit<CheckedEvent, 'payload'>; readonly verdict: PayloadVerdict }
  >()

  constructor(options: RelayOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.#lookLater()
  }

  /** Something was published, or is about to be committed: looks within 25 ms, and often for a while. */
  wake(): void {
    const isSoon = this.#waitMs === minWaitMs
    this.#waitMs = minWaitMs
    if (this.#cancelWait === null || isSoon || this.#state !== 'running') return
    this.#cancelWait()
    this.#lookLater()
  }

  /** Lets the batch under way end. Can be called twice. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#cancelWait?.()
    await this.#draining
  }

  #lookLater(): void {
    this.#cancelWait = this.#options.clock.schedule(this.#waitMs, () => {
      this.#cancelWait = null
      this.#waitMs = Math.min(this.#waitMs * 2, maxWaitMs)
      this.#draining = this.#drain().then(() => {
        if (this.#state === 'running') this.#lookLater()
      })
    })
  }

  /** Never rejects: what went wrong is tried again at the next look. */
  async #drain(): Promise<void> {
    try {
      while (this.#state === 'running' && (await this.#relayAll())) this.#waitMs = minWaitMs
      this.#failing = false
    } catch (error) {
      // Once: while the store is out of reach every look fails.
      if (!this.#failing) {
        this.#options.logger.warn(
          { err: error },
          'events of the outbox wait: the relay failed and tries again',
        )
      }
      this.#failing = true
    }
  }

  /**
   * From the first to the last. What has to wait for an earlier event of its ordering key is passed over, with all that
   * follows of that key, and holds up nobody else. False: there was nothing to do, or another process does it.
   */
  async #relayAll(): Promise<boolean> {
    const heldKeys = new Set<string>()
    let hasMoved = false
    let after: string | null = null
    while (this.#state === 'running') {
      const found = await this.#options.outbox.listAccepted(maxBatchEvents, after)
      const waiting = found.filter((event) => !this.#refused.has(event.id) && !heldKeys.has(keyOf(event)))
      const plans = await this.#plan(waiting)
      const { count, stale, held } = await this.#relayBatch(plans)
      // Planned anew from the first, so that nothing of a key overtakes them.
      if (stale.length > 0) return true
      for (const event of waiting) if (held.includes(event.id)) heldKeys.add(keyOf(event))
      hasMoved ||= count > 0
      const isElsewhere =
        count === 0 && held.length < plans.length && !plans.some(({ id }) => this.#refused.has(id))
      const isEnd = plans.length === waiting.length && found.length < maxBatchEvents
      if (isElsewhere || isEnd) break
      after = (plans.length < waiting.length ? waiting[plans.length - 1] : found.at(-1))?.place ?? null
    }
    return hasMoved
  }

  async #relayBatch(plans: readonly FanOutPlan[]): Promise<FanOutResult> {
    const { routing, onDueWork, onLargeFanOut, onFiltered } = this.#options
    if (plans.length === 0) return { count: 0, stale: [], held: [] }
    const result = await this.#fanOut(plans)
    for (const tenantId of result.stale) routing.invalidate(tenantId)
    if (result.count > 0) onDueWork()
    if (plans.some(({ receivers }) => receivers !== undefined)) onLargeFanOut()
    const left = new Set([...result.stale, ...result.held])
    const written =
      result.count === 0 ? [] : plans.filter(({ id, tenantId }) => !left.has(id) && !left.has(tenantId))
    const filtered = written.reduce((sum, { filteredSubscriptions }) => sum + (filteredSubscriptions ?? 0), 0)
    if (filtered > 0) onFiltered(filtered)
    for (const { id } of written) this.#tellVerdict(id)
    return result
  }

  #tellVerdict(id: string): void {
    const found = this.#verdicts.get(id)
    if (found === undefined) return
    this.#verdicts.delete(id)
    this.#options.payloads.tell(found.event, found.verdict, false)
  }

  async #fanOut(plans: readonly FanOutPlan[]): Promise<FanOutResult> {
    try {
      return await this.#options.outbox.fanOut(plans)
    } catch (error) {
      if (!isStoreRefusal(error)) throw error
      if (plans.length === 1) return this.#leave(plans[0] as FanOutPlan, error)
    }
    // A refused row is only its own event's fault: each gets a try alone.
    let count = 0
    const stale: string[] = []
    const held: string[] = []
    for (const plan of plans) {
      const result = await this.#fanOut([plan])
      count += result.count
      stale.push(...result.stale)
      held.push(...result.held)
    }
    return { count, stale, held }
  }

  #leave({ id }: FanOutPlan, error: unknown): FanOutResult {
    this.#refused.add(id)
    this.#options.logger.error(
      { err: error, event_id: id },
      'the database refuses to fan out an event, which stays accepted until another process tries it',
    )
    return { count: 0, stale: [], held: [] }
  }

  /** As many of the first ones as fit into a batch. */
  async #plan(waiting: readonly AcceptedEvent[]): Promise<readonly FanOutPlan[]> {
    const payloads = await this.#readPayloads(waiting)
    const plans: FanOutPlan[] = []
    let deliveryCount = 0
    let bytes = 0
    for (const event of waiting) {
      const { tenantId } = event
      const routing = await this.#options.routing.get(tenantId)
      const payload = payloads.get(event.id)
      // Not in the outbox any more, or its tenant has got a filter just now: the next look sees to it.
      if (payload === undefined && this.#needsPayload(event.topic, routing)) break
      this.#judge({ ...event, payload: payload ?? notRead }, routing)
      const fanOut = planFanOut({ ...event, payload: payload ?? notRead }, routing, this.#options.ids)
      deliveryCount += fanOut.deliveries.length
      bytes += event.payloadBytes
      if (plans.length > 0 && (deliveryCount > maxBatchDeliveries || bytes > maxBatchBytes)) break
      plans.push({
        id: event.id,
        tenantId,
        orderingKey: event.orderingKey,
        deliverAt: event.deliverAt,
        routingVersion: routing.version,
        ...fanOut,
      })
    }
    return plans
  }

  #needsPayload(topic: string, routing: TenantRouting): boolean {
    return needsPayload(topic, routing) || this.#options.payloads.concern(topic, routing)
  }

  #judge(
    event: Pick<AcceptedEvent, 'id' | 'tenantId' | 'topic'> & CheckedEvent,
    routing: TenantRouting,
  ): void {
    const { payloads } = this.#options
    const verdict = payloads.concern(event.topic, routing) ? payloads.judge(event, routing) : null
    const { id, tenantId, topic } = event
    if (verdict === null) this.#verdicts.delete(id)
    else this.#verdicts.set(id, { event: { tenantId, topic }, verdict })
  }

  /** Of those that a filter or an event type looks at, and of no more than fit into a batch. */
  async #readPayloads(waiting: readonly AcceptedEvent[]): Promise<AcceptedPayloads> {
    const needed: string[] = []
    let bytes = 0
    for (const { id, tenantId, topic, payloadBytes } of waiting) {
      bytes += payloadBytes
      if (needed.length > 0 && bytes > maxBatchBytes) break
      if (this.#needsPayload(topic, await this.#options.routing.get(tenantId))) needed.push(id)
    }
    return needed.length === 0 ? new Map() : this.#options.outbox.readAccepted(needed)
  }
}

/** An event without an ordering key waits for nobody. */
function keyOf({
  id,
  tenantId,
  orderingKey,
}: Pick<AcceptedEvent, 'id' | 'tenantId' | 'orderingKey'>): string {
  return JSON.stringify(orderingKey === null ? [id] : [tenantId, orderingKey])
}
