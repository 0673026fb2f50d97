/**
 * How busy each target and this node are, and whether one more request may start.
 *
 * Three rules keep one endpoint from taking the node:
 * - a target has at most its endpoint's `maxInFlight` requests, or this node's share of them, and at most four until it
 *   has answered once;
 * - targets that are slow (recent attempts took long, or nothing came back for a while) share at most half of
 *   the node's slots, and keep nothing waiting in memory, where it would take the room of others;
 * - work from the backlog leaves an eighth of the slots to fresh events.
 */
import type { Clock } from '../core/clock.ts'
import type { Endpoint } from '../core/model.ts'
import type { TargetShares } from './target-shares.ts'

/** Requests at once to a target that has not answered yet. */
const unprovenLimit = 4
/** An attempt of this length makes its target slow, and so does this long a silence with requests in flight. */
const slowMs = 1000
/** Weight of the newest attempt in the moving average. */
const averageWeight = 0.2
/** Idle targets are forgotten beyond this many. */
const maxTargets = 20_000
/** Targets whose work was given back that a claim hears of. */
const maxHeldBack = 2000

/** What a request showed; null in its place when nothing was sent. */
export interface Observed {
  readonly latencyMs: number
  /** Headers came. */
  readonly answered: boolean
}

export type TargetLimits = Pick<Endpoint, 'maxInFlight' | 'rateLimitRps'>

export interface ClaimSlots {
  readonly slots: ReadonlyMap<string, number>
  readonly wantsMore: ReadonlySet<string>
}

interface TargetState {
  /** Of its endpoint, when it was last used. */
  limits: TargetLimits
  inFlight: number
  queued: number
  /** The most in flight since the last mark, and between the two before; which mark that was. */
  peak: number
  peakBefore: number
  marks: number
  answered: boolean
  averageMs: number
  slow: boolean
  /** It had work that was given back for want of slots. */
  heldBack: boolean
  /** When the silence began: the last answer, or the start of the first request after idleness. */
  quietSince: number
}

export class TargetLoad {
  readonly #clock: Clock
  readonly #limit: number
  /** Null: nobody else sends to the targets. */
  shares: Pick<TargetShares, 'of' | 'refused' | 'mayGrow'> | null = null
  readonly #targets = new Map<string, TargetState>()
  /** Targets with something in flight, queued or held back; who got slots moves to the end. */
  readonly #busy = new Set<string>()
  #marks = 0
  #inFlight = 0
  #slowInFlight = 0
  #heldBack = 0

  constructor(clock: Clock, limit: number) {
    this.#clock = clock
    this.#limit = limit
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Slots that claimed work may still take. */
  get freeForBacklog(): number {
    return Math.max(0, this.#limit - Math.floor(this.#limit / 8) - this.#inFlight)
  }

  isSlow(targetId: string): boolean {
    return this.#targets.get(targetId)?.slow ?? false
  }

  queuedAt(targetId: string): number {
    return this.#targets.get(targetId)?.queued ?? 0
  }

  inFlightAt(targetId: string): number {
    return this.#targets.get(targetId)?.inFlight ?? 0
  }

  /** The most requests that were in flight to the target at one time since the mark before the last. */
  peakAt(targetId: string): number {
    const state = this.#targets.get(targetId)
    if (state === undefined) return 0
    this.#turnPeaks(state)
    return Math.max(state.peak, state.peakBefore)
  }

  markPeaks(): void {
    this.#marks++
  }

  #turnPeaks(state: TargetState): void {
    if (state.marks === this.#marks) return
    state.peakBefore = state.marks === this.#marks - 1 ? state.peak : state.inFlight
    state.peak = state.inFlight
    state.marks = this.#marks
  }

  /** Whether work for it may wait in memory: not when other nodes have all its slots, nor when it has spent a token. */
  mayWait(targetId: string, { rateLimitRps }: TargetLimits): boolean {
    return rateLimitRps === null && this.shares?.of(targetId) !== 0
  }

  /** Whether one more request to the target may start now. */
  hasSlot(targetId: string, limits: TargetLimits): boolean {
    if (this.#inFlight >= this.#limit) return false
    const state = this.#targets.get(targetId)
    if (state === undefined) return this.shares?.of(targetId) !== 0
    if (state.inFlight >= this.#limitOf(targetId, state, limits)) return false
    return !state.slow || this.#slowInFlight < this.#slowLimit
  }

  start(targetId: string, limits: TargetLimits): void {
    const state = this.#stateOf(targetId, limits)
    if (state.inFlight === 0) state.quietSince = this.#clock.elapsed()
    this.#turnPeaks(state)
    state.inFlight++
    state.peak = Math.max(state.peak, state.inFlight)
    this.#inFlight++
    if (state.slow) this.#slowInFlight++
    this.#busy.add(targetId)
  }

  finish(targetId: string, observed: Observed | null): void {
    const state = this.#stateOf(targetId)
    state.inFlight--
    this.#inFlight--
    if (state.slow) this.#slowInFlight--
    if (observed !== null) {
      const { latencyMs, answered } = observed
      state.averageMs =
        state.averageMs === 0 ? latencyMs : state.averageMs + (latencyMs - state.averageMs) * averageWeight
      state.answered ||= answered
      state.quietSince = this.#clock.elapsed()
      this.#setSlow(state, state.averageMs >= slowMs)
    }
    this.#dropIfIdle(targetId, state)
  }

  enqueue(targetId: string, limits: TargetLimits): void {
    this.#stateOf(targetId, limits).queued++
    this.#busy.add(targetId)
  }

  dequeue(targetId: string): void {
    const state = this.#stateOf(targetId)
    state.queued--
    this.#dropIfIdle(targetId, state)
  }

  /** Its work was given back: claims leave it alone until it may have a slot. */
  holdBack(targetId: string): void {
    const state = this.#stateOf(targetId)
    if (state.heldBack || this.#heldBack >= maxHeldBack) return
    state.heldBack = true
    this.#heldBack++
    this.#busy.add(targetId)
  }

  /** Marks targets from which nothing came back for a while. Called a few times a second. */
  markSilent(): void {
    const now = this.#clock.elapsed()
    for (const targetId of this.#busy) {
      const state = this.#stateOf(targetId)
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
    for (const targetId of this.shares?.refused() ?? []) slots.set(targetId, 0)
    const slow: string[] = []
    let slowRoom = this.#slowLimit - this.#slowInFlight
    for (const targetId of this.#busy) {
      const state = this.#stateOf(targetId)
      if (!state.slow) {
        const limit = this.#limitOf(targetId, state, state.limits)
        const held = state.limits.rateLimitRps === null ? limit * 2 : limit
        slots.set(targetId, Math.max(0, held - state.inFlight - state.queued))
        this.#letGo(targetId, state)
        continue
      }
      slow.push(targetId)
      slowRoom -= state.queued
    }
    const share = Math.max(1, Math.floor(slowRoom / slow.length))
    for (const targetId of slow) {
      const state = this.#stateOf(targetId)
      const room = this.#limitOf(targetId, state, state.limits) - state.inFlight - state.queued
      const granted = Math.max(0, Math.min(room, share, slowRoom))
      slots.set(targetId, granted)
      slowRoom -= granted
      if (granted === 0) continue
      this.#busy.delete(targetId)
      this.#busy.add(targetId)
      this.#letGo(targetId, state)
    }
    return { slots, wantsMore: this.#findWanting(slots.keys()) }
  }

  /** Those whose share is in use and not all that they may have. */
  #findWanting(targets: Iterable<string>): Set<string> {
    const wanting = new Set<string>()
    if (this.shares === null) return wanting
    for (const targetId of targets) {
      const state = this.#targets.get(targetId)
      const share = this.shares.of(targetId)
      const isUsedUp = state !== undefined && !state.slow && state.inFlight + state.queued >= share
      if (isUsedUp && share < ownLimit(state, state.limits) && this.shares.mayGrow(targetId))
        wanting.add(targetId)
    }
    return wanting
  }

  #limitOf(targetId: string, state: TargetState, limits: TargetLimits): number {
    return Math.min(ownLimit(state, limits), this.shares?.of(targetId) ?? Number.POSITIVE_INFINITY)
  }

  get #slowLimit(): number {
    return Math.max(1, Math.floor(this.#limit / 2))
  }

  #setSlow(state: TargetState, slow: boolean): void {
    if (state.slow === slow) return
    state.slow = slow
    this.#slowInFlight += slow ? state.inFlight : -state.inFlight
  }

  #stateOf(targetId: string, limits?: TargetLimits): TargetState {
    let state = this.#targets.get(targetId)
    if (state === undefined) {
      state = {
        limits: { maxInFlight: 1, rateLimitRps: null },
        inFlight: 0,
        queued: 0,
        peak: 0,
        peakBefore: 0,
        marks: 0,
        answered: false,
        averageMs: 0,
        slow: false,
        heldBack: false,
        quietSince: 0,
      }
      this.#targets.set(targetId, state)
    }
    if (limits !== undefined) state.limits = limits
    return state
  }

  #letGo(targetId: string, state: TargetState): void {
    if (!state.heldBack) return
    state.heldBack = false
    this.#heldBack--
    this.#dropIfIdle(targetId, state)
  }

  #dropIfIdle(targetId: string, state: TargetState): void {
    if (state.inFlight > 0 || state.queued > 0 || state.heldBack) return
    this.#busy.delete(targetId)
    if (this.#targets.size > maxTargets) this.#targets.delete(targetId)
  }
}

/** As if no other node sent to it. */
function ownLimit(state: TargetState, { maxInFlight }: TargetLimits): number {
  return state.answered ? maxInFlight : Math.min(maxInFlight, unprovenLimit)
}
