import type { StoreFault } from './store-fault.ts'

/**
 * Every error that a caller can meet, in one table: stable code, HTTP status, title.
 * The message says what happened and what to do; callers decide by `code`, never by text.
 */
export const errorTable = {
  invalid_request: { status: 400, title: 'invalid request' },
  invalid_body: { status: 400, title: 'invalid body' },
  invalid_payload: { status: 400, title: 'invalid payload' },
  bad_cursor: { status: 400, title: 'bad cursor' },
  ordering_key_conflict: { status: 400, title: 'ordering_key conflict' },
  ordering_key_too_long: { status: 400, title: 'ordering_key too long' },
  unauthorized: { status: 401, title: 'invalid credentials' },
  missing_credentials: { status: 401, title: 'missing credentials' },
  forbidden: { status: 403, title: 'not permitted' },
  not_found: { status: 404, title: 'not found' },
  method_not_allowed: { status: 405, title: 'method not allowed' },
  request_timeout: { status: 408, title: 'request timeout' },
  conflict: { status: 409, title: 'conflict' },
  idempotency_conflict: { status: 409, title: 'idempotency conflict' },
  endpoint_not_available: { status: 409, title: 'endpoint not available' },
  not_replayable: { status: 409, title: 'not replayable' },
  attempt_under_way: { status: 409, title: 'attempt under way' },
  not_cancellable: { status: 409, title: 'not cancellable' },
  not_skippable: { status: 409, title: 'conflict' },
  expired: { status: 410, title: 'expired' },
  version_conflict: { status: 412, title: 'changed meanwhile' },
  payload_too_large: { status: 413, title: 'payload too large' },
  uri_too_long: { status: 414, title: 'uri too long' },
  unsupported_media_type: { status: 415, title: 'unsupported media type' },
  expectation_failed: { status: 417, title: 'expectation failed' },
  url_rejected: { status: 422, title: 'url rejected' },
  payload_mismatch: { status: 422, title: 'payload does not match its event type' },
  unprocessable: { status: 422, title: 'unprocessable' },
  headers_too_large: { status: 431, title: 'request header fields too large' },
  rate_limited: { status: 429, title: 'rate limited' },
  backlog_full: { status: 429, title: 'backlog full' },
  internal: { status: 500, title: 'internal error' },
  store_refused: { status: 500, title: 'store refused the call' },
  store_unavailable: { status: 503, title: 'store unavailable' },
  overloaded: { status: 503, title: 'overloaded' },
  shutting_down: { status: 503, title: 'shutting down' },
  timeout: { status: 504, title: 'timed out' },
  invalid_config: { status: 500, title: 'invalid configuration' },
  store_locked: { status: 503, title: 'store in use' },
  store_missing: { status: 500, title: 'store missing' },
  store_incompatible: { status: 500, title: 'store incompatible' },
  wrong_master_key: { status: 500, title: 'wrong master key' },
  closed: { status: 503, title: 'closed' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof errorTable

const brand = Symbol.for('outhook.error')

export interface OuthookErrorOptions {
  readonly cause?: unknown
  /** Overrides the table's title where an answer must keep a given wording. */
  readonly title?: string
  /** Whole seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** Of a store that cannot be used: why, where that is known. */
  readonly fault?: StoreFault | undefined
  /** What callers of the server are told of a `store_unavailable`: the message may name addresses and files. */
  readonly publicDetail?: string
  /** Of a payload: where, as a JSON Pointer. */
  readonly path?: string
}

/**
 * The one error class of Outhook. `instanceof` also holds across two installed copies of the package.
 *
 * @example
 * try { await hooks.publish(event) } catch (error) {
 *   if (error instanceof OuthookError && error.code === 'idempotency_conflict') return
 *   throw error
 * }
 */
export class OuthookError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly title: string
  readonly retryAfterSeconds: number | undefined
  /** With `store_unavailable`: why, where that is known. */
  readonly fault: StoreFault | undefined
  readonly publicDetail: string | undefined
  /** With `payload_mismatch`: where in the payload, as a JSON Pointer; empty is the payload as a whole. */
  readonly path: string | undefined

  constructor(code: ErrorCode, message: string, options: OuthookErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'OuthookError'
    this.code = code
    this.status = errorTable[code].status
    this.title = options.title ?? errorTable[code].title
    this.retryAfterSeconds = options.retryAfterSeconds
    this.fault = options.fault
    this.publicDetail = options.publicDetail
    this.path = options.path
    Object.defineProperty(this, brand, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }
}

/**
 * The store undid the call, for certain, and would do so again. After any other error of a store what was asked for may
 * have happened.
 */
export function isStoreRefusal(error: unknown): error is OuthookError {
  return error instanceof OuthookError && error.code === 'store_refused'
}
