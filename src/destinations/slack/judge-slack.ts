/**
 * What Slack's answer says of a message and of its webhook. The body is a word:
 *
 *     200 `ok`                                  ─► accepted
 *     410, and 403 or 404 with a word that
 *       says that the webhook is no more        ─► refused for good, and the endpoint is disabled
 *     3xx, 400, 403, 404, 413, 200 without
 *       `ok`                                    ─► refused for good
 *     429                                       ─► to be tried again when Slack says
 *     any other                                 ─► as the policy says
 */
import type { Clock } from '../../core/clock.ts'
import { type ClassifiedOutcome, permanentFailure, retryableFailure } from '../../core/outcome.ts'
import { retryAfterMs } from '../../core/retry-after.ts'
import type { RetryPolicy } from '../../core/retry-policy.ts'
import type { AttemptResult } from '../../sender/port.ts'
import { classifyAttempt, endAttempt } from '../over-http/judge.ts'
import type { EndedAttempt } from '../port.ts'

const goneWords: ReadonlySet<string> = new Set([
  'channel_is_archived',
  'channel_not_found',
  'invalid_token',
  'no_active_hooks',
  'no_service',
  'no_service_id',
  'no_team',
  'team_disabled',
])
const forGood: ReadonlySet<number> = new Set([400, 403, 404, 410, 413])

export function judgeSlack(
  result: AttemptResult,
  policy: RetryPolicy,
  clock: Pick<Clock, 'now'>,
): EndedAttempt {
  if (result.kind === 'failure') return endAttempt(result, classifyAttempt(result, policy), null)
  const word = Buffer.from(result.response.body.subarray(0, 200)).toString('utf8').trim()
  const askedMs = result.retryAfter === null ? null : retryAfterMs(result.retryAfter, clock.now())
  return endAttempt(result, classify(result.httpStatus, word, policy), askedMs)
}

function classify(status: number, word: string, policy: RetryPolicy): ClassifiedOutcome {
  const errorClass = `http_${status}` as const
  if (status >= 200 && status < 300) {
    // Workflows of Slack answer with an object.
    const isOk = word === 'ok' || word === '' || /^\{\s*"(?:ok|success)"\s*:\s*true\b/.test(word)
    return isOk
      ? classifyAttempt({ kind: 'response', httpStatus: status }, policy)
      : permanentFailure(errorClass, 'reached')
  }
  const isGone = status === 410 || ((status === 403 || status === 404) && goneWords.has(word))
  if (isGone) return { ...permanentFailure(errorClass, 'reached'), disable: true }
  if (forGood.has(status)) return permanentFailure(errorClass, 'reached')
  if (status === 429) return retryableFailure(errorClass, 'reached')
  return classifyAttempt({ kind: 'response', httpStatus: status }, policy)
}
