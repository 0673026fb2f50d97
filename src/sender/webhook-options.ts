/** What a `Webhook` can be told, and what it takes when it is told nothing. */
import type { Clock } from '../core/clock.ts'
import type { SigningSchemeInput } from '../core/signing-scheme.ts'
import type { AddressPolicyOptions } from './address-policy.ts'
import type { Pacer } from './pacer.ts'
import type { RequestMethod, Sender } from './port.ts'
import type { ProxyProvider } from './proxy-provider.ts'
import type { WebhookErrorCode, WebhookResult } from './webhook-result.ts'

export interface WebhookOptions {
  /** One attempt, from the name lookup to the last byte of the answer. Default 15 000. */
  readonly timeoutMs?: number
  /** Tries after the first one, for answers that are worth a retry, and without proxies for network errors. Default 3. */
  readonly maxRetries?: number
  /** With proxies: changes of the proxy after network errors. Default 3. */
  readonly maxProxyRetries?: number
  /** A receiver or pacer that asks for a longer wait fails the send at once. Default 30 000. */
  readonly maxRetryAfterMs?: number
  /** Waits between tries where the receiver names none. */
  readonly backoff?: BackoffOptions
  /** Each retry goes to a URL of the pool that has not failed yet, if there is one, and at once. Default false. */
  readonly failover?: boolean
  /** Sent with every request, at most 32. Not those that the sender or a signature sets. */
  readonly headers?: Readonly<Record<string, string>>
  /** Default: none. */
  readonly signing?: SigningOptions
  /** Connections shared with others, see `createSender`; `close()` leaves them alone. Without: its own. */
  readonly pool?: Sender
  /** Every request goes through one of these. Default: none. */
  readonly proxies?: ProxyProvider
  /** Refuses private addresses, and http:// unless allowed. Off by default: the caller names the URL. */
  readonly guard?: boolean | AddressPolicyOptions
  /** Certificate authorities in PEM to trust instead of the well-known ones. */
  readonly ca?: string | readonly string[]
  /** For logs and metrics. */
  readonly hooks?: WebhookHooks
  /** Keeps the receiver's limits in advance. Default: none. */
  readonly pacer?: Pacer
  /** Waits and timeouts go by it. Default: the system's. */
  readonly clock?: Clock
  /** Uniform in [0, 1), for the jitter. Default `Math.random`. */
  readonly random?: () => number
}

/** The wait before retry n is `min(capMs, baseMs · factor^(n-1))`, give or take the share `jitter`. */
export interface BackoffOptions {
  /** Default 500. */
  readonly baseMs?: number
  /** Default 2. */
  readonly factor?: number
  /** No wait is longer. Default 10 000. */
  readonly capMs?: number
  /** 0 to 1. Default 0.2. */
  readonly jitter?: number
}

export interface SigningOptions {
  /** Default `standard`. */
  readonly scheme?: SigningSchemeInput
  /** More than one at a time, instead of `scheme`. */
  readonly schemes?: readonly SigningSchemeInput[]
  /** `whsec_…` or `whsk_…`; during a rotation the new one first, then the old one. */
  readonly secret: string | readonly string[]
}

export interface SendOptions {
  /** Ends the send, also while it waits; the result says `aborted`. */
  readonly signal?: AbortSignal
  /** Win over the webhook's own of the same name. */
  readonly headers?: Readonly<Record<string, string>>
  /** What receivers drop repetitions by (`webhook-id`, when signed). Default: a new one per send. */
  readonly id?: string
  /** For schemes that send it. */
  readonly topic?: string
  /** Of each try of this send. Default: the webhook's. */
  readonly timeoutMs?: number
  /** Default POST. */
  readonly method?: RequestMethod
  /**
   * Where below the chosen URL of the pool the request goes, such as with a query added. A pure function: it is
   * called once per URL and send. The result's `url` stays that of the pool.
   */
  readonly locate?: (url: URL) => URL
}

/**
 * Called at once and never awaited. No hook can break a send: what one throws, or rejects with, is a warning of the
 * process (`process.on('warning')`).
 */
export interface WebhookHooks {
  /** After each try. */
  readonly onAttempt?: (event: AttemptEvent) => void
  /** Once per send, also when nothing was sent. The result may be logged as it is: it prints without its path. */
  readonly onResult?: (result: WebhookResult) => void
}

/** One try. Holds no secret: it may be logged as it is. */
export interface AttemptEvent {
  /** Scheme, host and port; the path may be a secret. */
  readonly origin: string
  /** From 1. */
  readonly attempt: number
  readonly status: number | null
  readonly errorCode: WebhookErrorCode | null
  readonly error: string | null
  /** `host:port`. */
  readonly proxy: string | null
  readonly latencyMs: number
  /** The wait before the next try; null when there is none. */
  readonly retryInMs: number | null
}
