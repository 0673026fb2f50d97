/** Alert channels from environment variables. */
import type { AlertSenderOptions } from './alert-options.ts'

export type AlertEnvironment = Readonly<Record<string, string | undefined>>

const prefixes = ['DISCORD_WEBHOOK_', 'SLACK_WEBHOOK_', 'TEAMS_WEBHOOK_', 'ALERT_WEBHOOK_'] as const
const kinds: Readonly<Record<(typeof prefixes)[number], string>> = {
  DISCORD_WEBHOOK_: 'discord',
  SLACK_WEBHOOK_: 'slack',
  TEAMS_WEBHOOK_: 'teams',
  ALERT_WEBHOOK_: 'webhook',
}
const telegramChat = 'TELEGRAM_CHAT_'

/**
 * | variable | meaning |
 * |---|---|
 * | `DISCORD_WEBHOOK_<CHANNEL>` | Discord webhook of the channel, such as `DISCORD_WEBHOOK_ALERTS` |
 * | `SLACK_WEBHOOK_<CHANNEL>`, `TEAMS_WEBHOOK_<CHANNEL>`, `ALERT_WEBHOOK_<CHANNEL>` | the same for Slack, Teams, any receiver |
 * | `TELEGRAM_BOT_TOKEN`, `TELEGRAM_CHAT_<CHANNEL>` | the bot, and the chat of the channel |
 * | `NOTIFY_DISCORD_ENABLED`, `ALERTS_ENABLED` | master switch: `0`, `false`, `no` or `off` in either switches all off |
 * | `DISCORD_P0_MENTION` | who is pinged by a `P0`, such as `@everyone` |
 *
 * A channel that several variables name goes to all of them. Blank ones do not count.
 */
export function readEnvironment(env: AlertEnvironment): Pick<AlertSenderOptions, 'enabled' | 'mention'> & {
  readonly channels: Readonly<Record<string, readonly string[]>>
} {
  const channels: Record<string, readonly string[]> = Object.create(null)
  for (const [name, raw] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const target = raw === undefined ? null : toTarget(name, raw.trim(), env)
    if (target === null) continue
    const { channel, text } = target
    channels[channel] = [...(channels[channel] ?? []), text]
  }
  const switches = [env.NOTIFY_DISCORD_ENABLED, env.ALERTS_ENABLED]
  return {
    channels,
    enabled: !switches.some(isOff),
    mention: env.DISCORD_P0_MENTION?.trim() || null,
  }
}

function toTarget(name: string, value: string, env: AlertEnvironment) {
  if (value === '') return null
  if (name.startsWith(telegramChat) && name.length > telegramChat.length) {
    const text = `telegram://${env.TELEGRAM_BOT_TOKEN?.trim() ?? ''}@${value}`
    return { channel: name.slice(telegramChat.length).toLowerCase(), text }
  }
  const prefix = prefixes.find((candidate) => name.startsWith(candidate) && name.length > candidate.length)
  if (prefix === undefined) return null
  return { channel: name.slice(prefix.length).toLowerCase(), text: `${kinds[prefix]}+${value}` }
}

function isOff(value: string | undefined): boolean {
  return value !== undefined && /^(0|false|no|off)$/i.test(value.trim())
}
