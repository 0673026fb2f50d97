import { spans } from '../../src/core/stats/fold.ts'
import { addTally, type Figures, figuresOf, type Tally, unpackTally } from '../../src/core/stats/tally.ts'
import type { StatsRequest, Store } from '../../src/store/port.ts'

/** All that the store has of the request, by default of everybody and all times, in one. */
export async function readFigures(store: Store, request: Partial<StatsRequest> = {}): Promise<Figures> {
  const whole = { tenantId: null, endpointIds: null, span: spans.minute, from: 0, to: 1e9 }
  const sum: Tally = new Map()
  for (const { tally } of await store.readStats({ ...whole, ...request })) addTally(sum, unpackTally(tally))
  return figuresOf(sum)
}

export async function foldStats(store: Store, limit = 1000): Promise<void> {
  while ((await store.foldStats({ limit })).more);
}
