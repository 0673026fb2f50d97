/** The way of an alert out of the process: what Discord, Slack, Teams, Telegram and plain webhooks have in common. */
import type { AllowedMentions, DiscordEmbed } from '../discord/message.ts'
import type { WebhookOptions } from '../sender/webhook-options.ts'
import type { WebhookErrorCode } from '../sender/webhook-result.ts'
import type { Severity } from './severity.ts'

/** An alert on its way to one channel. Discord's embed is the form that the others are made from. */
export interface AlertMessage {
  readonly channel: string
  /** Null for what was not sent as an alert: plain embeds, plain text, the audit mirror. */
  readonly severity: Severity | null
  readonly embed: DiscordEmbed | null
  /** Beside the embed; empty for none. */
  readonly text: string
  /** `@everyone`, `@here`, `<@&role>` or `<@user>`, to be pinged; null for nobody. */
  readonly mention: string | null
  /** Discord only. Default: whoever `mention` names, and nobody else. */
  readonly allowedMentions?: AllowedMentions | undefined
  readonly username: string
  readonly avatarUrl?: string | undefined
}

export interface TransportSendOptions {
  /** Tries in all, at least 1. */
  readonly maxAttempts: number
  readonly signal?: AbortSignal
}

export interface TransportResult {
  readonly ok: boolean
  readonly status: number | null
  readonly attempts: number
  /** Names no secret. */
  readonly error: string | null
  readonly errorCode: WebhookErrorCode | null
  readonly retryAfterMs?: number
}

/** Anything with these methods can be a channel. */
export interface AlertTransport {
  /** For logs, such as `discord`. */
  readonly kind: string
  /** Must not reject. */
  send(message: AlertMessage, options: TransportSendOptions): Promise<TransportResult>
  /** Whether it would get there, asked without posting anything; null when only posting would tell. */
  probe?(options: { readonly signal?: AbortSignal }): Promise<TransportResult | null>
  /** Waits for what is in flight. */
  close(): Promise<void>
}

/** Of the `Webhook` underneath. */
export type TransportOptions = Pick<
  WebhookOptions,
  | 'timeoutMs'
  | 'maxRetryAfterMs'
  | 'backoff'
  | 'pool'
  | 'proxies'
  | 'guard'
  | 'ca'
  | 'hooks'
  | 'clock'
  | 'random'
>

/** Both in one: one message goes to each, and is there when it got to all. */
export function fanOut(transports: readonly AlertTransport[]): AlertTransport {
  return {
    kind: transports.map(({ kind }) => kind).join('+'),
    async send(message, options) {
      return together(await Promise.all(transports.map((transport) => transport.send(message, options))))
    },
    async probe(options) {
      const asked = await Promise.all(transports.map((transport) => transport.probe?.(options) ?? null))
      const answers = asked.filter((answer) => answer !== null)
      return answers.length === 0 ? null : together(answers)
    },
    async close() {
      await Promise.all(transports.map((transport) => transport.close()))
    },
  }
}

function together(results: readonly TransportResult[]): TransportResult {
  const attempts = results.reduce((sum, result) => sum + result.attempts, 0)
  const worst = results.find(({ ok }) => !ok) ?? results[0]
  if (worst === undefined) return { ok: true, status: null, attempts, error: null, errorCode: null }
  return { ...toResult(worst), attempts }
}

/** The common part of a `WebhookResult`, without its URL and response. */
export function toResult(result: TransportResult): TransportResult {
  const { ok, status, attempts, error, errorCode, retryAfterMs } = result
  return { ok, status, attempts, error, errorCode, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}
