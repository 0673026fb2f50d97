/**
 * Lost claims: a worker died holding the delivery. They are counted apart from attempts, reset by any outcome and
 * not raised by drains, limits or store failures. A payload that kills every worker must end somewhere; healthy
 * work that happened to be in flight at a few crashes must not.
 */
import type { ErrorClass } from './model.ts'

const leastLimit = 20
const aloneFrom = 3

export type LostClaimStep =
  | { readonly kind: 'run' }
  /** With nothing else in flight on the node, so that it takes nobody with it. */
  | { readonly kind: 'run_alone' }
  | { readonly kind: 'dead_letter'; readonly finalError: Extract<ErrorClass, 'attempts_exhausted'> }

/** Lost claims at which a delivery is given up. */
export function lostClaimLimit(maxAttempts: number): number {
  return Math.max(leastLimit, maxAttempts)
}

/** What to do with a claimed delivery that lost `lostClaims` claims since its last outcome. */
export function decideLostClaim(lostClaims: number, maxAttempts: number): LostClaimStep {
  if (lostClaims >= lostClaimLimit(maxAttempts))
    return { kind: 'dead_letter', finalError: 'attempts_exhausted' }
  return lostClaims >= aloneFrom ? { kind: 'run_alone' } : { kind: 'run' }
}
