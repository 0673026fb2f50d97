/** Hookrail's `max_attempts` and `backoff_policy` as the retry policy that they mean. */
import { OuthookError } from '../core/errors.ts'
import type { StoredRetryPolicy } from '../core/model.ts'
import { parseHookrailBackoff, renderRetryPolicy } from '../core/retry-policy-json.ts'
import type { SubscriptionSettings } from './schemas/subscriptions.ts'

/**
 * The policy that a body asks for; undefined when it names none. What of hookrail's two members is absent stays as
 * in `current`, when that is a policy of the subscription's own, else it is hookrail's default.
 */
export function retryPolicyOf(body: SubscriptionSettings, current: StoredRetryPolicy | null): unknown {
  const { max_attempts: maxAttempts, backoff_policy: backoffPolicy, retry_policy: retryPolicy } = body
  if (maxAttempts === undefined && backoffPolicy === undefined) return retryPolicy
  if (retryPolicy !== undefined) {
    throw new OuthookError(
      'invalid_body',
      'retry_policy cannot stand beside max_attempts or backoff_policy; give one or the other',
    )
  }
  const asked = parseHookrailBackoff({ maxAttempts, backoffPolicy })
  if (current === null || typeof current === 'string') return renderRetryPolicy(asked)
  return renderRetryPolicy({
    ...current,
    ...(maxAttempts !== undefined && { maxAttempts: asked.maxAttempts }),
    ...(backoffPolicy !== undefined && { delays: asked.delays, jitter: asked.jitter }),
  })
}
