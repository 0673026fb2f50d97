/**
 * What Discord's answer says of a message and of its webhook:
 *
 *     2xx                                       ─► accepted
 *     404 "Unknown Webhook", 401 "Invalid
 *       Webhook Token"                          ─► refused for good, and the endpoint is disabled
 *     3xx, 400, 401, 403, 404, 413              ─► refused for good
 *     429                                       ─► to be tried again when Discord says
 *     any other                                 ─► as the policy says
 */
import type { Clock } from '../../core/clock.ts'
import { type ClassifiedOutcome, permanentFailure, retryableFailure } from '../../core/outcome.ts'
import { retryAfterMs, secondsInBodyMs } from '../../core/retry-after.ts'
import type { RetryPolicy } from '../../core/retry-policy.ts'
import type { AttemptResult } from '../../sender/port.ts'
import { parseResponse } from '../../sender/webhook-result.ts'
import { classifyAttempt, endAttempt } from '../over-http/judge.ts'
import type { EndedAttempt } from '../port.ts'

const unknownWebhook = 10015
const invalidToken = 50027
const forGood: ReadonlySet<number> = new Set([400, 401, 403, 404, 413])

export function judgeDiscord(
  result: AttemptResult,
  policy: RetryPolicy,
  clock: Pick<Clock, 'now'>,
): EndedAttempt {
  if (result.kind === 'failure' || result.httpStatus < 300) {
    return endAttempt(result, classifyAttempt(result, policy), null)
  }
  const said = readBody(result.response.body)
  const inHeader = retryAfterMs(result.retryAfter, clock.now())
  const askedMs = result.httpStatus === 429 ? (secondsInBodyMs(said.retry_after) ?? inHeader) : inHeader
  return endAttempt(result, classify(result.httpStatus, said.code, policy), askedMs)
}

function classify(status: number, code: unknown, policy: RetryPolicy): ClassifiedOutcome {
  const errorClass = `http_${status}` as const
  if (code === unknownWebhook || code === invalidToken) {
    return { ...permanentFailure(errorClass, 'reached'), disable: true }
  }
  if (forGood.has(status)) return permanentFailure(errorClass, 'reached')
  if (status === 429) return retryableFailure(errorClass, 'reached')
  return classifyAttempt({ kind: 'response', httpStatus: status }, policy)
}

function readBody(body: Uint8Array): Readonly<Record<string, unknown>> {
  const answer = parseResponse(body)
  return typeof answer === 'object' && answer !== null ? (answer as Readonly<Record<string, unknown>>) : {}
}
