/**
 * Moves leased deliveries to their attempts: claims when there is room, queues fairly, starts what may start,
 * hands outcomes to the recorder. Two ways lead in:
 *
 *     publish ── reserve ─► (insert, leased) ── accept ─►┐
 *                                                        ├─► attempt ─► recorder
 *     claim ── as much as there is room ─► fair queue ───┘
 *
 * A lease is measured from before the claim or insert was sent. Immediately before an attempt what is left of
 * it must cover the longest attempt; if it does not, the delivery is let go without one. Whatever else cannot
 * start soon is given back as well: a lease that ends in memory would count as a lost claim.
 */
import { decideLostClaim } from '../core/lost-claims.ts'
import type { EndpointHealth } from '../core/model.ts'
import type { ClaimedDelivery } from '../store/port.ts'
import { AloneTurns } from './alone-turns.ts'
import { runAttempt } from './attempt.ts'
import { Claimer } from './claimer.ts'
import type { DispatcherOptions } from './dispatcher-options.ts'
import { FairQueue } from './fair-queue.ts'
import { lastsAnAttempt, leaseLength } from './lease.ts'
import { LeaseReturns } from './lease-returns.ts'
import type { Target, TenantRouting } from './routing-cache.ts'
import { type Observed, TargetLoad } from './target-load.ts'
import { TargetShares } from './target-shares.ts'
import { giveUp, observe, toWork, type Work } from './work.ts'

const silenceCheckMs = 200
/** Until a slow target that has no slot is looked at again. */
const heldBackMs = 1000
/** Until a delivery that may not wait here is looked at again; without a pause claims could come in a circle. */
const notHereMs = 50
/** Until a delivery whose endpoint or routing could not be found is tried again. */
const unroutedMs = 1000

export class Dispatcher {
  readonly leaseMs: number
  readonly #options: DispatcherOptions
  readonly #load: TargetLoad
  readonly #shares: TargetShares | null
  readonly #queue = new FairQueue<Work>()
  /** End of the pause by target. */
  readonly #paused = new Map<string, number>()
  readonly #running = new Set<Promise<void>>()
  /** Deliveries in flight by id, to release those that a deadline cuts off. */
  readonly #inFlight = new Map<string, Work>()
  readonly #alone = new AloneTurns<Work>()
  readonly #returns: LeaseReturns
  readonly #claimer: Claimer
  #state: 'idle' | 'running' | 'stopping' = 'idle'
  #stopped: Promise<void> | null = null
  #cancelSilenceTimer: (() => void) | null = null

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.leaseMs = leaseLength(options.sender.totalTimeoutMs)
    this.#load = new TargetLoad(options.clock, options.maxInFlight)
    this.#shares = TargetShares.create({
      ...options,
      load: this.#load,
      giveBack: (targetId) =>
        this.#giveBackQueued((work) => targetId === null || work.targetId === targetId, 0),
      onSlots: () => this.wake(),
    })
    this.#load.shares = this.#shares
    this.#returns = new LeaseReturns({ ...options, onReturned: (delayMs) => this.wake(delayMs) })
    this.#claimer = new Claimer({
      ...options,
      leaseMs: this.leaseMs,
      returns: this.#returns,
      load: this.#load,
      shares: this.#shares,
      waiting: () => this.#queue.size,
      room: () => this.#claimRoom(),
      onClaimed: (deliveries, leasedAt) => this.#takeIn(deliveries, leasedAt),
      onTurn: () => this.#pump(),
    })
  }

  get inFlight(): number {
    return this.#load.inFlight
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.#shares?.start()
    this.#watchSilence()
    this.wake()
  }

  /** There may be due work now, or after `delayMs`. */
  wake(delayMs = 0): void {
    this.#claimer.expectWork(delayMs)
    this.#pump()
  }

  /** Something that kept work from starting is over. */
  resume(): void {
    this.#pump()
  }

  /** What was claimed before a pause waits in the store from then on, burning no attempts; its end wakes a claim. */
  setHealth(targetId: string, health: Pick<EndpointHealth, 'pausedUntil'> | null): void {
    const pausedUntil = health?.pausedUntil ?? null
    if (pausedUntil === null) {
      if (this.#paused.delete(targetId)) this.wake()
    } else if (this.#paused.get(targetId) !== pausedUntil) {
      this.#paused.set(targetId, pausedUntil)
      this.giveBackWaiting(targetId)
    }
  }

  /** Gives back what waits in memory for a target, or for all of a tenant: paused, disabled or no longer what it was. */
  giveBackWaiting(id: string): void {
    this.#giveBackQueued((work) => work.targetId === id || work.tenantId === id, 0)
  }

  /** Gives back one lease whose outcome nobody will record. */
  giveBackLease(delivery: ClaimedDelivery, delayMs: number): void {
    this.#returns.give([delivery], delayMs, true)
  }

  /** Takes a slot for a delivery that is about to be inserted; false when it has to go through the backlog. */
  reserve(target: Target): boolean {
    this.#claimer.countPublished()
    const may =
      this.#state === 'running' &&
      !this.#alone.active &&
      this.#options.canRecord() &&
      !this.#paused.has(target.id) &&
      this.#load.queuedAt(target.id) === 0 &&
      this.#load.hasSlot(target.id, target.endpoint)
    if (may) this.#load.start(target.id, target.endpoint)
    return may
  }

  /** The reserved delivery was not inserted as leased. */
  giveBack(targetId: string): void {
    this.#load.finish(targetId, null)
    this.#slotFreed(targetId)
  }

  /** The reserved delivery is committed and leased to this node since `leasedAt` (elapsed scale). */
  accept(delivery: ClaimedDelivery, routing: TenantRouting, leasedAt: number): void {
    const work = this.#toWork(delivery, routing, leasedAt)
    if (work === null) this.giveBack(delivery.targetId)
    else this.#run(work)
  }

  /**
   * Stops claiming, releases what has not started, waits for what is in flight until `deadlineMs` is over and
   * then releases that as well. No attempt is counted for what was released, and its request goes on until
   * the sender is closed.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs)
    return this.#stopped
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#state = 'stopping'
    this.#cancelSilenceTimer?.()
    await this.#claimer.stop()
    await this.#shares?.stop()
    this.#giveBack([...this.#queue.drain(), ...this.#alone.drain()], 0)
    // Failing that, the leases end by themselves.
    await this.#returns.flush().catch(() => {})
    await this.#waitForRunning(deadlineMs)
    // Past the deadline an attempt may still end well, so the next one waits for the outcome to be plain.
    this.#giveBack([...this.#inFlight.values()], 1000, true)
    await this.#returns.flush().catch(() => {})
    this.#inFlight.clear()
  }

  async #waitForRunning(deadlineMs: number): Promise<void> {
    const { promise: deadline, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.clock.schedule(deadlineMs, resolve)
    await Promise.race([deadline, Promise.allSettled(this.#running)])
    cancel()
  }

  #giveBack(works: readonly Work[], delayMs: number, sent = false): void {
    const deliveries = works.map((work) => work.delivery)
    this.#returns.give(deliveries, delayMs, sent)
  }

  #giveBackQueued(judge: (work: Work) => boolean, delayMs: number): readonly Work[] {
    const works = this.#queue.remove(judge)
    for (const work of works) this.#load.dequeue(work.targetId)
    this.#giveBack(works, delayMs)
    return works
  }

  #pump(): void {
    if (this.#state !== 'running') return
    if (this.#options.canRecord()) this.#startWaiting()
    this.#claimer.claimIfUseful()
  }

  #startWaiting(): void {
    this.#startAlone()
    if (this.#alone.active) return
    while (this.#load.freeForBacklog > 0) {
      const work = this.#queue.take((item) =>
        this.#load.hasSlot(item.targetId, item.target.endpoint) ? 'take' : 'skip',
      )
      if (work === undefined) return
      this.#load.dequeue(work.targetId)
      this.#load.start(work.targetId, work.target.endpoint)
      this.#run(work)
    }
  }

  #startAlone(): void {
    while (this.#alone.active && this.#load.inFlight === 0) {
      const now = this.#options.clock.elapsed()
      const work = this.#alone.next(now)
      if (work === undefined) {
        const { items, delayMs } = this.#alone.takeLeft(now)
        this.#giveBack(items, delayMs)
        return
      }
      if (this.#load.hasSlot(work.targetId, work.target.endpoint)) {
        this.#load.start(work.targetId, work.target.endpoint)
        this.#run(work)
      } else {
        this.#alone.done(work)
        this.#giveBack([work], heldBackMs)
      }
    }
  }

  /** What waits and cannot start: its lease has become too short, or its target may keep nothing waiting. */
  #giveBackStuck(): void {
    const now = this.#options.clock.elapsed()
    const { totalTimeoutMs } = this.#options.sender
    this.#giveBackQueued((work) => !lastsAnAttempt(work.leaseEndsAt - now, totalTimeoutMs), 0)
    const held = this.#giveBackQueued(
      ({ targetId, target }) => this.#load.isSlow(targetId) && !this.#load.hasSlot(targetId, target.endpoint),
      heldBackMs,
    )
    for (const work of held) this.#load.holdBack(work.targetId)
    this.#giveBackQueued(({ targetId, target }) => !this.#load.mayWait(targetId, target.endpoint), notHereMs)
  }

  /** The slot is taken already. */
  #run(work: Work): void {
    const leftMs = work.leaseEndsAt - this.#options.clock.elapsed()
    const lasts = lastsAnAttempt(leftMs, this.#options.sender.totalTimeoutMs)
    if (!lasts || this.#shares?.isUsable === false) {
      const context = { deliveryId: work.delivery.id }
      this.#options.logger.warn(context, 'lease too short for an attempt, delivery let go')
      this.#finish(work, null)
      this.#giveBack([work], 0)
      return
    }
    this.#inFlight.set(work.delivery.id, work)
    const running = runAttempt(work.delivery, work, this.#options).then((outcome) => {
      this.#running.delete(running)
      // Past the drain deadline it was given back, and the outcome is no longer this node's to record.
      const mine = this.#inFlight.delete(work.delivery.id)
      this.#finish(work, observe(outcome))
      if (mine) this.#options.onOutcome(outcome, work.delivery, work.target)
      this.#slotFreed(work.targetId)
    })
    this.#running.add(running)
  }

  #finish(work: Work, observed: Observed | null): void {
    this.#load.finish(work.targetId, observed)
    this.#alone.done(work)
  }

  #slotFreed(targetId: string): void {
    this.#claimer.countFreedSlot(targetId)
    this.#pump()
  }

  /** Free slots and a small prefetch, less what waits already. */
  #claimRoom(): number {
    if (!this.#options.canRecord() || this.#shares?.isUsable === false) return 0
    const mayJoinTurn = this.#load.inFlight === 0 && this.#alone.wantsMore(this.#options.clock.elapsed())
    if (this.#alone.active && !mayJoinTurn) return 0
    const prefetch = Math.ceil(this.#options.maxInFlight / 4)
    return this.#load.freeForBacklog + prefetch - this.#queue.size
  }

  async #takeIn(deliveries: readonly ClaimedDelivery[], leasedAt: number): Promise<void> {
    await this.#enqueue(deliveries, leasedAt)
    await this.#alone.holdOne(this.#load.inFlight === 0, (works) => this.#giveBackAll(works))
    if (this.#state !== 'running' || !this.#options.canRecord()) return
    this.#startWaiting()
    this.#giveBackStuck()
  }

  /** With all that waits besides: what runs alone is the only lease, and durably so. */
  async #giveBackAll(works: readonly Work[]): Promise<void> {
    this.#giveBack(works, 0)
    this.#giveBackQueued(() => true, 0)
    await this.#returns.flush()
  }

  async #enqueue(deliveries: readonly ClaimedDelivery[], leasedAt: number): Promise<void> {
    for (const [index, delivery] of deliveries.entries()) {
      try {
        const known = this.#options.routing.peek(delivery.tenantId)
        const routing = known ?? (await this.#options.routing.get(delivery.tenantId))
        const work = this.#toWork(delivery, routing, leasedAt)
        if (work !== null) this.#place(work)
      } catch (error) {
        this.#returns.give(deliveries.slice(index), unroutedMs)
        throw error
      }
    }
  }

  #place(work: Work): void {
    const step = decideLostClaim(work.delivery.lostClaims, work.policy.maxAttempts)
    if (step.kind === 'dead_letter') {
      this.#options.onOutcome(giveUp(work, step.finalError), work.delivery, work.target)
    } else if (step.kind === 'run_alone') {
      const delayMs = this.#alone.admit(work, this.#options.clock.elapsed())
      if (delayMs > 0) this.#giveBack([work], delayMs)
    } else {
      this.#queue.push(work)
      this.#load.enqueue(work.targetId, work.target.endpoint)
    }
  }

  /** Null when its endpoint is gone: the lease is given back, and the next claim cancels or parks the delivery. */
  #toWork(delivery: ClaimedDelivery, routing: TenantRouting, leasedAt: number): Work | null {
    const work = toWork(delivery, routing, leasedAt + this.leaseMs)
    if (work === null) {
      this.#returns.give([delivery], unroutedMs)
      this.#options.routing.invalidate(delivery.tenantId)
    }
    return work
  }

  #watchSilence(): void {
    this.#cancelSilenceTimer = this.#options.clock.schedule(silenceCheckMs, () => {
      this.#load.markSilent()
      this.#pump()
      this.#giveBackStuck()
      if (this.#state === 'running') this.#watchSilence()
    })
  }
}
