/**
 * Moves leased deliveries to their attempts: claims when there is room, queues fairly, starts what may start,
 * hands outcomes to the recorder. Two ways lead in:
 *
 *     publish ── reserve ─► (insert, leased) ── accept ─►┐
 *                                                        ├─► attempt ─► recorder
 *     claim ── as much as there is room ─► fair queue ───┘
 *
 * A lease is measured from before the claim or insert was sent. Immediately before an attempt what is left of
 * it must cover the longest attempt; if it does not, the delivery is let go without one.
 */
import type { Clock } from '../core/clock.ts'
import { decideLostClaim } from '../core/lost-claims.ts'
import type { Logger } from '../core/logger.ts'
import type { EndpointHealth } from '../core/model.ts'
import type { RetryPolicy } from '../core/retry-policy.ts'
import type { Sender } from '../sender/port.ts'
import type { ClaimedDelivery, DeliveryOutcome, DeliveryStore, Release } from '../store/port.ts'
import { type AttemptDeps, runAttempt } from './attempt.ts'
import { FairQueue } from './fair-queue.ts'
import type { RoutingCache, Target, TenantRouting } from './routing-cache.ts'
import { TargetLoad } from './target-load.ts'

/** Kept back from a lease for recording the outcome and for clocks that disagree. */
const leaseMarginMs = 3000
/** Time a claimed delivery may wait in memory for a slot before its lease is too short. */
const queueTimeMs = 12_000
const maxClaimBytes = 8 * 1024 * 1024
const silenceCheckMs = 200
/** A claim at least this often, in case a wake-up was lost. */
const idleClaimMs = 2000

export interface DispatcherOptions {
  readonly store: Pick<DeliveryStore, 'claim' | 'release'>
  readonly sender: Sender
  readonly routing: RoutingCache
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly userAgent: string
  /** Requests in flight on this node. */
  readonly maxInFlight: number
  readonly onOutcome: (outcome: DeliveryOutcome, delivery: ClaimedDelivery, target: Target) => void
  /** False while outcomes cannot be recorded: then nothing new starts. */
  readonly canRecord: () => boolean
}

interface Work {
  readonly tenantId: string
  readonly targetId: string
  readonly delivery: ClaimedDelivery
  readonly target: Target
  readonly policy: RetryPolicy
  /** On the elapsed scale. */
  readonly leaseEndsAt: number
}

export class Dispatcher {
  readonly leaseMs: number
  readonly #options: DispatcherOptions
  readonly #attemptDeps: AttemptDeps
  readonly #load: TargetLoad
  readonly #queue = new FairQueue<Work>()
  readonly #paused = new Set<string>()
  readonly #running = new Set<Promise<void>>()
  /** Deliveries in flight by id, to release those that a deadline cuts off. */
  readonly #inFlight = new Map<string, Work>()
  #suspects: Work[] = []
  #suspectRunning = false
  #state: 'idle' | 'running' | 'stopping' = 'idle'
  #stopped: Promise<void> | null = null
  #claiming: Promise<void> | null = null
  /** When the next claim may find something, on the elapsed scale. */
  #nextClaimAt = 0
  /** Slots freed since a claim left due work for want of slots; -1 when none did. */
  #freedSinceLeft = -1
  #cancelClaimTimer: (() => void) | null = null
  #cancelSilenceTimer: (() => void) | null = null
  #claimFailures = 0

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#attemptDeps = options
    this.#load = new TargetLoad(options.clock, options.maxInFlight)
    this.leaseMs = options.sender.totalTimeoutMs + leaseMarginMs + queueTimeMs
  }

  get inFlight(): number {
    return this.#load.inFlight
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.#watchSilence()
    this.wake()
  }

  /** There may be due work now, or after `delayMs`. */
  wake(delayMs = 0): void {
    this.#nextClaimAt = Math.min(this.#nextClaimAt, this.#options.clock.elapsed() + delayMs)
    this.#pump()
  }

  setHealth(targetId: string, health: EndpointHealth | null): void {
    if (health === null || health.pausedUntil === null) this.#paused.delete(targetId)
    else this.#paused.add(targetId)
  }

  /** Takes a slot for a delivery that is about to be inserted; false when it has to go through the backlog. */
  reserve(target: Target): boolean {
    const may =
      this.#state === 'running' &&
      this.#suspects.length === 0 &&
      !this.#suspectRunning &&
      this.#options.canRecord() &&
      !this.#paused.has(target.id) &&
      this.#load.queuedAt(target.id) === 0 &&
      this.#load.hasSlot(target.id, target.endpoint.maxInFlight)
    if (may) this.#load.start(target.id, target.endpoint.maxInFlight)
    return may
  }

  /** The reserved delivery was not inserted as leased. */
  giveBack(targetId: string): void {
    this.#load.finish(targetId, null)
    this.#slotFreed()
  }

  /** The reserved delivery is committed and leased to this node since `leasedAt` (elapsed scale). */
  accept(delivery: ClaimedDelivery, routing: TenantRouting, leasedAt: number): void {
    const work = this.#toWork(delivery, routing, leasedAt)
    if (work === null) this.giveBack(delivery.targetId)
    else this.#run(work)
  }

  /**
   * Stops claiming, releases what has not started, waits for what is in flight until `deadlineMs` is over and
   * then releases that as well. No attempt is counted for what was released.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs)
    return this.#stopped
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#state = 'stopping'
    this.#cancelClaimTimer?.()
    this.#cancelSilenceTimer?.()
    await this.#claiming
    const waiting = [...this.#queue.drain(), ...this.#suspects.splice(0)]
    await this.#release(waiting, 0)
    await this.#waitForRunning(deadlineMs)
    await this.#release([...this.#inFlight.values()], 1000)
    this.#inFlight.clear()
  }

  async #waitForRunning(deadlineMs: number): Promise<void> {
    const { promise: deadline, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.clock.schedule(deadlineMs, resolve)
    await Promise.race([deadline, Promise.allSettled(this.#running)])
    cancel()
  }

  async #release(works: readonly Work[], delayMs: number): Promise<void> {
    if (works.length === 0) return
    const releases: Release[] = works.map(({ delivery }) => ({
      deliveryId: delivery.id,
      claimVersion: delivery.claimVersion,
      delayMs,
    }))
    // Failing that, the leases end by themselves.
    await this.#options.store
      .release(releases)
      .catch((error: unknown) => this.#options.logger.warn({ err: error, deliveries: releases.length }, 'leases could not be given back'))
  }

  #pump(): void {
    if (this.#state !== 'running') return
    if (this.#options.canRecord()) this.#startQueued()
    this.#claimIfUseful()
  }

  #startQueued(): void {
    while (!this.#suspectRunning) {
      const suspect = this.#suspects[0]
      if (suspect !== undefined) {
        // It ended three workers: it runs with nothing else in flight, so that it takes nobody with it.
        if (this.#load.inFlight > 0) return
        this.#suspects.shift()
        this.#suspectRunning = true
        this.#load.start(suspect.targetId, suspect.target.endpoint.maxInFlight)
        this.#run(suspect)
        return
      }
      const work = this.#queue.take((item) =>
        this.#load.hasSlot(item.targetId, item.target.endpoint.maxInFlight) ? 'take' : 'skip',
      )
      if (work === undefined) return
      this.#load.dequeue(work.targetId)
      this.#load.start(work.targetId, work.target.endpoint.maxInFlight)
      this.#run(work)
    }
  }

  /** The slot is taken already. */
  #run(work: Work): void {
    const left = work.leaseEndsAt - this.#options.clock.elapsed()
    if (left < this.#options.sender.totalTimeoutMs + leaseMarginMs) {
      this.#letGo(work)
      return
    }
    this.#inFlight.set(work.delivery.id, work)
    const running = runAttempt(work.delivery, work, this.#attemptDeps).then((outcome) => {
      this.#running.delete(running)
      // Past the drain deadline it was released, and the outcome is no longer this node's to record.
      const mine = this.#inFlight.delete(work.delivery.id)
      this.#finish(work, outcome.attempt?.latencyMs ?? null)
      if (mine) this.#options.onOutcome(outcome, work.delivery, work.target)
      this.#slotFreed()
    })
    this.#running.add(running)
  }

  #letGo(work: Work): void {
    this.#options.logger.warn({ deliveryId: work.delivery.id }, 'lease too short for an attempt, delivery let go')
    this.#finish(work, null)
    void this.#release([work], 0).then(() => this.wake())
  }

  #finish(work: Work, latencyMs: number | null): void {
    this.#load.finish(work.targetId, latencyMs)
    if (decideLostClaim(work.delivery.lostClaims, work.policy.maxAttempts).kind === 'run_alone') {
      this.#suspectRunning = false
    }
  }

  #slotFreed(): void {
    if (this.#freedSinceLeft >= 0) this.#freedSinceLeft++
    this.#pump()
  }

  #claimIfUseful(): void {
    if (this.#claiming !== null || !this.#options.canRecord() || this.#suspects.length > 0) return
    const room = this.#claimRoom()
    if (room <= 0) return
    // Due work that was left for want of slots: wait until a few are free, or each claim brings one row.
    const enoughFreed = this.#freedSinceLeft >= Math.max(1, Math.min(32, this.#load.inFlight >> 1))
    const leftNow = this.#freedSinceLeft >= 0 && (enoughFreed || this.#queue.size === 0) && this.#freedSinceLeft > 0
    const waitMs = this.#nextClaimAt - this.#options.clock.elapsed()
    if (waitMs > 0 && !leftNow) {
      this.#claimLater(waitMs)
      return
    }
    this.#claiming = this.#claim(room).finally(() => {
      this.#claiming = null
      this.#pump()
    })
  }

  /** Free slots and a small prefetch, less what waits already. */
  #claimRoom(): number {
    const prefetch = Math.ceil(this.#options.maxInFlight / 4)
    return this.#load.freeForBacklog + prefetch - this.#queue.size
  }

  #claimLater(delayMs: number): void {
    this.#cancelClaimTimer?.()
    this.#cancelClaimTimer = this.#options.clock.schedule(delayMs, () => this.#pump())
  }

  async #claim(limit: number): Promise<void> {
    const leasedAt = this.#options.clock.elapsed()
    this.#nextClaimAt = leasedAt + idleClaimMs
    this.#freedSinceLeft = -1
    try {
      const result = await this.#options.store.claim({
        limit,
        maxBytes: maxClaimBytes,
        leaseMs: this.leaseMs,
        slots: this.#load.claimSlots(),
      })
      this.#claimFailures = 0
      if (result.nextDueMs === 0) this.#freedSinceLeft = 0
      const dueAt = this.#options.clock.elapsed() + (result.nextDueMs || idleClaimMs)
      this.#nextClaimAt = Math.min(this.#nextClaimAt, dueAt)
      await this.#enqueue(result.deliveries, leasedAt)
    } catch (error) {
      const waitMs = Math.min(2000, 50 * 2 ** this.#claimFailures++)
      this.#nextClaimAt = this.#options.clock.elapsed() + waitMs
      this.#options.logger.warn({ err: error }, 'deliveries could not be claimed, trying again')
    }
  }

  async #enqueue(deliveries: readonly ClaimedDelivery[], leasedAt: number): Promise<void> {
    for (const delivery of deliveries) {
      const known = this.#options.routing.peek(delivery.tenantId)
      const routing = known ?? (await this.#options.routing.get(delivery.tenantId))
      const work = this.#toWork(delivery, routing, leasedAt)
      if (work !== null) this.#place(work)
    }
  }

  #place(work: Work): void {
    const step = decideLostClaim(work.delivery.lostClaims, work.policy.maxAttempts)
    if (step.kind === 'dead_letter') {
      const { id: deliveryId, claimVersion } = work.delivery
      const next = { state: 'dead_lettered', finalError: step.finalError } as const
      const outcome = { deliveryId, claimVersion, attempt: null, next, observation: null, disableEndpoint: null }
      this.#options.onOutcome(outcome, work.delivery, work.target)
    } else if (step.kind === 'run_alone') {
      this.#suspects.push(work)
    } else {
      this.#queue.push(work)
      this.#load.enqueue(work.targetId, work.target.endpoint.maxInFlight)
    }
  }

  /** Null when its endpoint is gone: the lease is given back, and the next claim cancels or parks the delivery. */
  #toWork(delivery: ClaimedDelivery, routing: TenantRouting, leasedAt: number): Work | null {
    const target = routing.targets.get(delivery.targetId)
    if (target === undefined) {
      const release = { deliveryId: delivery.id, claimVersion: delivery.claimVersion, delayMs: 1000 }
      this.#options.store.release([release]).catch(() => {})
      this.#options.routing.invalidate(delivery.tenantId)
      return null
    }
    const policy = routing.policyOf(delivery.subscriptionId)
    const { tenantId, targetId } = delivery
    return { tenantId, targetId, delivery, target, policy, leaseEndsAt: leasedAt + this.leaseMs }
  }

  #watchSilence(): void {
    this.#cancelSilenceTimer = this.#options.clock.schedule(silenceCheckMs, () => {
      this.#load.markSilent()
      this.#pump()
      if (this.#state === 'running') this.#watchSilence()
    })
  }
}
