/**
 * How one claim is shared out. Deliveries are dealt like cards, one at a time: tenants in turn, or where their weights
 * differ by these, and within a tenant its targets in turn, so that unequal shares differ by one at most; whoever has no
 * more is left out, and the others go on until the claim is full or nothing is left.
 *
 * Before that, fresh targets (whose due work is new and little) get a head start, or a new event would wait behind
 * every backlog: from half of what is their tenant's part, a handful each.
 */
import { areEqual, type TurnCredits, type Weighted, WeightedTurns } from './weighted-turns.ts'

export interface DealSource {
  readonly tenantId: string
  /** Its tenant's. Default 1. */
  readonly weight?: number
  readonly isFresh: boolean
  /** Its endpoint has a rate, so that what it gives has spent its token already. */
  readonly isRated: boolean
  /** Deliveries that the target may give. */
  readonly slots: number
  /** Payload sizes of its due deliveries as far as they are known, in the order in which they are given. */
  readonly knownBytes: readonly number[]
  /** More may be due than is known. */
  readonly mayHaveMore: boolean
}

export interface DealBounds {
  /** Deliveries at most. */
  readonly limit: number
  /** Deliveries of targets with a rate at most. */
  readonly startable: number
  /** Payload bytes at most; the first delivery is given whatever its size. */
  readonly maxBytes: number
}

/** What is owed to tenants whose weights differ. */
export interface DealFairness {
  /** What earlier claims left owing, and afterwards what this one does: nothing where weights are equal. */
  readonly credits?: TurnCredits
  /** Tenants that are due and have no source here: their turns are owed to them. */
  readonly waiting?: readonly Weighted[]
}

/** What one fresh target gives in the head start: about what gathers while it waits for its turn. */
const freshQuantum = 16

/**
 * Per source, in order, how many deliveries it gives. Where more may be due than is known, it is taken to be so, and to
 * weigh nothing, so that what is given in the end is hardly ever less than what was read on the way.
 */
export function dealOut(
  sources: readonly DealSource[],
  bounds: DealBounds,
  fairness: DealFairness = {},
): readonly number[] {
  const { limit } = bounds
  // A target that turned out to have nothing is not there: a ready row that is wrong must not change what the others get.
  const all = indexesOf(
    sources,
    ({ slots, mayHaveMore, knownBytes }) => slots > 0 && (mayHaveMore || knownBytes.length > 0),
  )
  const fresh = all.filter((index) => sources[index]?.isFresh)
  const { credits = new Map(), waiting = [] } = fairness
  const weights = weightsOf(
    all.map((index) => sources[index] as DealSource),
    waiting,
  )
  const table = new Table(sources, { ...bounds, weights, credits, waiting })
  const part = limit / Math.max(1, sumOfWeights(sources, all, weights))
  table.deal(fresh, {
    upTo: Math.min(limit, Math.ceil((part * sumOfWeights(sources, fresh, weights)) / 2)),
    perTenant: (weight) => Math.ceil((part * weight) / 2),
    perSource: freshQuantum,
  })
  const open = table.deal(all, { upTo: limit, perTenant: () => limit, perSource: limit })
  // Whoever has nothing more is owed nothing.
  for (const tenantId of credits.keys()) if (!open.has(tenantId)) credits.delete(tenantId)
  return table.counts
}

function indexesOf(
  sources: readonly DealSource[],
  isWanted: (source: DealSource) => boolean,
): readonly number[] {
  return sources.flatMap((source, index) => (isWanted(source) ? [index] : []))
}

/** By tenant; equal ones are 1. */
type Weights = ReadonlyMap<string, number>

function weightsOf(sources: readonly DealSource[], waiting: readonly Weighted[]): Weights {
  const weighted = sources.map(({ tenantId, weight = 1 }) => ({ tenantId, weight }))
  const equal = areEqual([...weighted, ...waiting])
  return new Map(weighted.map(({ tenantId, weight }) => [tenantId, equal ? 1 : weight]))
}

/** Of the tenants of these sources, each once. */
function sumOfWeights(sources: readonly DealSource[], indexes: readonly number[], weights: Weights): number {
  const tenants = new Set(indexes.map((index) => (sources[index] as DealSource).tenantId))
  return Array.from(tenants).reduce((sum, tenantId) => sum + (weights.get(tenantId) ?? 1), 0)
}

interface Stage {
  /** Deliveries dealt, when it ends. */
  readonly upTo: number
  /** Deliveries of one tenant in this stage, by its weight. */
  readonly perTenant: (weight: number) => number
  /** Deliveries of one source, those of earlier stages included. */
  readonly perSource: number
}

/** One tenant's sources that may still give, and whose turn among them is next. */
interface Hand extends Weighted {
  readonly open: number[]
  turn: number
  left: number
}

interface TableOptions extends DealBounds, Required<DealFairness> {
  readonly weights: Weights
}

class Table {
  readonly counts: number[]
  readonly #sources: readonly DealSource[]
  readonly #options: TableOptions
  readonly #areEqual: boolean
  readonly #maxBytes: number
  #startable: number
  #dealt = 0
  #bytes = 0
  #isFull = false

  constructor(sources: readonly DealSource[], options: TableOptions) {
    this.#sources = sources
    this.#options = options
    this.#areEqual = new Set(options.weights.values()).size <= 1 && options.waiting.length === 0
    this.#maxBytes = options.maxBytes
    this.#startable = options.startable
    this.counts = sources.map(() => 0)
  }

  /** The answer: where weights differ, tenants that may have more to give. */
  deal(indexes: readonly number[], stage: Stage): ReadonlySet<string> {
    const hands = new Map<string, Hand>()
    for (const index of indexes) {
      const { tenantId } = this.#sources[index] as DealSource
      const weight = this.#options.weights.get(tenantId) ?? 1
      const hand = hands.get(tenantId)
      if (hand !== undefined) hand.open.push(index)
      else hands.set(tenantId, { tenantId, weight, open: [index], turn: 0, left: stage.perTenant(weight) })
    }
    if (this.#areEqual) {
      this.#dealInTurn(hands, stage)
      return new Set()
    }
    return this.#dealByWeight(Array.from(hands.values()), stage)
  }

  #dealInTurn(hands: Map<string, Hand>, stage: Stage): void {
    while (hands.size > 0) {
      for (const [tenantId, hand] of hands) {
        if (this.#isFull || this.#dealt >= stage.upTo) return
        if (hand.left <= 0 || !this.#dealOne(hand, stage.perSource)) hands.delete(tenantId)
      }
    }
  }

  #dealByWeight(hands: readonly Hand[], stage: Stage): ReadonlySet<string> {
    const { credits, waiting } = this.#options
    const turns = new WeightedTurns(hands, waiting, credits)
    const open = new Set([...hands, ...waiting].map(({ tenantId }) => tenantId))
    while (!this.#isFull && this.#dealt < stage.upTo) {
      const next = turns.next()
      const hand = hands[next]
      if (hand === undefined) break
      if (hand.left > 0 && this.#dealOne(hand, stage.perSource)) {
        if (!this.#isFull) turns.count(next)
      } else {
        turns.leave(next)
        open.delete(hand.tenantId)
      }
    }
    turns.keep()
    return open
  }

  /** False: none of the hand can give. */
  #dealOne(hand: Hand, perSource: number): boolean {
    while (hand.open.length > 0) {
      if (hand.turn >= hand.open.length) hand.turn = 0
      const index = hand.open[hand.turn] as number
      if (this.#canGive(index, perSource)) {
        this.#give(index)
        hand.turn += 1
        hand.left -= 1
        return true
      }
      hand.open.splice(hand.turn, 1)
    }
    return false
  }

  #canGive(index: number, perSource: number): boolean {
    const source = this.#sources[index] as DealSource
    const count = this.counts[index] as number
    if (count >= perSource || count >= source.slots) return false
    if (source.isRated && this.#startable <= 0) return false
    return source.mayHaveMore || count < source.knownBytes.length
  }

  #give(index: number): void {
    const source = this.#sources[index] as DealSource
    const count = this.counts[index] as number
    const bytes = source.knownBytes[count] ?? 0
    if (this.#dealt > 0 && this.#bytes + bytes > this.#maxBytes) {
      this.#isFull = true
      return
    }
    this.#bytes += bytes
    this.#dealt += 1
    if (source.isRated) this.#startable -= 1
    this.counts[index] = count + 1
  }
}
