/**
 * Turns of tenants of unequal weights: of those that are owed something, that tenant is next to which a whole turn is due
 * first. So after any number of turns each has had what its weight is of all weights, but for less than one, and the
 * turns of a heavy tenant are spread among those of the others.
 */

/** By tenant, what is owed to it, in turns: negative when it had more than its part. Kept from one claim to the next. */
export type TurnCredits = Map<string, number>

export interface Weighted {
  readonly tenantId: string
  readonly weight: number
}

export function areEqual(tenants: readonly Weighted[]): boolean {
  return tenants.every(({ weight }) => weight === tenants[0]?.weight)
}

/** Sums of fractions that should be 0 are not quite. */
const nothing = 1e-9

export class WeightedTurns {
  readonly #credits: TurnCredits
  readonly #tenants: readonly Weighted[]
  readonly #owed: number[]
  readonly #states: ('open' | 'waiting' | 'gone')[]
  #total: number

  /** @param waiting are due as well, and have no turn now: it is owed to them */
  constructor(tenants: readonly Weighted[], waiting: readonly Weighted[], credits: TurnCredits) {
    this.#credits = credits
    this.#tenants = [...tenants, ...waiting]
    this.#owed = this.#tenants.map(({ tenantId }) => credits.get(tenantId) ?? 0)
    this.#states = this.#tenants.map((_, index) => (index < tenants.length ? 'open' : 'waiting'))
    this.#total = this.#tenants.reduce((sum, { weight }) => sum + weight, 0)
  }

  /** Whose turn it is, as its place in `tenants`; -1: nobody's. */
  next(): number {
    let next = -1
    let soonest = Number.POSITIVE_INFINITY
    let most = -1
    let mostOwed = Number.NEGATIVE_INFINITY
    for (let index = 0; index < this.#tenants.length; index++) {
      if (this.#states[index] !== 'open') continue
      const part = (this.#tenants[index] as Weighted).weight / this.#total
      const owed = (this.#owed[index] as number) + part
      const turnsUntilDue = (1 - owed) / part
      if (owed > nothing && turnsUntilDue < soonest - nothing) {
        soonest = turnsUntilDue
        next = index
      }
      if (owed > mostOwed) {
        mostOwed = owed
        most = index
      }
    }
    return next >= 0 ? next : most
  }

  /** It had a turn, for which the others have waited. */
  count(had: number): void {
    for (let index = 0; index < this.#tenants.length; index++) {
      if (this.#states[index] === 'gone') continue
      const { weight } = this.#tenants[index] as Weighted
      this.#owed[index] = (this.#owed[index] as number) + weight / this.#total - (index === had ? 1 : 0)
    }
  }

  /** It has no more turns, and the others go on. */
  leave(index: number): void {
    this.#states[index] = 'gone'
    this.#total -= (this.#tenants[index] as Weighted).weight
  }

  /** Keeps what is owed for the next time. */
  keep(): void {
    this.#tenants.forEach(({ tenantId }, index) => {
      this.#credits.set(tenantId, this.#owed[index] as number)
    })
  }
}

/** Which of them have a turn among the next ones. */
export function chooseByWeight(
  tenants: readonly Weighted[],
  turns: number,
  credits: TurnCredits,
): ReadonlySet<number> {
  const order = new WeightedTurns(tenants, [], credits)
  const chosen = new Set<number>()
  for (let turn = 0; turn < turns; turn++) {
    const next = order.next()
    chosen.add(next)
    order.count(next)
  }
  return chosen
}
