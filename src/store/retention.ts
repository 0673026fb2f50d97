/** What both databases share of retention: which tables are walked, from when on a row may go. */
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

export const nothingRemoved: RemovedRows = { payloads: 0, attempts: 0, deliveries: 0, events: 0 }

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

/** Dead letters that ended up to then are like any finished delivery; 0: none are. */
export function deadLettersEndedBy(retention: Retention, now: number): number {
  return retention.deadLettersMs === 0 ? 0 : now - retention.deadLettersMs
}
