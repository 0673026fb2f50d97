/** From an alert to the message that a channel gets. */

import { maskSecrets } from '../core/secret-scan.ts'
import { buildEmbed, toText } from '../discord/build-embed.ts'
import { cutPlain } from '../discord/limits.ts'
import type { DiscordEmbed } from '../discord/message.ts'
import type { Alert } from './alert.ts'
import type { AlertSettings } from './alert-options.ts'
import { auditColor, channelFor, colorFor, severityLabel } from './severity.ts'
import type { AlertMessage } from './transport.ts'

/** Alerts carry error texts, and error texts carry URLs: none with which others could post gets through. */
export function composeAlert(alert: Alert, channel: string, settings: AlertSettings): AlertMessage {
  const { severity, isTrade = false } = alert
  const embed = buildEmbed({
    title: maskSecrets(`[${severityLabel(severity)}] ${alert.title}`),
    description: maskSecrets(String(alert.description ?? '')),
    color: alert.color ?? colorFor(severity, isTrade),
    fields: alert.fields?.map((field) => ({ ...field, value: maskSecrets(toText(field.value)) })),
    footer: alert.footer === undefined ? undefined : maskSecrets(String(alert.footer)),
    timestamp: alert.timestamp ?? settings.clock.now(),
  })
  const mention = severity === 'P0' ? settings.mention : null
  return { ...blank(channel, settings), severity, embed, mention }
}

/** Pings nobody: whoever had to be woken was by the alerts before it. */
export function composeSummary(first: Alert, heldBack: number, settings: AlertSettings): Alert {
  const seconds = Math.round((settings.throttle?.perMs ?? 0) / 1000)
  const alerts = heldBack === 1 ? '1 alert' : `${heldBack} alerts`
  return {
    severity: first.severity,
    isTrade: first.isTrade,
    channel: first.channel,
    color: first.color,
    title: `${heldBack} more: ${first.title}`,
    description: `${alerts} like this came within ${seconds} s and were held back.`,
  }
}

/** One line for the audit channel about an embed that another channel got. */
export function composeMirror(source: AlertMessage, channel: string, settings: AlertSettings): AlertMessage {
  const title = cutPlain(String(source.embed?.title ?? ''), 80)
  const embed = { description: `\`[${source.channel}]\` ${title}`, color: source.embed?.color ?? auditColor }
  return { ...blank(channel, settings), embed }
}

export function composeEmbed(embed: DiscordEmbed, channel: string, settings: AlertSettings): AlertMessage {
  return { ...blank(channel, settings), embed }
}

export function composeText(text: string, channel: string, settings: AlertSettings): AlertMessage {
  return { ...blank(channel, settings), text }
}

/** `no_channel` is for the caller to find out. */
export function routeOf(alert: Alert, settings: AlertSettings): string {
  return alert.channel ?? settings.routes[alert.severity] ?? channelFor(alert.severity, alert.isTrade)
}

function blank(channel: string, { username, avatarUrl }: AlertSettings): AlertMessage {
  return { channel, severity: null, embed: null, text: '', mention: null, username, avatarUrl }
}
