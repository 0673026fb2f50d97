/** Which events a subscription would have got, before it is made or changed. Nothing is written. */
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { FilterInput } from '../core/filter/condition.ts'
import { parseFilter } from '../core/filter/parse-filter.ts'
import {
  defaultPreviewed,
  isOfTopics,
  maxPreviewed,
  type Previewed,
  type PreviewRules,
  previewPayload,
} from '../core/filter/preview.ts'
import { stringifyPayload } from '../core/json-payload.ts'
import type { OutboundEvent } from '../core/model.ts'
import { checkTopic, checkTopicPatterns } from '../core/topics.ts'
import type { ReadStore } from '../store/port.ts'

/** Events that are read to find some of the topics. */
const maxLookedAt = 1000
const pageLimit = 200

export interface PreviewInput {
  /** As of a subscription. */
  readonly filter: FilterInput | null
  /** Default: events of any topic. */
  readonly topicPatterns?: readonly string[]
  /** Looked at in place of recent events: any value that JSON has. */
  readonly payload?: unknown
  /** Of `payload`. */
  readonly topic?: string
  /** Events that are shown, 1 to 100: the newest that have a topic of `topicPatterns`. Default 20. */
  readonly limit?: number
}

export interface PreviewedEvent extends Previewed {
  /** Null: of the payload that was given. */
  readonly eventId: string | null
  readonly topic: string | null
  readonly createdAt: number | null
}

export interface PreviewResult {
  readonly passed: number
  /** Events, also those of other topics: at most 1000, the newest. */
  readonly lookedAt: number
  /** Newest first. */
  readonly items: readonly PreviewedEvent[]
}

export type PreviewStore = Pick<ReadStore, 'listEvents' | 'getPayload'>

export async function previewSubscription(
  store: PreviewStore,
  tenantId: string,
  { input, words }: { readonly input: PreviewInput; readonly words: FaceWords },
): Promise<PreviewResult> {
  const rules: PreviewRules = {
    filter: parseFilter(input.filter),
    topicPatterns:
      input.topicPatterns === undefined
        ? null
        : checkTopicPatterns(input.topicPatterns, words.member('topic_patterns')),
  }
  const limit = checkLimit(input.limit)
  if (input.payload !== undefined) return previewGiven(input, rules)
  if (input.topic !== undefined) {
    throw new OuthookError(
      'unprocessable',
      'topic is that of a payload; give payload with it, or topic patterns',
    )
  }
  const { events, lookedAt } = await findEvents(store, tenantId, { limit, patterns: rules.topicPatterns })
  const items: PreviewedEvent[] = []
  for (const { id: eventId, topic, createdAt } of events) {
    const payload = rules.filter === null ? null : await store.getPayload(tenantId, eventId)
    items.push({ eventId, topic, createdAt, ...previewPayload({ topic, payload }, rules) })
  }
  return toResult(items, lookedAt)
}

function previewGiven({ topic: given, payload: value }: PreviewInput, rules: PreviewRules): PreviewResult {
  const topic = given === undefined ? null : checkTopic(given, 'unprocessable')
  const payload = stringifyPayload(value)
  return toResult(
    [{ eventId: null, topic, createdAt: null, ...previewPayload({ topic, payload }, rules) }],
    1,
  )
}

function toResult(items: readonly PreviewedEvent[], lookedAt: number): PreviewResult {
  return { passed: items.filter(({ passes }) => passes).length, lookedAt, items }
}

interface Wanted {
  readonly limit: number
  readonly patterns: readonly string[] | null
}

/** Direct sends go to nobody who subscribes. */
async function findEvents(store: PreviewStore, tenantId: string, { limit, patterns }: Wanted) {
  const events: OutboundEvent[] = []
  let lookedAt = 0
  let cursor: string | null = null
  while (events.length < limit && lookedAt < maxLookedAt && cursor !== '') {
    const page: Awaited<ReturnType<PreviewStore['listEvents']>> = await store.listEvents(
      tenantId,
      {},
      { limit: pageLimit, cursor },
    )
    for (const event of page.items) {
      if (events.length === limit) break
      lookedAt++
      if (event.topic !== null && isOfTopics(event.topic, patterns)) events.push(event)
    }
    cursor = page.nextCursor
  }
  return { events, lookedAt }
}

function checkLimit(limit: number | undefined): number {
  if (limit === undefined) return defaultPreviewed
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxPreviewed) return limit
  throw new OuthookError('unprocessable', `limit must be a whole number from 1 to ${maxPreviewed}`)
}
