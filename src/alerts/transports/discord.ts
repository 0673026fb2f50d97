import { DiscordWebhook } from '../../discord/discord-webhook.ts'
import type { AllowedMentions, DiscordMessage } from '../../discord/message.ts'
import type { DiscordRateLimits } from '../../discord/rate-limits.ts'
import { type AlertMessage, type AlertTransport, type TransportOptions, toResult } from '../transport.ts'
import { WebhooksByTries } from '../webhooks-by-tries.ts'

export interface DiscordTransportOptions extends TransportOptions {
  readonly rateLimits?: DiscordRateLimits
  /** Every message goes into this thread. */
  readonly threadId?: string
}

/** Messages beyond Discord's limits are cut: a shortened alert is better than none. */
export function discordTransport(url: string | URL, options: DiscordTransportOptions = {}): AlertTransport {
  const { rateLimits, threadId, ...rest } = options
  const webhooks = new WebhooksByTries(
    rest,
    (own) =>
      new DiscordWebhook(url, {
        ...own,
        onLimit: 'truncate',
        ...(rateLimits === undefined ? {} : { rateLimits }),
      }),
  )
  return {
    kind: 'discord',
    async send(message, { maxAttempts, signal }) {
      const sendOptions = { threadId, ...(signal === undefined ? {} : { signal }) }
      return toResult(await webhooks.for(maxAttempts).send(toDiscord(message), sendOptions))
    },
    async probe(probeOptions) {
      const [result] = await webhooks.for(1).probe(probeOptions)
      return result === undefined ? null : toResult(result)
    },
    close: () => webhooks.close(),
  }
}

function toDiscord(message: AlertMessage): DiscordMessage {
  const { embed, text, mention, username, avatarUrl } = message
  const content = [mention, text].filter(Boolean).join(' ')
  return {
    username,
    avatarUrl,
    ...(content === '' ? {} : { content }),
    ...(embed === null ? {} : { embeds: [embed] }),
    allowedMentions: message.allowedMentions ?? allowedFor(mention),
  }
}

/** Exactly who is named by the operator, whatever else the text says. */
export function allowedFor(mention: string | null): AllowedMentions {
  if (mention === null) return { parse: [] }
  const roles = [...mention.matchAll(/<@&(\d+)>/g)].map(([, id = '']) => id)
  const users = [...mention.matchAll(/<@!?(\d+)>/g)].map(([, id = '']) => id)
  return {
    parse: /@(everyone|here)/.test(mention) ? ['everyone'] : [],
    ...(roles.length === 0 ? {} : { roles }),
    ...(users.length === 0 ? {} : { users }),
  }
}
