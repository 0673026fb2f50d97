/**
 * Lost claims: a worker died holding the delivery. They are counted apart from attempts, reset by any outcome and
 * not raised by drains, limits or store failures. A payload that kills every worker must end somewhere; healthy
 * work that happened to be in flight at a few crashes must not.
 */
import type { ErrorClass } from './model.ts'

const leastLimit = 20
const aloneFrom = 3
const roundsOfHalves = 11

export type LostClaimStep =
  | { readonly kind: 'run' }
  /** A suspect: with nothing in flight on the node but its group, so that it takes nobody else with it. */
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

/**
 * The suspects that run together: half of those that lost as many claims, half of these when they lose one more, and so
 * on. A group is named by as many bits of a hash of the delivery's id as it lost claims as a suspect, so no memory is
 * needed of who ran with whom: one poisonous delivery among 2000 is alone after some eleven crashes, and groups without
 * it are done at their first round. After that a group is cut into sixteen: with halves alone one in seventy poisonous
 * deliveries would still have had a healthy one beside it at the limit.
 */
export function suspectGroup(deliveryId: string, lostClaims: number): string {
  const rounds = Math.max(0, lostClaims - aloneFrom + 1)
  const bits = Math.min(32, rounds + 3 * Math.max(0, rounds - roundsOfHalves))
  return `${lostClaims}:${bits === 0 ? 0 : hash(deliveryId) >>> (32 - bits)}`
}

/** 32-bit FNV-1a, with a last mix, because its upper bits alone tell similar texts badly apart. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return (value ^ (value >>> 13)) >>> 0
}
