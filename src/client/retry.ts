/** When a call is made again, and after which wait. */
import { elapsedMs, pause } from './clock.ts'
import {
  ApiError,
  type ClientError,
  ClientOptionError,
  ConnectionError,
  RetryError,
  UnexpectedAnswerError,
} from './errors.ts'

export interface RetryOptions {
  /** Beyond the first attempt. Default 3; with 0 an error is thrown as it is, without a RetryError around it. */
  readonly maxRetries?: number
  /** The first wait is up to this long, each further one up to twice as long. Default 200. */
  readonly baseMs?: number
  /** No wait is drawn longer than this; a `Retry-After` may be. Default 10 000. */
  readonly capMs?: number
  /** No wait goes beyond this, counted from the first attempt; it is given up instead. Default 30 000. */
  readonly maxElapsedMs?: number
}

export type RetryPolicy = Required<RetryOptions>

export const defaultRetry: RetryPolicy = { maxRetries: 3, baseMs: 200, capMs: 10_000, maxElapsedMs: 30_000 }

export function readRetryOptions(options: RetryOptions, defaults: RetryPolicy = defaultRetry): RetryPolicy {
  const policy = { ...defaults, ...options }
  for (const [name, value] of Object.entries(policy)) {
    const isGood =
      name === 'maxRetries' ? Number.isInteger(value) && value >= 0 : value > 0 && Number.isFinite(value)
    if (!isGood) throw new ClientOptionError(`retry.${name} cannot be ${value}`)
  }
  return policy
}

export interface RetrySetting {
  readonly policy: RetryPolicy
  /** Whether the request may be carried out twice, because it says itself which one it is. */
  readonly isRepeatable: boolean
  readonly signal: AbortSignal | undefined
  /** From 0 up to 1. */
  random(): number
}

/** Calls `attempt` until it succeeds or there is no use in it. */
export async function withRetries<T>(attempt: () => Promise<T>, setting: RetrySetting): Promise<T> {
  const { policy, signal } = setting
  const deadline = elapsedMs() + policy.maxElapsedMs
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt()
    } catch (error) {
      if (policy.maxRetries === 0 || !isRetryable(error, setting.isRepeatable)) throw error
      const waitMs = waitBefore(attempts, error, setting)
      if (attempts > policy.maxRetries || elapsedMs() + waitMs > deadline)
        throw new RetryError(attempts, error)
      await pause(waitMs, signal)
    }
  }
}

function isRetryable(error: unknown, isRepeatable: boolean): error is ClientError {
  if (error instanceof ApiError) {
    // Of the others it is unknown whether the request was carried out.
    if (!isRepeatable) return error.status === 429
    return error.status >= 500 || [408, 425, 429].includes(error.status)
  }
  return isRepeatable && error instanceof ConnectionError && !(error instanceof UnexpectedAnswerError)
}

/** Full jitter. What the server asks for is the least, with a little on top, so that not all come back at one moment. */
function waitBefore(attempts: number, error: unknown, { policy, random }: RetrySetting): number {
  const retryAfterSeconds = error instanceof ApiError ? error.retryAfterSeconds : null
  if (retryAfterSeconds !== null) return retryAfterSeconds * 1000 + random() * policy.baseMs
  return random() * Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(attempts - 1, 30))
}
