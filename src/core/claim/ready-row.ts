/**
 * What a ready row says of its target: from when a claim may look at it, and in which of two queues it stands.
 *
 * - A **waiting** target had its turn and waits for the next, the one that has waited longest first. Its time never
 *   lies before the moment of writing, or old backlogs would always come first.
 * - A **fresh** target's due work is new and little. Without this queue a fresh event waits for one turn of every target
 *   with a backlog: with 10 thousand of them, tens of seconds (fq_codel's "new flows" are the same idea).
 *
 * Both stand in one number, `next_at`, so that "newest fresh first", "oldest fresh first" and "longest waiting first"
 * are ranges of one index: the time itself for a waiting target, its negative for a fresh one.
 */

/** Due deliveries beyond which a target is no longer fresh. */
export const maxFreshBacklog = 32
/**
 * A target that gave its last due delivery is a fresh one for what comes within this time. Where other processes
 * publish, it is looked at again after this even if nothing is known to come: a publisher that saw its ready row did
 * not arm it again, and may commit only now.
 */
export const lookAgainMs = 100

export type NextAt = number

export function waitingFrom(at: number): NextAt {
  return at
}

export function freshFrom(at: number): NextAt {
  return -at
}

export function isFresh(nextAt: NextAt): boolean {
  return nextAt < 0
}

/** The time from which a claim may look at the target. */
export function looksFrom(nextAt: NextAt): number {
  return Math.abs(nextAt)
}

export interface Arming {
  readonly now: number
  /** When the work is due; in the past: it is due now. */
  readonly dueAt: number
  /** It has just been published, so the target is fresh unless it waits for its turn already. */
  readonly isNew: boolean
  /** No earlier than this may the target be claimed; in the past: at any time. */
  readonly blockedUntil: number
}

/** What the ready row of a target with such work is to say, if none stands. */
export function readyFor({ now, dueAt, isNew, blockedUntil }: Arming): NextAt {
  if (isNew && dueAt <= now && blockedUntil <= now) return freshFrom(now)
  return waitingFrom(Math.max(now, dueAt, blockedUntil))
}

/** The row that stands stays when a claim looks at it by now, or no later than at the wanted one. */
export function armed(standing: NextAt | null, wanted: NextAt, now: number): NextAt {
  if (standing === null) return wanted
  return looksFrom(standing) <= Math.max(now, looksFrom(wanted)) ? standing : wanted
}

/** The target is blocked until then, however early a claim was to look at it; and it is fresh no longer. */
export function held(standing: NextAt, blockedUntil: number): NextAt {
  return looksFrom(standing) < blockedUntil ? waitingFrom(blockedUntil) : standing
}

export interface Look {
  readonly now: number
  /** What the ready row says. */
  readonly standing: NextAt
  /** The target gave deliveries. */
  readonly gave: boolean
  /** Due time of the first delivery that is left, those in flight included; null: none is known. */
  readonly nextDueAt: number | null
  /** Deliveries of a fresh target that are due and left; more than `maxFreshBacklog` need not be counted. */
  readonly dueCount: number
  /** By then the target is to be looked at again, whatever is known to be due. Null: all that there is, is known. */
  readonly lookBy: number | null
  readonly blockedUntil: number
}

/**
 * What the ready row says after a claim has looked at its target; null: it goes. It never promises work where there is
 * none, because claims would come back to it at once.
 */
export function readyAfterLook(look: Look): NextAt | null {
  const { now, gave, nextDueAt, blockedUntil } = look
  const isBlocked = blockedUntil > now
  const isDue = nextDueAt !== null && nextDueAt <= now
  if (isDue && !isBlocked) {
    // Were it armed anew, it would come before all that were armed since.
    const staysFresh = isFresh(look.standing) && look.dueCount <= maxFreshBacklog
    return staysFresh ? look.standing : waitingFrom(now)
  }
  const nextAt = Math.min(nextDueAt ?? Number.POSITIVE_INFINITY, look.lookBy ?? Number.POSITIVE_INFINITY)
  if (nextAt === Number.POSITIVE_INFINITY) return null
  if (gave && !isBlocked && nextAt <= now + lookAgainMs) return freshFrom(nextAt)
  return waitingFrom(Math.max(now, nextAt, blockedUntil))
}
