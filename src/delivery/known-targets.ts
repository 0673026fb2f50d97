/** What a node knows of its targets, and which of them are busy: those with something in flight, waiting or held back. */
import { newTargetState, type TargetLimits, type TargetState } from './target-state.ts'

/** Idle targets are forgotten beyond this many. */
const maxTargets = 20_000
/** Targets whose work was given back that a claim hears of. */
const maxHeldBack = 2000

export class KnownTargets {
  readonly #states = new Map<string, TargetState>()
  readonly #busy = new Set<string>()
  #heldBack = 0

  /** In the order in which they are to get slots. */
  get busy(): Iterable<string> {
    return this.#busy
  }

  find(targetId: string): TargetState | undefined {
    return this.#states.get(targetId)
  }

  stateOf(targetId: string, limits?: TargetLimits): TargetState {
    let state = this.#states.get(targetId)
    if (state === undefined) {
      state = newTargetState()
      this.#states.set(targetId, state)
    }
    if (limits !== undefined) state.limits = limits
    return state
  }

  setBusy(targetId: string): void {
    this.#busy.add(targetId)
  }

  /** It got slots, so the others come first. */
  moveToEnd(targetId: string): void {
    this.#busy.delete(targetId)
    this.#busy.add(targetId)
  }

  /** Its work was given back: claims leave it alone until it may have a slot. */
  holdBack(targetId: string): void {
    const state = this.stateOf(targetId)
    if (state.heldBack || this.#heldBack >= maxHeldBack) return
    state.heldBack = true
    this.#heldBack++
    this.#busy.add(targetId)
  }

  /** A claim has heard of it. */
  letGo(targetId: string, state: TargetState): void {
    if (!state.heldBack) return
    state.heldBack = false
    this.#heldBack--
    this.dropIfIdle(targetId, state)
  }

  dropIfIdle(targetId: string, state: TargetState): void {
    if (state.inFlight > 0 || state.waiting > 0 || state.heldBack) return
    this.#busy.delete(targetId)
    if (this.#states.size > maxTargets) this.#states.delete(targetId)
  }
}
