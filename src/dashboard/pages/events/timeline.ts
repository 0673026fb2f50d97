/** What became of an event, in the order of time: from when it was accepted to the end of each delivery. Pure. */
import type { DeliveryOfEvent, EventStatus } from '../../../client/index.ts'

export interface TimelineEntry {
  readonly at: string
  readonly text: string
  readonly is: 'good' | 'bad' | 'plain'
  /** Null: it is about the event itself. */
  readonly delivery: DeliveryOfEvent | null
}

/** More than anybody reads; those of one delivery are on its own page. */
const maxEntries = 200

export interface Timeline {
  readonly entries: readonly TimelineEntry[]
  /** Left out, because there are too many. */
  readonly leftOut: number
}

const ends: Readonly<Partial<Record<DeliveryOfEvent['state'], string>>> = {
  succeeded: 'arrived',
  dead_lettered: 'given up',
  cancelled: 'cancelled',
  skipped: 'skipped',
}

export function timelineOf(event: EventStatus): Timeline {
  const entries: TimelineEntry[] = [{ at: event.createdAt, text: 'accepted', is: 'plain', delivery: null }]
  if (event.deliverAt !== null && event.deliverAt > event.createdAt) {
    entries.push({ at: event.deliverAt, text: 'due, as it was published for', is: 'plain', delivery: null })
  }
  for (const delivery of event.deliveries) {
    for (const { startedAt, latencyMs, status, httpStatus, errorClass, attemptNo } of delivery.attempts) {
      const said = httpStatus === null ? (errorClass ?? status) : `answered ${httpStatus}`
      entries.push({
        at: new Date(Date.parse(startedAt) + latencyMs).toISOString(),
        text: `attempt ${attemptNo}: ${said}, after ${latencyMs} ms`,
        is: status === 'success' ? 'good' : 'bad',
        delivery,
      })
    }
    const end = ends[delivery.state]
    if (end !== undefined) {
      const is =
        delivery.state === 'succeeded' ? 'good' : delivery.state === 'dead_lettered' ? 'bad' : 'plain'
      entries.push({ at: delivery.updatedAt, text: end, is, delivery })
    }
  }
  // Of the same moment, in the order in which they were put.
  entries.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  return { entries: entries.slice(0, maxEntries), leftOut: Math.max(0, entries.length - maxEntries) }
}
