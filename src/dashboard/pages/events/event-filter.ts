/** Which events are listed: what the address says of it, and what the server is asked. Pure. */
import type { ListEventsQuery } from '../../../client/index.ts'
import { text, type ValuesOf } from '../../kit/url-values.ts'

export const eventFilterShape = { topic: text, since: text, until: text, cursor: text }

export type EventFilterValues = ValuesOf<typeof eventFilterShape>

export function toListQuery({ topic, since, until }: EventFilterValues): ListEventsQuery {
  return {
    ...(topic !== '' && { topic }),
    ...(since !== '' && { since }),
    ...(until !== '' && { until }),
  }
}

export function isFiltered(values: EventFilterValues): boolean {
  return Object.keys(toListQuery(values)).length > 0
}
