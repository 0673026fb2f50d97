import { isStoreRefusal, OuthookError } from '../core/errors.ts'
import { limits } from '../core/model.ts'
import type { TenantRouting } from '../delivery/routing-cache.ts'
import type { PublishResult } from '../store/port.ts'
import { planEvent } from './plan-event.ts'
import { planSend } from './plan-send.ts'
import { PublishQueue, type Waiting } from './publish-queue.ts'
import {
  checkRequest,
  KeyHeldError,
  type PublishReceipt,
  type PublishRequest,
  refusalOf,
  type SendRequest,
  unavailable,
} from './publish-request.ts'
import { PublishTimeouts } from './publish-timeouts.ts'
import type { PublisherOptions } from './publisher-options.ts'

export type { PublishReceipt, PublishRequest, SendRequest } from './publish-request.ts'

import { Admission } from './admission.ts'
import { Commits } from './commits.ts'
import { DeliveriesFirst } from './deliveries-first.ts'
import { cancelHandOffs, handOver, type Plan, type ReservedEvent, reserveHandOffs } from './hand-off.ts'
import { TurnEnd } from './turn-end.ts'

const maxBatchDeliveries = limits.maxDeliveriesAtOnce
const maxBatchBytes = 4 * 1024 * 1024
/** What a waiting event takes besides its payload, about. */
const eventOverheadBytes = 1024
/** Replans after somebody changed the routing between plan and commit. */
const maxReplans = 20

export class Publisher {
  readonly #options: PublisherOptions
  readonly #queue: PublishQueue
  /** Plans and starts commits, one batch after the other. */
  #starting: Promise<void> | null = null
  readonly #turnEnd = new TurnEnd(() => this.#write())
  readonly #commits: Commits
  /** Of each commit that is under way. Not a set: see `core/linked-list.ts`. */
  readonly #inCommit: (readonly Waiting[])[] = []
  readonly #admission: Admission
  readonly #timeouts: PublishTimeouts
  readonly #deliveriesFirst: DeliveriesFirst | null
  #closed = false

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#queue = new PublishQueue(options.clock, () => this.#write())
    this.#admission = new Admission(options.rates, this.#queue)
    this.#timeouts = new PublishTimeouts({
      ...options,
      waiting: () => [...this.#inCommit.flat(), ...this.#queue.all()],
    })
    const { clock, dispatcher, busy, pace } = options
    this.#commits = new Commits({
      clock,
      pace,
      // Those whose events have just become durable publish their next ones in this turn.
      onRoom: () => (this.#closed ? this.#write() : this.#writeAfterTurn()),
    })
    this.#deliveriesFirst =
      dispatcher && new DeliveriesFirst({ clock, busy, pressure: () => dispatcher.pressure })
  }

  /** Resolves once the event is durable. Errors: invalid_body, invalid_request, payload_too_large, payload_mismatch, idempotency_conflict, backlog_full, store_unavailable, shutting_down; of a direct send endpoint_not_available. */
  publish(request: PublishRequest | SendRequest): Promise<PublishReceipt> {
    try {
      return this.#enqueue(request)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Each on its own: a refused one hinders no other. In request order. */
  publishMany(requests: readonly PublishRequest[]): Promise<PromiseSettledResult<PublishReceipt>[]> {
    return Promise.allSettled(requests.map((request) => this.publish(request)))
  }

  /** Refuses new events and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true
    this.#write()
    while (this.#starting !== null || this.#commits.all.length > 0 || this.#admission.asking.size > 0) {
      await this.#starting
      await Promise.all([...this.#commits.all, ...this.#admission.asking])
    }
    this.#timeouts.stop()
    for (const waiting of this.#queue.takeHeld()) {
      waiting.settle.reject(unavailable('the idempotency key is in use by an open transaction'))
    }
  }

  #enqueue(given: PublishRequest | SendRequest): Promise<PublishReceipt> {
    if (this.#closed)
      throw new OuthookError('shutting_down', this.#options.words.stopped, {
        retryAfterSeconds: 1,
      })
    const request = checkRequest(given, this.#options)
    const bytes = request.payload.length + eventOverheadBytes
    if (!this.#queue.hasRoom(bytes)) {
      throw unavailable('too many events are waiting to be written; send the event again')
    }
    const waiting: Waiting = {
      request,
      settle: Promise.withResolvers(),
      enqueuedAt: this.#options.clock.elapsed(),
      bytes,
      plan: null,
      isPaid: request.topic !== null && request.operational !== undefined,
      replans: 0,
      timedOut: false,
    }
    this.#queue.add(waiting)
    this.#writeAfterTurn()
    this.#timeouts.watch()
    return waiting.settle.promise
  }

  #writeAfterTurn(): void {
    if (this.#starting === null && this.#commits.hasRoom) this.#turnEnd.come()
  }

  #write(): void {
    if (!this.#queue.isEmpty && this.#commits.hasRoom) this.#starting ??= this.#startCommits()
  }

  async #startCommits(): Promise<void> {
    while (!this.#queue.isEmpty && this.#commits.hasRoom) {
      const turn = this.#deliveriesFirst?.turn() ?? null
      if (turn !== null) await turn
      const batch = await this.#planBatch()
      if (batch.length > 0) this.#commits.begin(batch.length, () => this.#commit(batch))
    }
    this.#starting = null
  }

  /** Takes what fits into one transaction off the queue; one bigger fan-out goes alone. */
  async #planBatch(): Promise<Waiting[]> {
    const batch: Waiting[] = []
    let deliveries = 0
    let bytes = 0
    for (const waiting of this.#queue.inOrder()) {
      const { tenantId, payload } = waiting.request
      try {
        const routing = this.#options.routing.peek(tenantId) ?? (await this.#options.routing.get(tenantId))
        waiting.plan = waiting.timedOut ? null : (waiting.plan ?? this.#plan(waiting, routing))
      } catch (error) {
        waiting.settle.reject(error)
        waiting.plan = null
      }
      if (waiting.plan === null) {
        batch.push(waiting)
        continue
      }
      deliveries += waiting.plan.event.deliveries.length
      bytes += payload.length
      if (batch.length > 0 && (deliveries > maxBatchDeliveries || bytes > maxBatchBytes)) break
      batch.push(waiting)
      if (batch.length >= maxBatchDeliveries) break
    }
    this.#queue.removeFirst(batch.length)
    return batch.filter((waiting) => waiting.plan !== null)
  }

  /** Null: it is out of the queue until its tenant's rate is known. */
  #plan(waiting: Waiting, routing: TenantRouting): Plan | null {
    const { request } = waiting
    const { ids, idempotencyTtlMs: ttlMs } = this.#options
    if (!this.#admission.admit(waiting, routing.tenant)) return null
    const idempotency = request.idempotency && { ...request.idempotency, ttlMs }
    if (request.topic === null) return planSend({ ...request, idempotency }, routing, ids)
    const planning = { ids, payloads: this.#options.payloads, isAgain: waiting.replans > 0 }
    return planEvent({ ...request, idempotency }, routing, planning)
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    this.#inCommit.push(batch)
    try {
      const error = await this.#tryCommit(batch)
      if (error === null) return
      // A refused row is only its own event's fault: each gets a try alone.
      const alone = isStoreRefusal(error) && batch.length > 1
      for (const waiting of batch) {
        const failed = alone ? await this.#tryCommit([waiting]) : error
        if (failed !== null) waiting.settle.reject(failed)
      }
    } finally {
      this.#inCommit.splice(this.#inCommit.indexOf(batch), 1)
    }
  }

  /** Null: written, and every caller has an answer or a new plan. Otherwise the store's error. */
  async #tryCommit(batch: readonly Waiting[]): Promise<unknown> {
    const { dispatcher, store, clock } = this.#options
    const leasedAt = clock.elapsed()
    const reserved = batch.map(({ plan }) => reserveHandOffs(plan as Plan, dispatcher))
    const leaseMs = dispatcher?.leaseMs ?? 0
    let results: readonly PublishResult[]
    try {
      const events = reserved.map(({ event }) => event)
      results = await store.publish(events, {
        leaseMs,
        mayWaitInMemory: dispatcher !== null,
        maxOrderedBacklog: this.#options.maxOrderedBacklog,
      })
    } catch (error) {
      for (const event of reserved) cancelHandOffs(event)
      return error
    }
    let backlog = false
    batch.forEach((waiting, index) => {
      const left = this.#settle(waiting, reserved[index] as ReservedEvent, {
        result: results[index] as PublishResult,
        leaseEndsAt: leasedAt + leaseMs,
      })
      backlog ||= left
    })
    if (backlog) dispatcher?.wake()
    return null
  }

  /** True when some of the event's deliveries wait in the store. */
  #settle(
    waiting: Waiting,
    reserved: ReservedEvent,
    { result, leaseEndsAt }: { readonly result: PublishResult; readonly leaseEndsAt: number },
  ): boolean {
    const { event } = reserved
    const { routing, refusal, warnings } = waiting.plan as Plan
    if (result.kind !== 'published') cancelHandOffs(reserved)
    if (refusal !== null && result.kind !== 'replayed' && result.kind !== 'key_held') {
      waiting.settle.reject(refusal)
      return false
    }
    switch (result.kind) {
      case 'published': {
        const deliveryIds = event.deliveries.map((delivery) => delivery.id)
        const state = event.receivers === undefined ? 'fanned_out' : 'accepted'
        const filteredSubscriptions = event.filteredSubscriptions ?? 0
        if (filteredSubscriptions > 0) this.#options.onFiltered(filteredSubscriptions)
        const { id: eventId } = event
        const replayed = false
        waiting.settle.resolve({ eventId, deliveryIds, state, filteredSubscriptions, replayed, warnings })
        if (state === 'accepted') this.#options.onAccepted()
        const createdAt = this.#options.time.now()
        return handOver(reserved, { routing, handedOff: result.handedOff, leaseEndsAt, createdAt })
      }
      case 'replayed': {
        const { eventId, deliveryIds, state, filteredSubscriptions } = result
        const replayed = true
        waiting.settle.resolve({ eventId, deliveryIds, state, filteredSubscriptions, replayed, warnings })
        return false
      }
      case 'conflict':
      case 'backlog_full':
        waiting.settle.reject(refusalOf(result.kind))
        return false
      case 'stale_routing':
        this.#options.routing.invalidate(event.tenantId)
        this.#replan(waiting)
        return false
      case 'key_held':
        if (waiting.request.topic !== null && waiting.request.refuseHeld) {
          waiting.settle.reject(new KeyHeldError())
        } else this.#queue.hold(waiting)
        return false
    }
  }

  #replan(waiting: Waiting): void {
    if (++waiting.replans > maxReplans) {
      waiting.settle.reject(
        unavailable('subscriptions change faster than the event can be written; send it again'),
      )
      return
    }
    waiting.plan = null
    // At the end: the next batch may be in the making.
    this.#queue.add(waiting)
  }
}
