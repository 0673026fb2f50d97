/** What a program says to an `AlertSender`, and what it hears back. */
import type { EmbedPart } from '../discord/build-embed.ts'
import type { AllowedMentions } from '../discord/message.ts'
import type { WebhookErrorCode } from '../sender/webhook-result.ts'
import type { Severity } from './severity.ts'

export interface Alert {
  readonly severity: Severity
  /** Shown behind the label: `[P1] …`. */
  readonly title: string
  readonly description?: string | undefined
  readonly fields?: readonly EmbedPart[] | undefined
  readonly footer?: string | undefined
  /** Default now; a number is milliseconds since the epoch. */
  readonly timestamp?: Date | number | string | undefined
  /**
   * What counts as the same alert for the throttle. Default: severity and title, so keep what changes (ids, amounts,
   * times) out of the title.
   */
  readonly key?: string | undefined
  /** Instead of the severity's own. */
  readonly channel?: string | undefined
  /** A `P3` then goes to `trades`, in blue. */
  readonly isTrade?: boolean | undefined
  /** Instead of the severity's own. */
  readonly color?: number | undefined
}

export interface EmbedOptions {
  /** Text above the embed. */
  readonly content?: string | undefined
  /** Default true. */
  readonly mirrorToAudit?: boolean | undefined
  /** Default: nobody is pinged. */
  readonly allowedMentions?: AllowedMentions | undefined
}

/**
 * What became of an alert at once.
 * `accepted`: it is on its way. `throttled`: held back, a summary follows. `dropped`: its queue was full.
 * `disabled`: switched off. `no_channel`: nothing is configured there. `invalid`: not an alert. `closed`: too late.
 */
export type AlertAcceptance =
  | 'accepted'
  | 'throttled'
  | 'dropped'
  | 'disabled'
  | 'no_channel'
  | 'invalid'
  | 'closed'

export interface AlertResult {
  readonly ok: boolean
  /** `failed`: every try did; `abandoned`: the sender was closed first. */
  readonly outcome: 'delivered' | 'failed' | 'abandoned' | Exclude<AlertAcceptance, 'accepted'>
  readonly channel: string | null
  readonly status: number | null
  readonly attempts: number
  /** Names no secret. */
  readonly error: string | null
  readonly errorCode: WebhookErrorCode | null
}

export interface AlertStats {
  /** Taken into a queue: delivered + failed + abandoned + waiting, and with `drop_oldest` those dropped later. */
  readonly accepted: number
  readonly delivered: number
  /** Given up after all tries. */
  readonly failed: number
  /** Lost because a queue was full. */
  readonly dropped: number
  /** Held back by the throttle; summaries told of them. */
  readonly throttled: number
  readonly summaries: number
  readonly mirrored: number
  /** Copies for the audit channel that did not get there. */
  readonly mirrorsLost: number
  /** Left over when the sender was closed. */
  readonly abandoned: number
  /** Mirrors included. */
  readonly waiting: number
}

export interface ProbeResult {
  readonly channel: string
  /** Null: only posting would tell. */
  readonly ok: boolean | null
  readonly status: number | null
  readonly error: string | null
}
