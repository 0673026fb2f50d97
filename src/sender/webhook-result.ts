/** What came of a send: a value that programs read in full and that prints without secrets. */
import { inspect } from 'node:util'
import type { Redactor } from './redaction.ts'

/**
 * Why a send failed, for programs.
 *
 * - `http_status`: an answer that is not 2xx, see `status`; `redirect`: it was a 3xx, and none is followed
 * - `rate_limited`: a 429 to the last try, or a wait beyond `maxRetryAfterMs`, see `retryAfterMs`
 * - `timeout`, `connection`, `dns`, `tls`: the last try got no answer
 * - `policy`: the guard, or `guardSends` of a test, refused the request
 * - `aborted`: the caller's signal; `closed`: the webhook was closed before
 * - `proxy_provider`: `get()` or `burn()` failed, see `cause`
 * - `invalid_url`, `invalid_body`, `invalid_request` (id, headers, timeout): nothing was sent
 * - `internal`: a function of the caller's threw, see `cause`, or a fault of our own
 */
export type WebhookErrorCode =
  | 'http_status'
  | 'redirect'
  | 'rate_limited'
  | 'timeout'
  | 'connection'
  | 'dns'
  | 'tls'
  | 'policy'
  | 'aborted'
  | 'proxy_provider'
  | 'invalid_url'
  | 'invalid_body'
  | 'invalid_request'
  | 'closed'
  | 'internal'

export interface WebhookOutcome {
  readonly ok: boolean
  readonly status: number | null
  /** As given to the `Webhook`. */
  readonly url: string
  readonly attempts: number
  readonly error: string | null
  readonly errorCode: WebhookErrorCode | null
  readonly proxy: string | null
  readonly retryAfterMs?: number
  /** The body of the answer, as received. */
  readonly body?: Uint8Array
  readonly cause?: unknown
}

const decoder = new TextDecoder()
/** What JSON can begin with: most texts that are not JSON need no attempt to read them as such. */
const jsonStart = /^[\s]*[[{"\-0-9tfn]/

/**
 * The result of `send()`. `url`, `response` and `cause` are for the program: they are getters, so that neither
 * `console.log`, `JSON.stringify`, a copy by `{...result}` nor a logger shows them as they are. Printed, the URL is
 * its origin, and the response has every known secret masked.
 */
export class WebhookResult {
  readonly ok: boolean
  /** Of the last answer; null when the last try got none. */
  readonly status: number | null
  /** Requests made: first try, retries and changes of the proxy together. */
  readonly attempts: number
  /** A short cause without secrets; null when ok. */
  readonly error: string | null
  readonly errorCode: WebhookErrorCode | null
  /** `host:port` of the proxy that was used last; null without proxies. */
  readonly proxy: string | null
  /** How long the receiver asked to be left alone, when that is why the send failed. */
  readonly retryAfterMs?: number
  readonly #url: string
  readonly #cause: unknown
  readonly #redactor: Redactor
  #body: Uint8Array | null
  #response: unknown = null

  constructor(outcome: WebhookOutcome, redactor: Redactor) {
    this.ok = outcome.ok
    this.status = outcome.status
    this.attempts = outcome.attempts
    this.error = outcome.error
    this.errorCode = outcome.errorCode
    this.proxy = outcome.proxy
    if (outcome.retryAfterMs !== undefined) this.retryAfterMs = outcome.retryAfterMs
    this.#url = outcome.url
    this.#cause = outcome.cause
    this.#redactor = redactor
    this.#body = outcome.body ?? null
  }

  /** The URL of the pool that was used last, exactly as it was given. It may hold a token: do not log it. */
  get url(): string {
    return this.#url
  }

  /** The answer's body: JSON if it is JSON, else text, null when empty. At most 64 KiB are kept. */
  get response(): unknown {
    if (this.#body !== null) {
      this.#response = parseResponse(this.#body)
      this.#body = null
    }
    return this.#response
  }

  /** What a proxy provider or the like threw, when that is why the send failed. */
  get cause(): unknown {
    return this.#cause
  }

  toJSON(): Record<string, unknown> {
    return {
      ok: this.ok,
      status: this.status,
      url: redactUrl(this.#url),
      attempts: this.attempts,
      error: this.error,
      errorCode: this.errorCode,
      proxy: this.proxy,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      response: this.#redactor.redact(this.response),
    }
  }

  [inspect.custom](_depth: number, options: object): string {
    return `WebhookResult ${inspect(this.toJSON(), options)}`
  }
}

export function parseResponse(body: Uint8Array): unknown {
  if (body.length === 0) return null
  const text = decoder.decode(body)
  if (!jsonStart.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Scheme, host and port, with a mark where there is more. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return '(not a URL)'
  const { protocol, host, pathname, search } = new URL(text)
  return `${protocol}//${host}${pathname.length > 1 || search !== '' ? '/***' : ''}`
}
