/** Events by filters. What is asked for beside tenant, topic and time is looked at event by event, as far as a page reads. */
import type { SQLInputValue } from 'node:sqlite'
import type { EventFilter, EventListing, PageRequest } from '../../port.ts'
import { findTopic } from '../rows/names.ts'
import type { ReadContext } from './context.ts'
import { checkStates } from './event-states.ts'
import { readEvent, tenantNumber, timeConditions } from './events.ts'
import { readKeyPage, toKeyPage } from './key-pages.ts'
import { walkGroup, walksOfTenant } from './newest-keys.ts'
import { findWanted, type Walk } from './walk-down.ts'

const noPage: EventListing = { items: [], nextCursor: '', searchedUntil: null }

export function listEvents(
  context: ReadContext,
  tenantId: string,
  filter: EventFilter,
  page: PageRequest,
): EventListing {
  const bounds = readKeyPage(page, filter)
  const tenant = tenantNumber(context, tenantId)
  if (tenant === null) return noPage
  const topic = filter.topic === undefined ? null : findTopic(context, filter.topic)
  const { condition, values } = conditionsOf(filter)
  const of = { table: 'events', group: 'topic', tenant, condition, values } as const
  const ofText = {
    ...of,
    condition: `${condition} and d.topic_text = ?`,
    values: [...values, filter.topic ?? ''],
  }
  const walks =
    filter.topic === undefined
      ? walksOfTenant(context, { ...of, wants: wantedTopics(context, filter) }, bounds)
      : [walkGroup(context, topic === null ? ofText : of, { ...bounds, group: topic })]
  const found = findWanted(withStates(context, walks, filter), bounds.limit)
  const { stoppedAt } = found
  return {
    ...toKeyPage(found, bounds.limit, (key) => readEvent(context, key)),
    searchedUntil: stoppedAt === null ? null : createdAt(context, stoppedAt),
  }
}

/** All but tenant, topic and states, as SQL over the alias `d`. */
function conditionsOf(filter: EventFilter) {
  const times = timeConditions(filter)
  const conditions = [times.condition]
  const values: SQLInputValue[] = [...times.values]
  const { topicPrefix, orderingKey, metadata = {} } = filter
  if (topicPrefix !== undefined) {
    // Of a topic that is a number its row is looked up, by its primary key.
    conditions.push(
      'and substr(coalesce((select t.topic from topics t where t.n = d.topic), d.topic_text), 1, ?) = ?',
    )
    values.push([...topicPrefix].length, topicPrefix)
  }
  if (orderingKey !== undefined) {
    conditions.push('and d.ordering_key = ?')
    values.push(orderingKey)
  }
  for (const [name, value] of Object.entries(metadata)) {
    conditions.push('and json_extract(d.metadata, ?) = ?')
    values.push(`$."${name}"`, value)
  }
  return { condition: conditions.join(' '), values }
}

/** Which topics need no walk at all, by their numbers: a pattern that few have would look through all of the others. */
function wantedTopics(
  context: ReadContext,
  { topicPrefix }: EventFilter,
): ((topic: number | null) => boolean) | undefined {
  if (topicPrefix === undefined) return undefined
  return (topic) => {
    // Written out, or none: the condition looks at each.
    if (topic === null) return true
    const row = context.prepare('select topic from topics where n = ?').get(topic) // primary key
    return row !== undefined && (row.topic as string).startsWith(topicPrefix)
  }
}

/** What is looked up of an event counts as what is looked at, so that events for many make shorter searches. */
function withStates(
  context: ReadContext,
  walks: readonly Walk[],
  { deliveryState }: EventFilter,
): readonly Walk[] {
  if (deliveryState === undefined) return walks
  const check = checkStates(context, deliveryState)
  return walks.map(function* (walk): Walk {
    for (const entry of walk) {
      if (!entry.wanted) {
        yield entry
        continue
      }
      const { isThere, lookedAt } = check(entry.k)
      yield { k: entry.k, wanted: isThere ? 1 : 0 }
      for (let n = 0; n < lookedAt; n++) yield { k: entry.k, wanted: 0 }
    }
  })
}

function createdAt(context: ReadContext, key: number): number | null {
  const row = context.prepare('select created_at from events where k = ?').get(key) // primary key
  return (row?.created_at ?? null) as number | null
}
