/**
 * The slots of this node, each the right to have one request in flight, and the places in memory of what waits for one.
 *
 * Four rules keep endpoints from taking the node:
 * - a target has at most its endpoint's `maxInFlight` requests, or this node's share of them, and at most four until it
 *   has answered once;
 * - targets that are slow (recent attempts took long, or nothing came back for a while) share at most half of
 *   the node's slots, and keep nothing waiting in memory, where it would take the room of others;
 * - work from the backlog leaves an eighth of the slots to fresh events;
 * - the last eighth is for targets with few requests in flight, unless one has the node to itself: 16 receivers that
 *   answered after 0.8 s, which is not slow, took all 512 slots, and the p99 of 50 others went from 2 ms to 764.
 */
import type { Clock } from '../core/clock.ts'
import { KnownTargets } from './known-targets.ts'
import type { Paces } from './paces.ts'
import { Places } from './places.ts'
import type { Slot, SlotLimits, SlotTarget } from './slot.ts'
import {
  type Observed,
  observeAttempt,
  ownLimit,
  type TargetLimits,
  type TargetState,
  turnPeaks,
} from './target-state.ts'

/** An attempt of this length makes its target slow, and so does this long a silence with requests in flight. */
const slowMs = 1000
/** With so many requests in flight a target leaves the last slots of the node to others. */
const fewInFlight = 4
/** Deliveries that a claim may bring of a target at a pace that is not busy. */
const maxUnasked = 4

/** Handed-off deliveries that may wait for a slot of one target. */
const maxWaitingAtTarget = 256

export interface SlotsOptions {
  readonly clock: Clock
  /** Requests in flight on this node. */
  readonly limit: number
  /** Null: nobody else sends to the targets. */
  readonly shares: SlotLimits | null
  readonly paces: Paces
  /** How long a delivery may wait in memory and still have enough of its lease left for an attempt. */
  readonly maxWaitMs: number
}

export interface ClaimSlots {
  readonly slots: ReadonlyMap<string, number>
  readonly wantsMore: ReadonlySet<string>
}

export class Slots {
  readonly #options: SlotsOptions
  readonly #limit: number
  readonly #lastEighth: number
  readonly #slowLimit: number
  readonly #shares: SlotLimits | null
  readonly #paces: Paces
  readonly #targets = new KnownTargets()
  #marks = 0
  #inFlight = 0
  #slowInFlight = 0
  readonly #places = new Places()

  constructor(options: SlotsOptions) {
    this.#options = options
    this.#limit = options.limit
    this.#lastEighth = Math.floor(options.limit / 8)
    this.#slowLimit = Math.max(1, Math.floor(options.limit / 2))
    this.#shares = options.shares
    this.#paces = options.paces
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** What was handed off and waits takes more of its places in memory than it should. */
  get isFilling(): boolean {
    return this.#places.areFilling
  }

  /** No request may start, whatever its target. */
  get isFull(): boolean {
    return this.#inFlight >= this.#limit
  }

  /** Slots that claimed work may still take. */
  get freeForBacklog(): number {
    return Math.max(0, this.#limit - this.#lastEighth - this.#inFlight)
  }

  isSlow(targetId: string): boolean {
    return this.#targets.find(targetId)?.slow ?? false
  }

  waitingAt(targetId: string): number {
    return this.#targets.find(targetId)?.waiting ?? 0
  }

  inFlightAt(targetId: string): number {
    return this.#targets.find(targetId)?.inFlight ?? 0
  }

  /** The most requests to the target at one time since the mark before the last. */
  peakAt(targetId: string): number {
    const state = this.#targets.find(targetId)
    if (state === undefined) return 0
    turnPeaks(state, this.#marks)
    return Math.max(state.peak, state.peakBefore)
  }

  markPeaks(): void {
    this.#marks++
  }

  /**
   * Whether work for it may wait in memory: not when other nodes have all its slots, nor when it has spent a token. At a
   * pace it may, for its second at most, but not while the target is to be left alone.
   */
  mayWait({ id, endpoint }: SlotTarget): boolean {
    if (this.#shares?.of(id) === 0) return false
    return this.#paces.has(id) ? this.#paces.roomSoon(id) > 0 : endpoint.rateLimitRps === null
  }

  /** Whether one more request to the target may start now. */
  isFree({ id, endpoint }: SlotTarget): boolean {
    if (this.#inFlight >= this.#limit) return false
    const state = this.#targets.find(id)
    if (state === undefined) return this.#shares?.of(id) !== 0
    if (state.inFlight >= this.#limitOf(id, state, endpoint)) return false
    if (this.#paces.room(id) === 0) return false
    const isRest = this.#inFlight >= this.#limit - this.#lastEighth && state.inFlight < this.#inFlight
    if (isRest && state.inFlight >= fewInFlight) return false
    return !state.slow || this.#slowInFlight < this.#slowLimit
  }

  /** Null when the target has no free slot. */
  take(target: SlotTarget): Slot | null {
    if (!this.isFree(target)) return null
    const state = this.#targets.stateOf(target.id, target.endpoint)
    if (state.inFlight === 0) state.quietSince = this.#options.clock.elapsed()
    turnPeaks(state, this.#marks)
    this.#paces.take(target.id)
    state.inFlight++
    state.peak = Math.max(state.peak, state.inFlight)
    this.#inFlight++
    if (state.slow) this.#slowInFlight++
    this.#targets.setBusy(target.id)
    let isTaken = true
    return {
      done: (observed) => {
        if (isTaken) this.#finish(target.id, state, observed)
        isTaken = false
      },
    }
  }

  #finish(targetId: string, state: TargetState, observed: Observed | null): void {
    state.inFlight--
    this.#inFlight--
    if (state.slow) this.#slowInFlight--
    if (observed !== null) {
      observeAttempt(state, observed)
      this.#observePace(targetId, state, observed)
      state.quietSince = this.#options.clock.elapsed()
      this.#setSlow(state, state.averageMs >= slowMs)
    }
    this.#targets.dropIfIdle(targetId, state)
  }

  #observePace(targetId: string, state: TargetState, { throttleMs, answered }: Observed): void {
    const now = this.#options.clock.elapsed()
    if (throttleMs !== null) this.#paces.refused(targetId, throttleMs, state.successes.perSecond(now))
    else if (answered) {
      state.successes.add(now)
      this.#paces.answered(targetId)
    }
  }

  /**
   * A place in memory for a delivery that is about to be leased at publish and cannot start at once. Null when it has
   * to wait in the store: its target is slow or has no slots here, too much waits already, or what waits before it
   * would take too much of its lease.
   */
  promisePlace(target: SlotTarget, bytes: number): Slot | null {
    if (!this.mayWait(target) || !this.#places.hasRoom(bytes)) return null
    const state = this.#targets.stateOf(target.id, target.endpoint)
    if (state.slow || this.#paces.has(target.id) || state.waiting >= this.#maxWaitingAt(target, state))
      return null
    return this.#addWaiting(target, this.#places.take(bytes))
  }

  /** At its present pace the last of them starts within half of the time that it may wait. */
  #maxWaitingAt({ id, endpoint }: SlotTarget, state: TargetState): number {
    const atOnce = this.#limitOf(id, state, endpoint)
    const rounds = this.#options.maxWaitMs / 2 / Math.max(1, state.averageMs)
    return Math.min(maxWaitingAtTarget, Math.floor(atOnce * rounds))
  }

  /** A place in memory for a claimed delivery; how many are claimed is bounded before. */
  wait(target: SlotTarget): Slot {
    return this.#addWaiting(target, () => {})
  }

  #addWaiting({ id, endpoint }: SlotTarget, onDone: () => void): Slot {
    const state = this.#targets.stateOf(id, endpoint)
    state.waiting++
    this.#targets.setBusy(id)
    let isWaiting = true
    return {
      done: () => {
        if (!isWaiting) return
        isWaiting = false
        state.waiting--
        this.#targets.dropIfIdle(id, state)
        onDone()
      },
    }
  }

  /** Its work was given back: claims leave it alone until it may have a slot. */
  holdBack(targetId: string): void {
    this.#targets.holdBack(targetId)
  }

  /** Marks targets from which nothing came back for a while. Called a few times a second. */
  markSilent(): void {
    const now = this.#options.clock.elapsed()
    for (const targetId of this.#targets.busy) {
      const state = this.#targets.stateOf(targetId)
      if (state.inFlight > 0 && !state.slow && now - state.quietSince >= slowMs) this.#setSlow(state, true)
    }
  }

  /**
   * For a claim: how many more deliveries each busy target may get. A target may hold as many in memory,
   * waiting, as it may have in flight, so that it never idles for want of a claim; one with a rate holds none, for
   * their tokens are spent by then, nor does a slow one, and all slow ones share what is left of their half, in turn.
   */
  claimSlots(): ClaimSlots {
    const slots = new Map<string, number>()
    for (const targetId of this.#shares?.refused() ?? []) slots.set(targetId, 0)
    for (const targetId of this.#paces.ids())
      slots.set(targetId, Math.min(maxUnasked, this.#paces.roomSoon(targetId)))
    const slow: string[] = []
    let slowRoom = this.#slowLimit - this.#slowInFlight
    for (const targetId of this.#targets.busy) {
      const state = this.#targets.stateOf(targetId)
      if (!state.slow) {
        const limit = this.#limitOf(targetId, state, state.limits)
        const held = state.limits.rateLimitRps === null || this.#paces.has(targetId) ? limit * 2 : limit
        const room = Math.max(0, held - state.inFlight - state.waiting)
        const byPace = this.#paces.roomSoon(targetId) - state.waiting
        slots.set(targetId, Math.max(0, Math.min(room, byPace)))
        this.#targets.letGo(targetId, state)
        continue
      }
      slow.push(targetId)
      slowRoom -= state.waiting
    }
    const share = Math.max(1, Math.floor(slowRoom / slow.length))
    for (const targetId of slow) {
      const state = this.#targets.stateOf(targetId)
      const room = this.#limitOf(targetId, state, state.limits) - state.inFlight - state.waiting
      const granted = Math.max(0, Math.min(room, share, slowRoom))
      slots.set(targetId, granted)
      slowRoom -= granted
      if (granted === 0) continue
      this.#targets.moveToEnd(targetId)
      this.#targets.letGo(targetId, state)
    }
    return { slots, wantsMore: this.#findWanting(slots.keys()) }
  }

  /** Targets of which this node uses its whole share, and could have a larger one. */
  #findWanting(targets: Iterable<string>): Set<string> {
    const wanting = new Set<string>()
    if (this.#shares === null) return wanting
    for (const targetId of targets) {
      const state = this.#targets.find(targetId)
      const share = this.#shares.of(targetId)
      const isUsedUp = state !== undefined && !state.slow && state.inFlight + state.waiting >= share
      if (isUsedUp && share < ownLimit(state, state.limits) && this.#shares.mayGrow(targetId))
        wanting.add(targetId)
    }
    return wanting
  }

  #limitOf(targetId: string, state: TargetState, limits: TargetLimits): number {
    return Math.min(ownLimit(state, limits), this.#shares?.of(targetId) ?? Number.POSITIVE_INFINITY)
  }

  #setSlow(state: TargetState, slow: boolean): void {
    if (state.slow === slow) return
    state.slow = slow
    this.#slowInFlight += slow ? state.inFlight : -state.inFlight
  }
}
