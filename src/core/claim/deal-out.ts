/**
 * How one claim is shared out. Deliveries are dealt like cards, one at a time: tenants in turn, and within a tenant its
 * targets in turn, so that unequal shares differ by one at most; whoever has no more is left out, and the others go on
 * until the claim is full or nothing is left.
 *
 * Before that, fresh targets (whose due work is new and little) get a head start, or a new event would wait behind
 * every backlog: from half of what is their tenant's part, a handful each.
 */
export interface DealSource {
  readonly tenantId: string
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

/** What one fresh target gives in the head start: about what gathers while it waits for its turn. */
const freshQuantum = 16

/**
 * Per source, in order, how many deliveries it gives. Where more may be due than is known, it is taken to be so, and to
 * weigh nothing, so that what is given in the end is hardly ever less than what was read on the way.
 */
export function dealOut(sources: readonly DealSource[], bounds: DealBounds): readonly number[] {
  const table = new Table(sources, bounds)
  const { limit } = bounds
  // A target that turned out to have nothing is not there: a ready row that is wrong must not change what the others get.
  const all = indexesOf(
    sources,
    ({ slots, mayHaveMore, knownBytes }) => slots > 0 && (mayHaveMore || knownBytes.length > 0),
  )
  const fresh = all.filter((index) => sources[index]?.isFresh)
  const perTenant = limit / Math.max(1, countTenants(sources, all))
  table.deal(fresh, {
    upTo: Math.min(limit, Math.ceil((perTenant * countTenants(sources, fresh)) / 2)),
    perTenant: Math.ceil(perTenant / 2),
    perSource: freshQuantum,
  })
  table.deal(all, { upTo: limit, perTenant: limit, perSource: limit })
  return table.counts
}

function indexesOf(
  sources: readonly DealSource[],
  isWanted: (source: DealSource) => boolean,
): readonly number[] {
  return sources.flatMap((source, index) => (isWanted(source) ? [index] : []))
}

function countTenants(sources: readonly DealSource[], indexes: readonly number[]): number {
  return new Set(indexes.map((index) => sources[index]?.tenantId)).size
}

interface Stage {
  /** Deliveries dealt, when it ends. */
  readonly upTo: number
  /** Deliveries of one tenant in this stage. */
  readonly perTenant: number
  /** Deliveries of one source, those of earlier stages included. */
  readonly perSource: number
}

/** One tenant's sources that may still give, and whose turn among them is next. */
interface Hand {
  readonly open: number[]
  turn: number
  left: number
}

class Table {
  readonly counts: number[]
  readonly #sources: readonly DealSource[]
  readonly #maxBytes: number
  #startable: number
  #dealt = 0
  #bytes = 0
  #isFull = false

  constructor(sources: readonly DealSource[], bounds: DealBounds) {
    this.#sources = sources
    this.#maxBytes = bounds.maxBytes
    this.#startable = bounds.startable
    this.counts = sources.map(() => 0)
  }

  deal(indexes: readonly number[], stage: Stage): void {
    const hands = new Map<string, Hand>()
    for (const index of indexes) {
      const { tenantId } = this.#sources[index] as DealSource
      const hand = hands.get(tenantId)
      if (hand === undefined) hands.set(tenantId, { open: [index], turn: 0, left: stage.perTenant })
      else hand.open.push(index)
    }
    while (hands.size > 0) {
      for (const [tenantId, hand] of hands) {
        if (this.#isFull || this.#dealt >= stage.upTo) return
        if (hand.left <= 0 || !this.#dealOne(hand, stage.perSource)) hands.delete(tenantId)
      }
    }
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
