/**
 * The limits of text, as the OpenAPI document shows them. The engine enforces them, and says in its own words what is
 * wrong; `validation.ts` reads only the form of a body from its schema. Patterns are those of ECMA-262 that other
 * languages read in the same way.
 */
import { Type } from '../../bundled/typebox.ts'
import type { IdPrefix } from '../../core/ids.ts'

export const controlCharacters = '\\u0000-\\u001f\\u007f-\\u009f'

/** Without control characters. */
export const linePattern = `^[^${controlCharacters}]*$`
/** Tabs and line ends are part of it. */
export const linesPattern = '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$'
/** At least one character that is no space. */
export const namePattern = `^[^${controlCharacters}]*[^${controlCharacters}\\s][^${controlCharacters}]*$`

const topicCharacter = `[^${controlCharacters} *]`

/** What stands in bytes is said as characters too: no text of more has fewer bytes. */
export const Topic = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: `^${topicCharacter}+$`,
  description: 'at most 255 bytes of UTF-8, without spaces, control characters and `*`',
  examples: ['orders.created'],
})

export const TopicPattern = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: `^(\\*|${topicCharacter}+(\\.\\*)?)$`,
  description: 'a topic, `prefix.*` for all below the prefix, or `*` for all',
  examples: ['orders.*'],
})

const idDigits = '[0-7][0-9a-hjkmnp-tv-z]{25}'

export function idPattern(...prefixes: readonly IdPrefix[]): string {
  const prefix = prefixes.length === 1 ? prefixes[0] : `(?:${prefixes.join('|')})`
  return `^${prefix}_${idDigits}$`
}

export function idOf(...prefixes: readonly IdPrefix[]) {
  return Type.String({ pattern: idPattern(...prefixes) })
}

/** Of a filter: any text without control characters. */
export const Line = Type.String({ pattern: linePattern, description: 'exact' })

/** Of 16 bytes, base64url. */
export const cursorPattern = '^(?:[A-Za-z0-9_-]{40})?$'

const digit = '[A-Za-z0-9+/]'
const oneByteMore = `${digit}[AQgw]==`
const twoBytesMore = `${digit}{2}[AEIMQUYcgkosw048]=`

/** Base64 of 24 to 64 bytes. An ed25519 key pair (`whsk_…`) is taken too, but no pattern tells one from other bytes. */
export const secretPattern = `^whsec_(?:(?:${digit}{4}){8,20}(?:${oneByteMore}|${twoBytesMore})?|(?:${digit}{4}){21}(?:${oneByteMore})?)$`

/** A duration of at most so many days, as `core/duration.ts` reads it. */
export function durationPattern(days: number): string {
  const hours = days * 24
  const ofUnits = [
    `${upTo(hours * 3_600_000)}(?:ms)?`,
    `${upTo(hours * 3600)}s`,
    `${upTo(hours * 60)}m`,
    `${upTo(hours)}h`,
    `${upTo(days)}d`,
  ]
  return `^(?:${ofUnits.join('|')})$`
}

/** As `endpointTimeouts` bounds them. */
export const timeoutPattern = '^(?:(?:[1-9]|[1-5]\\d|60)s|1m|(?:[1-9]\\d{3}|[1-5]\\d{4}|60000)(?:ms)?)$'

/** The whole numbers from 0 to `max`: those of fewer digits, and those that fall below it at one of its digits. */
function upTo(max: number): string {
  const digits = String(max)
  const fewer = digits.length > 1 ? [`\\d{1,${digits.length - 1}}`] : []
  const below = [...digits].flatMap((text, index) => {
    const least = index === 0 && digits.length > 1 ? 1 : 0
    const most = Number(text) - 1
    if (most < least) return []
    const rest = digits.length - index - 1
    return [`${digits.slice(0, index)}[${least}-${most}]${rest > 0 ? `\\d{${rest}}` : ''}`]
  })
  return `(?:${[...fewer, ...below, digits].join('|')})`
}

/** In front of a duration's pattern: longer than nothing. */
export const longerThanNothing = '(?!0+[a-z]*$)'
