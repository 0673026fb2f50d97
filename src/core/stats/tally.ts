/** What one endpoint, tenant or server did in one minute or hour, as it is kept: counters by number, packed. */
import type { Histogram } from './buckets.ts'
import {
  type CountedState,
  countedStates,
  noBucket,
  noClass,
  type OutcomeClass,
  outcomeClasses,
  unpackCell,
} from './cells.ts'

/**
 * By counter, how often. Counters below 128 are a state and how its attempt ended, then come the buckets of latency, then
 * those of publish to delivered.
 */
export type Tally = Map<number, number>

const latencyFrom = 128
const deliveredFrom = 192

export function addCell(tally: Tally, cell: number, times: number): void {
  const { state, outcome, latency, delivered } = unpackCell(cell)
  add(tally, state * 16 + outcome, times)
  if (latency !== noBucket) add(tally, latencyFrom + latency, times)
  if (delivered !== noBucket) add(tally, deliveredFrom + delivered, times)
}

export function addTally(tally: Tally, more: ReadonlyMap<number, number>): void {
  for (const [counter, times] of more) add(tally, counter, times)
}

function add(tally: Tally, counter: number, times: number): void {
  tally.set(counter, (tally.get(counter) ?? 0) + times)
}

/** A byte for the counter, then its number in groups of seven bits, the lowest first. */
export function packTally(tally: ReadonlyMap<number, number>): Uint8Array {
  const bytes: number[] = []
  for (const [counter, times] of tally) {
    bytes.push(counter)
    let rest = times
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
    bytes.push(rest)
  }
  return Uint8Array.from(bytes)
}

export function unpackTally(bytes: Readonly<Uint8Array>): Tally {
  const tally: Tally = new Map()
  let at = 0
  while (at < bytes.length) {
    const counter = bytes[at++] as number
    let times = 0
    let unit = 1
    for (; (bytes[at] as number) >= 128; at++, unit *= 128) times += ((bytes[at] as number) - 128) * unit
    times += (bytes[at++] ?? 0) * unit
    add(tally, counter, times)
  }
  return tally
}

export interface Figures {
  /** Events that were published. */
  readonly events: number
  /** Deliveries that came to each state. */
  readonly deliveries: Readonly<Record<Exclude<CountedState, 'published'>, number>>
  readonly attempts: Readonly<Record<OutcomeClass, number>>
  /** Deliveries that were given up, by how their last attempt ended. */
  readonly deadLetters: Readonly<Record<OutcomeClass, number>>
  readonly latency: Histogram
  readonly publishToDelivered: Histogram
}

export function figuresOf(tally: ReadonlyMap<number, number>): Figures {
  const byState = zeros(countedStates)
  const attempts = zeros(outcomeClasses)
  const deadLetters = zeros(outcomeClasses)
  const latency = new Map<number, number>()
  const publishToDelivered = new Map<number, number>()
  for (const [counter, times] of tally) {
    if (counter >= deliveredFrom) publishToDelivered.set(counter - deliveredFrom, times)
    else if (counter >= latencyFrom) latency.set(counter - latencyFrom, times)
    else {
      const state = countedStates[counter >>> 4] as CountedState
      const outcome = outcomeClasses[counter & 15]
      byState[state] += times
      if (outcome !== undefined && (counter & 15) !== noClass) attempts[outcome] += times
      // Given up without an attempt: whoever had it was lost too often.
      if (state === 'dead_lettered') deadLetters[outcome ?? 'internal'] += times
    }
  }
  const { published, ...deliveries } = byState
  return { events: published, deliveries, attempts, deadLetters, latency, publishToDelivered }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
}
