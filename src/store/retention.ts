/** What both databases share of retention: which tables are walked, from when on a row may go. */
import type { TenantSettings } from '../core/tenant.ts'
import { agedNow, nextSkipAfter, type TimeLine } from '../core/time-line.ts'
import type { RemovedRows, Retention } from './port.ts'

/** In this order: an event goes after its deliveries, so the walk over events does not overtake theirs. */
export const retentionWalks = ['payloads', 'attempts', 'successes', 'deliveries', 'events'] as const
/** Attempts are in two tables: those that succeeded are kept in the rows of their deliveries. */
export type RetentionWalk = (typeof retentionWalks)[number]

export function countedAs(walk: RetentionWalk): keyof RemovedRows {
  return walk === 'successes' ? 'attempts' : walk
}

/** A walk starts over after this, for the sake of rows that had to stay when it passed them. */
export const startOverEveryMs = 86_400_000

export const nothingRemoved: RemovedRows = { payloads: 0, attempts: 0, deliveries: 0, events: 0, jobs: 0 }

/** 0: rows of this table stay for ever. */
export function keptMs(walk: RetentionWalk, retention: Retention): number {
  switch (walk) {
    case 'payloads':
      return retention.payloadsMs
    case 'attempts':
    case 'successes':
      return retention.attemptsMs
    case 'deliveries':
    case 'events':
      return retention.eventsMs
  }
}

/** Moments from the first to the last, both included. */
export interface MomentRange {
  readonly from: number
  readonly to: number
}

/** The moments that are `ageMs` ago or longer by a line of time with skips, which count for no age; 0: none are. */
export function agedRanges(line: TimeLine, ageMs: number, now: number): readonly MomentRange[] {
  if (ageMs === 0) return []
  const ranges: MomentRange[] = []
  for (let from = 0; from <= now; ) {
    const next = nextSkipAfter(line, from)
    const to = Math.min(agedNow(line, from, now) - ageMs, next - 1)
    if (to >= from) ranges.push({ from, to })
    from = next
  }
  return ranges
}

/** Dead letters that ended up to then are like any finished delivery; 0: none are. */
export function deadLettersEndedBy(retention: Retention, now: number): number {
  return retention.deadLettersMs === 0 ? 0 : now - retention.deadLettersMs
}

/**
 * Tenants that keep everything for as long as each other. Each class has walks of its own, at the edge of its own ages, so
 * that a row is looked at once for each class and never to find out that it is too young.
 */
export interface RetentionClass {
  /** `tenants.retention` of its tenants; null: they have the server's. */
  readonly key: string | null
  readonly retention: Retention
}

const ownMembers = ['retainPayloadsMs', 'retainAttemptsMs', 'retainEventsMs', 'retainDeadLettersMs'] as const

/** What a tenant's row says of its class: a list of four ages, each null where it is the server's. */
export function retentionKeyOf(settings: Partial<TenantSettings>): string | null {
  const ages = ownMembers.map((name) => settings[name] ?? null)
  return ages.every((age) => age === null) ? null : JSON.stringify(ages)
}

export function retentionClasses(server: Retention, keys: readonly string[]): readonly RetentionClass[] {
  const own = keys.map((key) => {
    const [payloads, attempts, events, deadLetters] = JSON.parse(key) as (number | null)[]
    const retention = {
      payloadsMs: payloads ?? server.payloadsMs,
      attemptsMs: attempts ?? server.attemptsMs,
      eventsMs: events ?? server.eventsMs,
      deadLettersMs: deadLetters ?? server.deadLettersMs,
      jobsMs: server.jobsMs,
    }
    return { key, retention }
  })
  return [{ key: null, retention: server }, ...own]
}

/** One class with each call, in turn, until none has found anything to do. */
export class RetentionTurns {
  #turn = 0
  /** Classes in a row that had nothing left to do. */
  #done = 0

  next(classes: readonly RetentionClass[]): RetentionClass {
    return classes[this.#turn++ % classes.length] as RetentionClass
  }

  /** After the class of `next`; whether there is to be another call. */
  isOpen(classes: readonly RetentionClass[], more: boolean): boolean {
    this.#done = more ? 0 : this.#done + 1
    if (this.#done < classes.length) return true
    this.#done = 0
    return false
  }
}
