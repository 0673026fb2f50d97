/** Which events are listed: what the address says of it, and what the server is asked. Pure. */
import type { ListEventsQuery } from '../../../client/index.ts'
import { deliveryStates } from '../../kit/delivery-states.ts'
import { oneOf, text, type ValuesOf } from '../../kit/url-values.ts'

export const stateChoices = ['', ...deliveryStates] as const

export const eventFilterShape = {
  topic: text,
  key: text,
  metadata: text,
  state: oneOf(stateChoices),
  since: text,
  until: text,
  cursor: text,
}

export type EventFilterValues = ValuesOf<typeof eventFilterShape>

export function toListQuery(values: EventFilterValues): ListEventsQuery {
  const { topic, key, metadata, state, since, until } = values
  return {
    ...(topic !== '' && { topicPattern: topic }),
    ...(key !== '' && { orderingKey: key }),
    ...(metadata !== '' && { metadata }),
    ...(state !== '' && { deliveryState: state }),
    ...(since !== '' && { since }),
    ...(until !== '' && { until }),
  }
}

/** No index is for these: the server looks at one event after the other. */
export function isSearched({ key, metadata, state }: EventFilterValues): boolean {
  return key !== '' || metadata !== '' || state !== ''
}

export function isFiltered(values: EventFilterValues): boolean {
  return Object.keys(toListQuery(values)).length > 0
}
