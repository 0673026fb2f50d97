/** `outhook/alerts`: alerts for people, through Discord, Slack, Teams, Telegram or any webhook. */
import '../required-node.ts'

export type { Clock } from '../core/clock.ts'
export { OuthookError } from '../core/errors.ts'
export type { LogFields, Logger } from '../core/logger.ts'
export { type FoundSecret, maskSecrets, type SecretKind, scanSecrets } from '../core/secret-scan.ts'
export { buildEmbed, type EmbedPart, type EmbedParts } from '../discord/build-embed.ts'
export type { AllowedMentions, DiscordEmbed, DiscordEmbedField } from '../discord/message.ts'
export type { Alert, AlertAcceptance, AlertResult, AlertStats, EmbedOptions, ProbeResult } from './alert.ts'
export type { AlertSenderOptions } from './alert-options.ts'
export { AlertSender } from './alert-sender.ts'
export type { ThrottleOptions } from './alert-throttle.ts'
export type { OnFull } from './channel-queue.ts'
export type { ChannelTarget } from './channel-target.ts'
export { type AlertEnvironment, readEnvironment } from './environment.ts'
export { createErrorReporter, type ErrorContext, type ErrorReporterOptions } from './error-reporter.ts'
export {
  createPinoDestination,
  type PinoDestination,
  type PinoDestinationOptions,
} from './pino-destination.ts'
export { channelFor, colorFor, type Severity, severityLabel, severityRank } from './severity.ts'
export {
  type AlertMessage,
  type AlertTransport,
  fanOut,
  type TransportOptions,
  type TransportResult,
  type TransportSendOptions,
} from './transport.ts'
export { type DiscordTransportOptions, discordTransport } from './transports/discord.ts'
export { slackTransport } from './transports/slack.ts'
export { teamsTransport } from './transports/teams.ts'
export { type TelegramTarget, telegramTransport } from './transports/telegram.ts'
export { type WebhookTransportOptions, webhookTransport } from './transports/webhook.ts'
