/** How long one attempt may take at most. */

/** Where the endpoint says. */
export const endpointTimeouts = { minMs: 1000, maxMs: 60_000 } as const

/**
 * @param ownMs that of the endpoint, or what was frozen with a direct send, which may be longer than what the server allows
 * by now; null: that of the server
 */
export function attemptTimeout(ownMs: number | null, totalTimeoutMs: number): number {
  return ownMs === null ? totalTimeoutMs : Math.min(ownMs, longestTimeout(totalTimeoutMs))
}

/** Of whatever is sent to. */
export function longestTimeout(totalTimeoutMs: number): number {
  return Math.max(totalTimeoutMs, endpointTimeouts.maxMs)
}
