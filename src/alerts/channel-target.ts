/** From what stands in an environment variable or a setting to the transport that it means. */
import { OuthookError } from '../core/errors.ts'
import type { AlertTransport, TransportOptions } from './transport.ts'
import { fanOut } from './transport.ts'
import { discordTransport } from './transports/discord.ts'
import { slackTransport } from './transports/slack.ts'
import { teamsTransport } from './transports/teams.ts'
import { telegramTransport } from './transports/telegram.ts'
import { webhookTransport } from './transports/webhook.ts'

/**
 * A webhook URL, whose kind shows in it (Discord, Slack, Teams, else a plain webhook); the kind in front decides where
 * it does not: `slack+https://…`. Telegram is `telegram://<bot token>@<chat id>`. A list goes to all of it.
 */
export type ChannelTarget = string | URL | AlertTransport | readonly (string | URL | AlertTransport)[]

/** Null for a target that is blank: the channel is off. Errors: invalid_config, without the target in it. */
export function toTransport(target: ChannelTarget, options: TransportOptions): AlertTransport | null {
  if (typeof target === 'string' || target instanceof URL) return fromText(String(target).trim(), options)
  if (!isList(target)) return target
  const transports = target.map((one) => toTransport(one, options)).filter((one) => one !== null)
  return transports.length > 1 ? fanOut(transports) : (transports[0] ?? null)
}

function isList(target: ChannelTarget): target is readonly (string | URL | AlertTransport)[] {
  return Array.isArray(target)
}

const prefix = /^(discord|slack|teams|webhook)\+(https?:\/\/.*)$/is

function fromText(text: string, options: TransportOptions): AlertTransport | null {
  if (text === '') return null
  const telegram = /^telegram:\/\/(\d+:[\w-]+)@(-?\d+|@?\w+)$/i.exec(text)
  if (telegram !== null) {
    const [, token = '', chat = ''] = telegram
    return telegramTransport(
      { token, chatId: /^-?\d+$/.test(chat) ? chat : `@${chat.replace(/^@/, '')}` },
      options,
    )
  }
  const [, kind, named] = prefix.exec(text) ?? []
  const url = named ?? text
  if (!/^https?:/i.test(url) || !URL.canParse(url)) {
    throw new OuthookError('invalid_config', 'its target is not a webhook URL; write it whole, with https://')
  }
  switch ((kind ?? kindOf(new URL(url))).toLowerCase()) {
    case 'discord':
      return discordTransport(url, options)
    case 'slack':
      return slackTransport(url, options)
    case 'teams':
      return teamsTransport(url, options)
    default:
      return webhookTransport(url, options)
  }
}

function kindOf({ hostname, pathname }: URL): 'discord' | 'slack' | 'teams' | 'webhook' {
  if (/(^|\.)discord(app)?\.com$/.test(hostname) || /^\/api\/(v\d+\/)?webhooks\/\d+\//.test(pathname))
    return 'discord'
  if (/^hooks\.slack(-gov)?\.com$/.test(hostname)) return 'slack'
  if (
    /\.(webhook\.office|logic\.azure|api\.powerplatform)\.com$|^outlook\.office(365)?\.com$/.test(hostname)
  ) {
    return 'teams'
  }
  return 'webhook'
}
