/** `outhook/discord`: Discord webhooks, within Discord's limits. */
import '../required-node.ts'

export { OuthookError } from '../core/errors.ts'
export { type WebhookErrorCode, WebhookResult } from '../sender/webhook-result.ts'
export { buildEmbed, type EmbedPart, type EmbedParts } from './build-embed.ts'
export {
  type DiscordEditOptions,
  type DiscordSendOptions,
  DiscordWebhook,
  type DiscordWebhookOptions,
  messageIdOf,
  type SentMessage,
} from './discord-webhook.ts'
export type { OnLimit } from './limit-keeper.ts'
export { discordLimits } from './limits.ts'
export type {
  AllowedMentions,
  DiscordEmbed,
  DiscordEmbedField,
  DiscordFile,
  DiscordMessage,
  EmbedBuilder,
} from './message.ts'
export { DiscordRateLimits, type DiscordRateLimitsOptions } from './rate-limits.ts'
