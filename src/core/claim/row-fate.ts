/** What becomes of a delivery that is due, comes back, or whose endpoint or subscription has changed. */
import type { LiveState, WaitReason } from '../model.ts'

export interface Belonging {
  /** Its endpoint or its subscription is deleted: nobody may attempt it any more. */
  readonly isDeleted: boolean
  readonly isDisabled: boolean
}

/** `lease`: it may be attempted. `park`: it waits without a due time, for the reason. */
export type Fate =
  | { readonly kind: 'lease' }
  | { readonly kind: 'park'; readonly reason: WaitReason }
  | { readonly kind: 'cancel' }

export function fateOf({ isDeleted, isDisabled }: Belonging): Fate {
  if (isDeleted) return { kind: 'cancel' }
  return isDisabled ? { kind: 'park', reason: 'endpoint_disabled' } : { kind: 'lease' }
}

/** The part of a live row that a claim changes. */
export interface Claimable {
  /** In flight: its lease has ended without an outcome. */
  readonly state: LiveState
  readonly claimVersion: number
  readonly attemptCount: number
  readonly lostClaims: number
}

/** A due row under its new lease. */
export function leased(row: Claimable): Claimable {
  const lost = row.state === 'in_flight' ? 1 : 0
  return {
    ...row,
    state: 'in_flight',
    claimVersion: row.claimVersion + 1,
    lostClaims: row.lostClaims + lost,
  }
}

/** A row that nobody holds. */
export interface Waiting extends Claimable {
  readonly state: 'pending' | 'retry_scheduled'
  /** Null: it has no due time, for the reason. */
  readonly dueInMs: number | null
  readonly reason: WaitReason | null
}

/** A row that waits without a due time. A lease that has ended goes with it, as a lost claim. */
export function parked(row: Claimable, reason: WaitReason): Waiting {
  const lost = row.state === 'in_flight' ? 1 : 0
  return {
    ...row,
    state: waitingState(row),
    claimVersion: row.claimVersion + lost,
    lostClaims: row.lostClaims + lost,
    dueInMs: null,
    reason,
  }
}

/** A parked row whose reason is over. Its event may be for later all the same. */
export function unparked(row: Claimable, deliversInMs: number): Waiting {
  const dueInMs = Math.max(0, deliversInMs)
  return { ...row, state: waitingState(row), dueInMs, reason: dueInMs > 0 ? 'scheduled' : null }
}

export interface FirstWait {
  readonly now: number
  /** Of the event; null: at once. */
  readonly deliverAt: number | null
  readonly parked: WaitReason | null
}

/** What a delivery waits for that nobody has attempted: nothing, the time of its event, or the end of a reason. */
export function firstWait({ now, deliverAt, parked: reason }: FirstWait): {
  readonly dueAt: number | null
  readonly reason: WaitReason | null
} {
  if (reason !== null) return { dueAt: null, reason }
  return deliverAt !== null && deliverAt > now
    ? { dueAt: deliverAt, reason: 'scheduled' }
    : { dueAt: now, reason: null }
}

/** A row whose lease is given back: neither an attempt nor a lost claim is counted. */
export function released(row: Claimable, delayMs: number): Waiting {
  return {
    ...row,
    state: waitingState(row),
    claimVersion: row.claimVersion + 1,
    dueInMs: delayMs,
    reason: null,
  }
}

/** A row whose attempt is to be followed by another one. What was lost before does not count any more. */
export function retried(
  row: Claimable,
  { attemptCount, delayMs }: { readonly attemptCount: number; readonly delayMs: number },
): Waiting {
  return {
    ...row,
    attemptCount,
    state: waitingState({ attemptCount }),
    lostClaims: 0,
    dueInMs: delayMs,
    reason: null,
  }
}

/** It waits for its first attempt, or for another one. */
export function waitingState({ attemptCount }: Pick<Claimable, 'attemptCount'>): Waiting['state'] {
  return attemptCount === 0 ? 'pending' : 'retry_scheduled'
}
