/** What a slot is, and what its owner (`slots.ts`) has to know of its target. */
import type { Observed, TargetLimits } from './target-state.ts'

export interface SlotTarget {
  readonly id: string
  readonly endpoint: TargetLimits
}

/** The right to have one request in flight, or a place in memory in which to wait for that. */
export interface Slot {
  /** Gives it up, with what the request showed of its target; any further call does nothing. */
  done(observed: Observed | null): void
}

/** The part of each target's slots that this node may use; see `share-book.ts`. */
export interface SlotLimits {
  /** Requests that this node may have in flight to the target now. */
  of(targetId: string): number
  /** Targets of which a claim would bring nothing. */
  refused(): Iterable<string>
  mayGrow(targetId: string): boolean
}
