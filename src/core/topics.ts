/**
 * Topics, topic patterns, and the index that finds the subscriptions of a topic.
 *
 * A pattern is a topic, `prefix.*` (any depth below the prefix, not the prefix itself) or `*`. No topic holds a `*`,
 * so `ord*`, `*.b`, `a.*.b` and `**` would never match and are refused. A store may hold some from before: they match
 * only themselves. The topics of operational events (`operational-events.ts`) are matched by no other pattern than
 * themselves.
 */
import { type ErrorCode, OuthookError } from './errors.ts'
import { limits } from './model.ts'
import { isOperationalTopic } from './operational-events.ts'
import { checkText, textProblem } from './text.ts'

/** Most patterns that one subscription or key scope may hold. */
export const maxTopicPatterns = 100

const tooLong = `must be at most ${limits.maxTopicBytes} bytes of UTF-8`

/** What is wrong with a topic, as the end of a sentence that names it; null when nothing is. */
export function topicProblem(topic: string): string | null {
  if (topic === '') return 'must not be empty'
  if (Buffer.byteLength(topic) > limits.maxTopicBytes) return tooLong
  if (topic.includes(' ')) return 'must not hold spaces or control characters'
  if (topic.includes('*')) return 'must not hold "*", which only patterns have'
  return textProblem(topic)
}

/** What is wrong with a pattern, likewise. */
function patternProblem(pattern: unknown): string | null {
  if (typeof pattern !== 'string') return 'must be a string'
  if (pattern === '*') return null
  const fixed = pattern.endsWith('.*') ? pattern.slice(0, -2) : pattern
  // Whoever writes ".*" means "*", and a topic that begins with a dot is no topic that anybody has.
  if (fixed.includes('*') || pattern === '.*') return 'can never match'
  // The whole has to fit, because a topic that it matches is at least as long.
  return topicProblem(fixed) ?? (Buffer.byteLength(pattern) > limits.maxTopicBytes ? tooLong : null)
}

/** Checks the topic of an event; `invalid_body` unless another code is given. */
export function checkTopic(topic: unknown, code: ErrorCode = 'invalid_body'): string {
  if (typeof topic !== 'string')
    throw new OuthookError(code, 'topic must be a string such as "orders.created"')
  const problem = topicProblem(topic)
  if (problem !== null) throw new OuthookError(code, `topic ${problem}; write it like "orders.created"`)
  return topic
}

/** Likewise, for an event that a producer publishes. */
export function checkProducerTopic(topic: unknown, code: ErrorCode = 'invalid_body'): string {
  const checked = checkTopic(topic, code)
  if (!isOperationalTopic(checked)) return checked
  throw new OuthookError(
    code,
    `topic "${checked}" is reserved for events that Outhook publishes itself; choose another`,
  )
}

/**
 * Checks the patterns of a subscription or key scope and drops repeated ones. Throws `unprocessable`, and
 * `invalid_request` for what is no text, which names the bad one.
 */
export function checkTopicPatterns(patterns: unknown, member = 'topic_patterns'): readonly string[] {
  if (!Array.isArray(patterns) || patterns.length === 0 || patterns.length > maxTopicPatterns) {
    throw new OuthookError(
      'unprocessable',
      `${member} must be a list of 1 to ${maxTopicPatterns} patterns such as "orders.created", "orders.*" or "*"`,
    )
  }
  for (const [index, pattern] of patterns.entries()) {
    checkText(pattern, `${member}[${index}]`)
    const problem = patternProblem(pattern)
    if (problem === null) continue
    throw new OuthookError(
      'unprocessable',
      `${member}[${index}] ${problem}; a pattern is a topic such as "orders.created", "orders.*" for all below orders, or "*" for all`,
    )
  }
  return [...new Set<string>(patterns)]
}

/** Checks the pattern of a filter. Throws `invalid_request`, which names the member. */
export function checkTopicFilter(pattern: string, member: string): string {
  const problem = patternProblem(pattern)
  if (problem === null) return pattern
  throw new OuthookError(
    'invalid_request',
    `${member} ${problem}; a pattern is a topic such as "orders.created", "orders.*" for all below orders, or "*" for all`,
  )
}

/** Whether a topic falls under a pattern. The empty pattern matches nothing, and an operational topic matches only itself. */
export function topicMatches(pattern: string, topic: string): boolean {
  if (isOperationalTopic(topic)) return pattern === topic
  if (pattern === '*') return true
  if (pattern.endsWith('.*')) return topic.startsWith(pattern.slice(0, -1))
  return pattern !== '' && pattern === topic
}

/** Likewise, for whoever looks for events: that a topic is operational makes no difference then. */
export function topicIsUnder(pattern: string, topic: string): boolean {
  if (pattern === '*') return true
  return pattern.endsWith('.*') ? topic.startsWith(pattern.slice(0, -1)) : pattern === topic
}

export interface TopicIndexEntry<T> {
  readonly patterns: readonly string[]
  readonly value: T
}

export interface TopicIndex<T> {
  /** Every value with a pattern that matches, each once however many of its patterns do. */
  match(topic: string): T[]
  readonly size: number
}

/**
 * Compiles patterns so that matching costs one map look-up per dot of the topic, not one test per subscription.
 *
 * @example
 * compileTopicPatterns([{ patterns: ['orders.*'], value: 'billing' }]).match('orders.created') // ['billing']
 */
export function compileTopicPatterns<T>(entries: Iterable<TopicIndexEntry<T>>): TopicIndex<T> {
  const everything: T[] = []
  const byPrefix = new Map<string, T[]>()
  const byTopic = new Map<string, T[]>()
  let size = 0
  for (const { patterns, value } of entries) {
    size++
    for (const pattern of withoutCovered(patterns)) {
      if (pattern === '*') everything.push(value)
      else if (pattern.endsWith('.*')) append(byPrefix, pattern.slice(0, -2), value)
      else append(byTopic, pattern, value)
    }
  }
  return {
    size,
    match(topic) {
      if (isOperationalTopic(topic)) return byTopic.get(topic)?.slice() ?? []
      const found = everything.slice()
      if (byPrefix.size > 0) {
        for (let dot = topic.indexOf('.'); dot !== -1; dot = topic.indexOf('.', dot + 1)) {
          appendAll(found, byPrefix.get(topic.slice(0, dot)))
        }
      }
      appendAll(found, byTopic.get(topic))
      return found
    },
  }
}

/**
 * Without patterns that another one of the same list includes: then no topic finds a value twice.
 * A pattern includes another exactly if it matches the other's text, because `a.b.*` begins like all its topics.
 */
function withoutCovered(patterns: readonly string[]): string[] {
  const unique = [...new Set(patterns)].filter((pattern) => pattern !== '')
  return unique.filter(
    (pattern) => !unique.some((other) => other !== pattern && topicMatches(other, pattern)),
  )
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

function appendAll<T>(found: T[], more: readonly T[] | undefined): void {
  if (more !== undefined) for (const value of more) found.push(value)
}
