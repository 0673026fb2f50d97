/** What a look at one payload, before a subscription is made or changed, says of it. */
import { topicMatches } from '../topics.ts'
import type { FailedCondition } from './explain.ts'
import { explainFailure } from './explain.ts'
import { judgePayload, readPayload } from './filter-set.ts'
import type { ParsedFilter } from './parse-filter.ts'

/** Events that a preview shows. */
export const defaultPreviewed = 20
export const maxPreviewed = 100

export const previewReasons = ['topic', 'filter', 'not_json', 'too_costly', 'payload_gone'] as const
export type PreviewReason = (typeof previewReasons)[number]

export interface Previewed {
  readonly passes: boolean
  /** Why it does not pass. */
  readonly reason: PreviewReason | null
  /** With the reason `filter`: the first condition that does not hold. */
  readonly failed: FailedCondition | null
}

export interface PreviewedPayload {
  /** Null: of none that is known. */
  readonly topic: string | null
  /** Null: it is gone. */
  readonly payload: Uint8Array | null
}

export interface PreviewRules {
  /** Null: everything passes. */
  readonly filter: ParsedFilter | null
  /** Null: any topic. */
  readonly topicPatterns: readonly string[] | null
}

export function isOfTopics(topic: string, patterns: readonly string[] | null): boolean {
  return patterns === null || patterns.some((pattern) => topicMatches(pattern, topic))
}

export function previewPayload(
  { topic, payload }: PreviewedPayload,
  { filter, topicPatterns }: PreviewRules,
): Previewed {
  if (topic !== null && !isOfTopics(topic, topicPatterns)) return refusedFor('topic')
  if (filter === null) return { passes: true, reason: null, failed: null }
  if (payload === null) return refusedFor('payload_gone')
  const read = readPayload(payload)
  const verdict = judgePayload(filter, read)
  if (verdict === 'passes') return { passes: true, reason: null, failed: null }
  if (verdict !== 'fails' || read === null) return refusedFor(verdict === 'fails' ? 'not_json' : verdict)
  return { ...refusedFor('filter'), failed: explainFailure(filter.condition, read.value) }
}

function refusedFor(reason: PreviewReason): Previewed {
  return { passes: false, reason, failed: null }
}
