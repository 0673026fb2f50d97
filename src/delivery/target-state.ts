/** What a node knows of one target: how busy it is, and how its recent attempts went. */
import type { Endpoint } from '../core/model.ts'
import { SuccessRate } from './pace.ts'

/** Requests at once to a target that has not answered yet. */
const unprovenLimit = 4
/** Weight of the newest attempt in the moving average. */
const averageWeight = 0.2

export type TargetLimits = Pick<Endpoint, 'maxInFlight' | 'rateLimitRps'>

/** What a request showed; null in its place when nothing was sent. */
export interface Observed {
  readonly latencyMs: number
  /** Headers came. */
  readonly answered: boolean
  /** For so long the endpoint asked to be left alone; null: it did not ask. */
  readonly throttleMs: number | null
}

export interface TargetState {
  /** The endpoint's limits, as they were when the target was last used. */
  limits: TargetLimits
  inFlight: number
  waiting: number
  /** The most in flight since the last mark, and between the two before; which mark that was. */
  peak: number
  peakBefore: number
  marks: number
  answered: boolean
  averageMs: number
  slow: boolean
  /** Work of the target was given back for want of slots. */
  heldBack: boolean
  readonly successes: SuccessRate
  /** When the silence began: the last answer, or the start of the first request after idleness. */
  quietSince: number
}

export function newTargetState(): TargetState {
  return {
    limits: { maxInFlight: 1, rateLimitRps: null },
    inFlight: 0,
    waiting: 0,
    peak: 0,
    peakBefore: 0,
    marks: 0,
    answered: false,
    averageMs: 0,
    slow: false,
    heldBack: false,
    successes: new SuccessRate(),
    quietSince: 0,
  }
}

/** Learns of the latest mark. */
export function turnPeaks(state: TargetState, marks: number): void {
  if (state.marks === marks) return
  state.peakBefore = state.marks === marks - 1 ? state.peak : state.inFlight
  state.peak = state.inFlight
  state.marks = marks
}

export function observeAttempt(state: TargetState, observed: Observed): void {
  const { latencyMs, answered } = observed
  state.averageMs =
    state.averageMs === 0 ? latencyMs : state.averageMs + (latencyMs - state.averageMs) * averageWeight
  state.answered ||= answered
}

/** As if no other node sent to it. */
export function ownLimit(state: TargetState, { maxInFlight }: TargetLimits): number {
  return state.answered ? maxInFlight : Math.min(maxInFlight, unprovenLimit)
}
