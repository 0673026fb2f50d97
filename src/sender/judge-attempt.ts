/**
 * What one attempt means for the send it belongs to:
 *
 *     2xx                                  ─► done
 *     408, 425, 429, 5xx                   ─► retry, after the wait that the receiver names or by backoff
 *       … when that wait is too long       ─► give up, with the wait
 *     other 4xx, 3xx, policy refusals      ─► give up
 *     a name that resolves to a refused
 *       address                            ─► retry by backoff
 *     timeout, connection, DNS, TLS        ─► transport: another proxy if there are any, else retry by backoff
 */
import { retryAfterMs, secondsInBodyMs } from '../core/retry-after.ts'
import { nextDelayMs, type RetryPolicy } from '../core/retry-policy.ts'
import type { AttemptResult } from './port.ts'
import { parseResponse, type WebhookErrorCode } from './webhook-result.ts'

export type Verdict =
  | { readonly kind: 'done' }
  | { readonly kind: 'give_up'; readonly reason: Reason; readonly retryAfterMs?: number }
  | { readonly kind: 'retry'; readonly reason: Reason; readonly waitMs: number; readonly asked: boolean }
  | { readonly kind: 'transport'; readonly reason: Reason; readonly waitMs: number }

export interface Reason {
  readonly code: WebhookErrorCode
  readonly text: string
}

export interface JudgeRules {
  readonly backoff: Pick<RetryPolicy, 'delays' | 'jitter'> & { readonly capMs: number }
  readonly maxRetryAfterMs: number
  readonly random: () => number
}

export interface JudgeMoment {
  /** Retries made so far, which the backoff grows with. */
  readonly retries: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

export function judgeAttempt(result: AttemptResult, rules: JudgeRules, moment: JudgeMoment): Verdict {
  if (result.kind === 'failure') return judgeFailure(result, { rules, moment })
  const { httpStatus } = result
  if (httpStatus >= 200 && httpStatus < 300) return done
  if (httpStatus >= 300 && httpStatus < 400) {
    const text = `the receiver answered ${httpStatus}, a redirect, and redirects are refused; use the final URL`
    return { kind: 'give_up', reason: { code: 'redirect', text } }
  }
  const limited = httpStatus === 429
  const reason: Reason = {
    code: limited ? 'rate_limited' : 'http_status',
    text: `the receiver answered ${httpStatus}`,
  }
  const retryable = limited || httpStatus === 408 || httpStatus === 425 || httpStatus >= 500
  return retryable ? judgeWait(result, reason, { rules, moment }) : { kind: 'give_up', reason }
}

interface Judging {
  readonly rules: JudgeRules
  readonly moment: JudgeMoment
}

const done: Verdict = { kind: 'done' }

type Response = Extract<AttemptResult, { kind: 'response' }>
type Failure = Extract<AttemptResult, { kind: 'failure' }>

function judgeFailure(result: Failure, judging: Judging): Verdict {
  const reason = { code: result.errorClass, text: result.error }
  switch (result.errorClass) {
    case 'policy':
      return result.mayChange === true
        ? { kind: 'retry', reason, waitMs: backoffMs(judging), asked: false }
        : { kind: 'give_up', reason }
    case 'internal':
      return { kind: 'retry', reason, waitMs: backoffMs(judging), asked: false }
    case 'timeout':
    case 'connection':
    case 'dns':
    case 'tls':
      return { kind: 'transport', reason, waitMs: backoffMs(judging) }
  }
}

function judgeWait(result: Response, reason: Reason, judging: Judging): Verdict {
  const limited = result.httpStatus === 429
  const asked =
    (limited ? bodyWaitMs(result.response.body) : null) ?? retryAfterMs(result.retryAfter, judging.moment.now)
  if (asked !== null && asked > judging.rules.maxRetryAfterMs) {
    const text = `${reason.text} and asks to wait ${Math.ceil(asked / 1000)} s, longer than maxRetryAfterMs allows`
    return { kind: 'give_up', reason: { ...reason, text }, retryAfterMs: asked }
  }
  // A limit says exactly when; "unavailable" only says not before.
  const waitMs = limited ? (asked ?? backoffMs(judging)) : Math.max(asked ?? 0, backoffMs(judging))
  return { kind: 'retry', reason, waitMs, asked: asked !== null }
}

/** `retry_after` of a JSON body, in seconds, as Discord and others write it. */
function bodyWaitMs(body: Uint8Array): number | null {
  const response = parseResponse(body)
  if (typeof response !== 'object' || response === null || !('retry_after' in response)) return null
  return secondsInBodyMs(response.retry_after)
}

function backoffMs({ rules, moment }: Judging): number {
  const { backoff, random } = rules
  const policy = { delays: backoff.delays, jitter: backoff.jitter, maxAttempts: 1, retryOn: noStatuses }
  return Math.min(nextDelayMs(policy, moment.retries + 1, random), backoff.capMs)
}

const noStatuses = { include: [], except: [] }
