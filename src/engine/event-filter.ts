/** Which events somebody wants to see, in the caller's words and in the store's. */
import { OuthookError } from '../core/errors.ts'
import { parseMetadata } from '../core/metadata.ts'
import { deliveryStates } from '../core/model.ts'
import { checkTopicFilter } from '../core/topics.ts'
import type { EventFilter as StoredFilter } from '../store/port.ts'
import { checkFilter } from './page.ts'

export interface EventFilter extends Omit<StoredFilter, 'topicPrefix'> {
  /** A topic, `prefix.*` for all below the prefix, or `*` for all: direct sends have none. */
  readonly topicPattern?: string
}

/** Errors: invalid_request, which names the member. */
export function readEventFilter({ topicPattern, metadata, ...filter }: EventFilter): StoredFilter {
  const { deliveryState } = filter
  if (deliveryState !== undefined && !deliveryStates.includes(deliveryState)) {
    throw new OuthookError(
      'invalid_request',
      `deliveryState must be one of ${deliveryStates.join(', ')}, not ${JSON.stringify(deliveryState)}`,
    )
  }
  const wanted = parseMetadata(metadata)
  const checked = checkFilter({
    ...filter,
    ...(topicPattern !== undefined && readPattern(topicPattern, filter.topic)),
  })
  return wanted === null ? checked : { ...checked, metadata: wanted }
}

/** What a pattern without a star says is a topic; with another one beside it both have to hold. */
function readPattern(given: string, topic: string | undefined): Pick<StoredFilter, 'topic' | 'topicPrefix'> {
  const pattern = checkTopicFilter(given, 'topicPattern')
  if (pattern === '*' || pattern.endsWith('.*')) return { topicPrefix: pattern.slice(0, -1) }
  // No topic has a star, so none begins with this one: both together hold for none.
  return topic === undefined || topic === pattern ? { topic: pattern } : { topic, topicPrefix: `${pattern}*` }
}
