/**
 * One claim, from the targets that were picked to the deliveries that are leased. It says what has to be read, is told
 * what was found, and knows in the end what each target gives: adapters read and write, and decide nothing.
 *
 * Only what would be given, were it there, is read, so the rows read are as many as the claim's limit; where some
 * targets have less than was hoped for, another look goes to the others.
 */
import { type DealBounds, type DealFairness, dealOut } from './deal-out.ts'
import type { TurnCredits } from './weighted-turns.ts'

/** A target that may give deliveries. */
export interface ClaimTarget {
  readonly tenantId: string
  /** Its tenant's. Default 1. */
  readonly weight?: number
  /** Its due work is new and little. */
  readonly isFresh: boolean
  /** Its endpoint has a rate. */
  readonly isRated: boolean
  /** Deliveries that it may give. */
  readonly slots: number
}

/** How many due deliveries of the target to read, behind those that were read before. */
export interface Ask<Target> {
  readonly target: Target
  readonly count: number
}

export interface Found<Row> {
  /** Due deliveries that may be attempted, in order of their due times. */
  readonly leasable: readonly { readonly row: Row; readonly bytes: number }[]
  /** The others, which the adapter has cancelled, parked or left alone. */
  readonly others: number
}

export interface Grant<Target, Row> {
  readonly target: Target
  readonly row: Row
}

/**
 * Looks of one claim at most, each of which is a round trip where the database is elsewhere. Hardly any claim needs
 * more than three: only where the targets' backlogs are staggered, each a little larger than the one before.
 */
const maxLooks = 8
/** Deliveries of one target that a claim cancels or parks, or a little more; the next one goes on. */
const maxOthers = 200

interface Holding<Target, Row> {
  readonly target: Target
  readonly rows: Row[]
  readonly bytes: number[]
  others: number
  mayHaveMore: boolean
  isLooked: boolean
}

export class ClaimBatch<Target extends ClaimTarget, Row> {
  readonly #holdings: readonly Holding<Target, Row>[]
  readonly #byTarget: ReadonlyMap<Target, Holding<Target, Row>>
  readonly #bounds: DealBounds
  readonly #fairness: Required<DealFairness>
  #looks = 0

  /** `fairness`: what claims leave owing to tenants is for the next ones of the same process. */
  constructor(targets: readonly Target[], bounds: DealBounds, fairness: DealFairness = {}) {
    this.#holdings = targets.map((target) => ({
      target,
      rows: [],
      bytes: [],
      others: 0,
      mayHaveMore: true,
      isLooked: false,
    }))
    this.#byTarget = new Map(this.#holdings.map((holding) => [holding.target, holding]))
    this.#bounds = bounds
    this.#fairness = { credits: new Map(), waiting: [], ...fairness }
  }

  /** What to read next; nothing: the claim is decided. */
  nextLook(): readonly Ask<Target>[] {
    if (this.#looks >= maxLooks) return []
    this.#looks += 1
    const counts = this.#deal(new Map(this.#fairness.credits))
    return this.#holdings.flatMap(({ target, rows }, index) => {
      const count = (counts[index] as number) - rows.length
      return count > 0 ? [{ target, count }] : []
    })
  }

  /** What reading brought; fewer than were asked for are all that there are. */
  add({ target, count }: Ask<Target>, found: Found<Row>): void {
    const holding = this.#byTarget.get(target)
    if (holding === undefined) return
    for (const { row, bytes } of found.leasable) {
      holding.rows.push(row)
      holding.bytes.push(bytes)
    }
    holding.others += found.others
    holding.isLooked = true
    holding.mayHaveMore = found.leasable.length + found.others >= count && holding.others < maxOthers
  }

  /** The deliveries to lease, target by target. To be asked once. */
  grants(): readonly Grant<Target, Row>[] {
    const counts = this.#deal(this.#fairness.credits)
    return this.#holdings.flatMap(({ target, rows }, index) =>
      rows.slice(0, counts[index]).map((row) => ({ target, row })),
    )
  }

  /** Targets that had their turn. */
  looked(): readonly Target[] {
    return this.#holdings.flatMap(({ target, isLooked }) => (isLooked ? [target] : []))
  }

  #deal(credits: TurnCredits): readonly number[] {
    const sources = this.#holdings.map((holding) => ({
      tenantId: holding.target.tenantId,
      weight: holding.target.weight ?? 1,
      isFresh: holding.target.isFresh,
      isRated: holding.target.isRated,
      slots: holding.target.slots,
      knownBytes: holding.bytes,
      mayHaveMore: holding.mayHaveMore,
    }))
    return dealOut(sources, this.#bounds, { ...this.#fairness, credits })
  }
}
