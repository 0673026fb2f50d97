/** What a short call costs: of several blocks the quickest, because what another process takes from the core is no part of it. */

export interface Blocks {
  readonly blockMs: number
  readonly blocks: number
}

/** Microseconds per call, in the quickest of so many blocks. */
export function quickestBlock(call: () => unknown, { blockMs, blocks }: Blocks): number {
  let least = Number.POSITIVE_INFINITY
  for (let block = 0; block < blocks; block++) {
    const startedAt = performance.now()
    let calls = 0
    let spent = 0
    while (spent < blockMs) {
      for (let at = 0; at < 50; at++) call()
      calls += 50
      spent = performance.now() - startedAt
    }
    least = Math.min(least, (spent * 1000) / calls)
  }
  return least
}
