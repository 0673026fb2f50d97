/**
 * Moves leased deliveries to their attempts: claims when there is room, queues fairly, starts what may start,
 * hands outcomes to the recorder. Two ways lead in:
 *
 *     publish ── reserve a slot or a place ─► (insert, leased) ── accept ─┬─► attempt ─► recorder
 *                                                                         └─► fair queue ─► attempt …
 *     claim ── as much as there is room ─────────────────────────────────────► fair queue ─► attempt …
 *
 * What it does depends on its mode:
 *
 *     idle ── start ─► running ◄──► blocked   outcomes cannot be recorded: nothing starts, nothing is claimed
 *                         ▲ └─────► alone     suspects run, deliveries that lost several claims, and nothing beside them
 *                         └───────────┘
 *     any ── stop ─► stopping                 nothing starts; what waits is given back, what runs may end
 *
 * A lease is measured from before the claim or insert was sent. Immediately before an attempt what is left of
 * it must cover the longest attempt; if it does not, the delivery is let go without one. Whatever else cannot
 * start soon is given back as well: a lease that ends in memory would count as a lost claim.
 */
import type { EndpointHealth } from '../core/model.ts'
import type { ClaimedDelivery, HeardPace } from '../store/port.ts'
import { Claimer } from './claimer.ts'
import type { DispatcherOptions, Pressure } from './dispatcher-options.ts'
import type { Verdict } from './fair-queue.ts'
import { HandOffs } from './hand-offs.ts'
import { Intake } from './intake.ts'
import { LeaseLengths } from './lease-lengths.ts'
import { Leases } from './leases.ts'
import { Paces } from './paces.ts'
import type { Reservation } from './reservation.ts'
import type { Target } from './routing-cache.ts'
import { RunningAttempts } from './running-attempts.ts'
import { ShareBook } from './share-book.ts'
import { createRenewer, type ShareRenewer } from './share-renewer.ts'
import { SilenceWatch } from './silence-watch.ts'
import type { Slot } from './slot.ts'
import { Slots } from './slots.ts'
import { heldBackMs } from './stuck-work.ts'
import { observe, type Work } from './work.ts'

type Mode = 'idle' | 'running' | 'blocked' | 'alone' | 'stopping'

export class Dispatcher {
  readonly paces: Paces
  readonly #options: DispatcherOptions
  readonly #slots: Slots
  readonly #leases: Leases
  readonly #lengths: LeaseLengths
  readonly #book: ShareBook | null
  readonly #renewal: ShareRenewer | null
  readonly #intake: Intake
  readonly #claimer: Claimer
  readonly #handOffs: HandOffs
  /** End of the pause by target. */
  readonly #paused = new Map<string, number>()
  readonly #attempts: RunningAttempts
  readonly #silence: SilenceWatch
  #phase: 'idle' | 'running' | 'stopping' = 'idle'
  #stopped: Promise<void> | null = null
  #pumpPlanned = false

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { clock, logger, sender, store } = options
    this.#attempts = new RunningAttempts(options, (one, ms) => this.#leases.giveBack([one], ms))
    this.paces = new Paces(clock)
    this.#book = options.shares == null ? null : new ShareBook(clock)
    this.#lengths = new LeaseLengths(clock, sender.totalTimeoutMs)
    const [shares, paces, lengths, limit] = [this.#book, this.paces, this.#lengths, options.maxInFlight]
    this.#slots = new Slots({ clock, limit, shares, paces, maxWaitMs: lengths.maxWaitMs })
    this.#leases = new Leases({ store, logger, onReturned: (delayMs) => this.wake(delayMs) })
    const parts = { ...options, lengths, leases: this.#leases, slots: this.#slots, paces, shares }
    this.#intake = new Intake(parts)
    this.#renewal = createRenewer(options, {
      book: this.#book,
      use: this.#slots,
      giveBack: (targetId) =>
        this.#leases.giveBackWaiting((work) => (targetId === null || work.targetId === targetId ? 0 : null)),
      onRenewed: () => options.tellPaces?.(this.paces.keptHere()),
      onSlots: () => this.wake(),
    })
    this.#silence = new SilenceWatch({ ...parts, onLooked: () => this.#pump() })
    this.#handOffs = new HandOffs({
      ...parts,
      intake: this.#intake,
      mayHold: (targetId) => this.#phase === 'running' && !this.#paused.has(targetId),
      onSlot: (work, slot) => this.#run(work, slot),
      onHeld: () => {
        this.#silence.expectWork()
        this.#pumpSoon()
      },
      onSlotFreed: (targetId) => this.#slotFreed(targetId),
    })
    this.#claimer = new Claimer({
      ...parts,
      room: () => this.#claimRoom(),
      hold: (deliveries, leaseEndsAt) => this.#holdClaimed(deliveries, leaseEndsAt),
      onTurn: () => this.#turn(),
    })
  }

  get #mode(): Mode {
    if (this.#phase !== 'running') return this.#phase
    if (this.#options.recording() === 'blocked') return 'blocked'
    return this.#leases.alone ? 'alone' : 'running'
  }

  /** Why what is published now would soon find no place here: too much of it waits, or too many outcomes do. */
  get pressure(): Pressure | null {
    if (this.#options.recording() !== 'ready') return 'outcomes'
    return this.#slots.isFilling ? 'memory' : null
  }

  /** Of the leases that what is published now is to have. */
  get leaseMs(): number {
    return this.#lengths.ms
  }

  get inFlight(): number {
    return this.#slots.inFlight
  }

  start(): void {
    if (this.#phase !== 'idle') return
    this.#phase = 'running'
    this.#renewal?.start()
    this.#silence.start()
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

  /** Another node sends to the target, alone. */
  leavePace(pace: HeardPace): void {
    if (this.paces.leaveTo(pace)) this.giveBackWaiting(pace.targetId)
  }

  /** Gives back what waits in memory for a target, or for all of a tenant: paused, disabled or no longer what it was. */
  giveBackWaiting(id: string): void {
    this.#leases.giveBackWaiting((work) => (work.targetId === id || work.tenantId === id ? 0 : null))
  }

  /** Gives back one lease whose outcome nobody will record. */
  giveBackLease(delivery: ClaimedDelivery, delayMs: number): void {
    this.#leases.giveBack([delivery], delayMs, true)
  }

  /** For a delivery that is about to be inserted. Null when it has to go through the backlog. */
  reserve(target: Target, payloadBytes: number): Reservation | null {
    const mayTake = this.#mode === 'running' && !this.#paused.has(target.id)
    return mayTake ? this.#handOffs.reserve(target, payloadBytes) : null
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
    this.#phase = 'stopping'
    this.#silence.stop()
    await this.#claimer.stop()
    await this.#renewal?.stop()
    this.#leases.giveBackAll()
    // Failing that, the leases end by themselves.
    await this.#leases.flush().catch(() => {})
    await this.#attempts.waitForNone(deadlineMs, this.#options.clock)
    // Past the deadline an attempt may still end well, so the next one waits for the outcome to be plain.
    this.#leases.giveBack(this.#attempts.takeOut(), 1000, true)
    await this.#leases.flush().catch(() => {})
  }

  /** Once for all that happens in this turn of the event loop. */
  #pumpSoon(): void {
    if (this.#pumpPlanned) return
    this.#pumpPlanned = true
    queueMicrotask(() => {
      this.#pumpPlanned = false
      this.#pump()
    })
  }

  #pump(): void {
    switch (this.#mode) {
      case 'idle':
      case 'stopping':
        return
      case 'alone':
      case 'running':
        this.#startHeld()
    }
    this.#claimer.claimIfUseful()
  }

  /** An eighth of the slots is kept free of the backlog's work. */
  #startInTurn(work: Work): Verdict {
    if (this.#slots.freeForBacklog === 0 && !work.handedOff) {
      return this.#slots.isFull ? 'stop' : 'skip'
    }
    const slot = this.#slots.take(work.target)
    if (slot !== null) this.#run(work, slot)
    return slot !== null ? 'taken' : this.#slots.isFull ? 'stop' : 'skip'
  }

  /** What runs alone, and what waits in turn once nothing has to. */
  #startHeld(): void {
    while (this.#leases.alone) {
      const isQuiet = this.#slots.inFlight === 0
      const work = this.#leases.nextAlone(this.#options.clock.elapsed(), isQuiet)
      if (work === undefined) break
      const slot = this.#slots.take(work.target)
      if (slot !== null) {
        this.#run(work, slot)
      } else if (isQuiet) {
        this.#leases.doneAlone(work)
        this.#leases.giveBack([work.delivery], heldBackMs)
      } else {
        this.#leases.putBackAlone(work)
        break
      }
    }
    if (!this.#leases.alone) this.#leases.serve((work) => this.#startInTurn(work))
  }

  #run(work: Work, slot: Slot): void {
    if (!this.#lengths.cover(work) || this.#book?.isUsable === false) {
      const context = { deliveryId: work.delivery.id }
      this.#options.logger.warn(context, 'lease too short for an attempt, delivery let go')
      slot.done(null)
      this.#leases.doneAlone(work)
      this.#leases.giveBack([work.delivery], 0)
      return
    }
    this.#silence.expectWork()
    this.#attempts.start(work, (outcome, isOurs) => {
      slot.done(outcome && observe(outcome))
      this.#leases.doneAlone(work)
      if (isOurs && outcome !== null) this.#options.onOutcome(outcome, work.delivery, work.target)
      this.#slotFreed(work.targetId)
    })
  }

  #slotFreed(targetId: string): void {
    this.#claimer.countFreedSlot(targetId)
    this.#pump()
  }

  /** Free slots and a small prefetch, less what was claimed and waits already. */
  #claimRoom(): number {
    const mode = this.#mode
    if ((mode !== 'running' && mode !== 'alone') || this.#book?.isUsable === false) return 0
    if (mode === 'alone') {
      const isQuiet = this.#slots.inFlight === 0
      if (!isQuiet || !this.#leases.aloneWantsMore(this.#options.clock.elapsed())) return 0
    }
    const prefetch = Math.ceil(this.#options.maxInFlight / 4)
    return this.#slots.freeForBacklog + prefetch - this.#leases.claimed
  }

  #holdClaimed(deliveries: readonly ClaimedDelivery[], leaseEndsAt: number): Promise<void> | undefined {
    this.#silence.expectWork()
    const held = this.#intake.holdClaimed(deliveries, leaseEndsAt)
    if (held === undefined && !this.#leases.alone) return undefined
    return Promise.resolve(held).then(() => this.#leases.holdOneGroup(this.#slots.inFlight === 0))
  }

  /** The next claim goes out first: the store works at it while what the last one brought starts. */
  #turn(): void {
    this.#claimer.claimIfUseful()
    queueMicrotask(() => {
      this.#pump()
      this.#silence.giveBackStuck()
    })
  }
}
