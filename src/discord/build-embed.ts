/** One embed from its parts, cut to Discord's limits. */
import { createSystemClock } from '../core/clock.ts'
import { cutCodePoints } from '../core/code-points.ts'
import { discordLimits } from './limits.ts'
import type { DiscordEmbed } from './message.ts'

export interface EmbedParts {
  readonly title: string
  readonly description: string
  /** 0 to 0xFFFFFF. */
  readonly color: number
  /** At most 25 are kept. */
  readonly fields?: readonly EmbedPart[] | undefined
  readonly footer?: string | undefined
  /** Default now; a number is milliseconds since the epoch. */
  readonly timestamp?: Date | number | string | undefined
}

export interface EmbedPart {
  readonly name: string
  /** Anything; shown as text, objects and lists as JSON. */
  readonly value: unknown
  /** Beside its neighbours. Default true. */
  readonly inline?: boolean | undefined
}

/** @example buildEmbed({ title: 'Disk full', description: 'db-1: 99 %', color: 0xff0000, footer: 'db-1' }) */
export function buildEmbed(parts: EmbedParts): DiscordEmbed {
  const { title, description, color, fields = [], footer, timestamp } = parts
  return {
    title: cutCodePoints(String(title), discordLimits.titleChars),
    description: cutCodePoints(String(description), discordLimits.descriptionChars),
    color,
    timestamp: toTimestamp(timestamp),
    ...(fields.length === 0 ? {} : { fields: fields.slice(0, discordLimits.fields).map(toField) }),
    ...(footer ? { footer: { text: cutCodePoints(String(footer), discordLimits.footerChars) } } : {}),
  }
}

function toField({ name, value, inline = true }: EmbedPart) {
  return {
    name: cutCodePoints(String(name), discordLimits.fieldNameChars) || '\u200b',
    value: cutCodePoints(toText(value), discordLimits.fieldValueChars),
    inline,
  }
}

export function toText(value: unknown): string {
  const text = String(value)
  if (!Array.isArray(value) && text !== '[object Object]') return text
  try {
    return JSON.stringify(value)
  } catch {
    return text
  }
}

/** Whole seconds, as `2030-01-01T00:00:00.000Z`; text is kept. */
function toTimestamp(given: EmbedParts['timestamp']): string {
  if (typeof given === 'string') return given
  const ms = given instanceof Date ? given.getTime() : (given ?? createSystemClock().now())
  return new Date(Math.floor(ms / 1000) * 1000).toISOString()
}
