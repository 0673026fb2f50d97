/** How long a lease is, and when too little is left of it for an attempt. */

/** Kept back for recording the outcome and for clocks that disagree. */
const marginMs = 3000
/** Time a claimed delivery may at least wait in memory for a slot before its lease is too short. */
const minQueueTimeMs = 12_000
/** A delivery that has to run alone must outlast what is in flight when it comes, and that takes one attempt. */
const quietMarginMs = 2000
/**
 * How long the slots of a node stay its own after a renewal, of which there is one a second. Short, because when a node
 * dies they are of no use to anybody for so long.
 */
export const slotLeaseMs = 6000

export function leaseLength(totalTimeoutMs: number): number {
  return totalTimeoutMs + marginMs + Math.max(minQueueTimeMs, totalTimeoutMs + quietMarginMs)
}

/** What must be left of a lease for an attempt to begin. */
export function attemptLength(totalTimeoutMs: number): number {
  return totalTimeoutMs + marginMs
}

export function lastsAnAttempt(leftMs: number, totalTimeoutMs: number): boolean {
  return leftMs >= attemptLength(totalTimeoutMs)
}
