/**
 * What one check of a payload may take. A schema can be written such that its check takes for ever (branches that branch
 * again, a reference to itself, every item compared with every other), and whoever writes schemas is not always whoever
 * runs the server. So everything that a check does is paid for by what it takes, and ends when nothing is left. Counted
 * and not timed, so that the answer for one payload and one schema is always the same.
 */

/** A unit is some 50 ns; all of them some 50 ms. A payload of 256 KB with 30 000 members takes a tenth of it. */
const unitsPerCheck = 1_000_000

export class CheckBudget {
  #left = 0

  begin(): void {
    this.#left = unitsPerCheck
  }

  /** Throws a `BudgetSpent` when nothing is left. */
  spend(units: number): void {
    this.#left -= units
    if (this.#left < 0) throw new BudgetSpent()
  }
}

export class BudgetSpent extends Error {
  constructor() {
    super('the check of the payload takes too long')
  }
}
