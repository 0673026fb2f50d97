/** How long a lease is, and when too little is left of it for an attempt. */

/** Kept back for recording the outcome and for clocks that disagree. */
const marginMs = 3000
/** Time a claimed delivery may at least wait in memory for a slot before its lease is too short. */
const minQueueTimeMs = 12_000
/** A delivery that has to run alone must outlast what is in flight when it comes, and that takes one attempt. */
const quietMarginMs = 2000
/** Renewals of a node's slots may fail for so long before it starts nothing more. */
const renewalMarginMs = 4000

export function leaseLength(totalTimeoutMs: number): number {
  return totalTimeoutMs + marginMs + Math.max(minQueueTimeMs, totalTimeoutMs + quietMarginMs)
}

/** What must be left of a lease for an attempt to begin. */
export function attemptLength(totalTimeoutMs: number): number {
  return totalTimeoutMs + marginMs
}

/**
 * How long the slots of a node stay its own after a renewal. Shorter than a lease: when every node dies at once, nothing
 * goes to an endpoint that was busy until these are over, new events neither.
 */
export function slotLeaseLength(totalTimeoutMs: number): number {
  return attemptLength(totalTimeoutMs) + renewalMarginMs
}

export function lastsAnAttempt(leftMs: number, totalTimeoutMs: number): boolean {
  return leftMs >= attemptLength(totalTimeoutMs)
}
