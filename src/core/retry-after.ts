/**
 * How long a receiver asks to be left alone: the one reading of `Retry-After` and of the `retry_after` in bodies,
 * for deliveries, for the stand-alone sender and for Discord. What cannot be understood is null, never a guess.
 */

/** Nobody is left alone for longer, whatever a receiver asks for. */
export const maxRetryAfterMs = 24 * 3_600_000

/** Milliseconds of seconds, fractions included (not in the RFC, but on the wire), or of an HTTP date ahead. */
export function retryAfterMs(value: string | null | undefined, now: number): number | null {
  if (value == null) return null
  const text = value.trim()
  if (/^\d+(?:\.\d+)?$/.test(text)) return secondsToMs(Number(text))
  const date = readHttpDate(text, now)
  return date !== null && date > now ? Math.min(date - now, maxRetryAfterMs) : null
}

/** The same of a number in a JSON body, in seconds. `1e999` is a number to JSON, and infinite: it says nothing. */
export function secondsInBodyMs(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value) ? secondsToMs(value) : null
}

/** So many digits that they are infinite are still digits: the longest wait. */
function secondsToMs(seconds: number): number {
  return Math.min(Math.ceil(seconds * 1000), maxRetryAfterMs)
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const time = '(\\d{2}):(\\d{2}):(\\d{2})'

/** RFC 9110, 5.6.7: the form of today and the two of the past. The day of the week says nothing new. */
const dateForms = [
  {
    pattern: new RegExp(`^[a-z]{3}, (\\d{2}) ([a-z]{3}) (\\d{4}) ${time} gmt$`, 'i'),
    order: ['day', 'month', 'year', 'hour', 'minute', 'second'],
  },
  {
    pattern: new RegExp(`^[a-z]{6,9}, (\\d{2})-([a-z]{3})-(\\d{2}) ${time} gmt$`, 'i'),
    order: ['day', 'month', 'year', 'hour', 'minute', 'second'],
  },
  {
    pattern: new RegExp(`^[a-z]{3} ([a-z]{3}) ([ \\d]\\d) ${time} (\\d{4})$`, 'i'),
    order: ['month', 'day', 'hour', 'minute', 'second', 'year'],
  },
] as const

function readHttpDate(text: string, now: number): number | null {
  for (const { pattern, order } of dateForms) {
    const match = pattern.exec(text)
    if (match === null) continue
    const part = (name: (typeof order)[number]) => match[order.indexOf(name as never) + 1] ?? ''
    const [day, hour, minute, second] = (['day', 'hour', 'minute', 'second'] as const).map((name) =>
      Number(part(name)),
    ) as [number, number, number, number]
    const month = months.indexOf(part('month').toLowerCase())
    const year = readYear(part('year'), now)
    // 60: a leap second.
    if (month < 0 || hour > 23 || minute > 59 || second > 60) return null
    const midnight = new Date(Date.UTC(year, month, day))
    // A day that the month does not have would become one of the next month.
    if (midnight.getUTCDate() !== day) return null
    return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000
  }
  return null
}

/** Two digits more than 50 years ahead are those of the past (RFC 9110, 5.6.7). */
function readYear(text: string, now: number): number {
  if (text.length > 2) return Number(text)
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + Number(text)
  return year > thisYear + 50 ? year - 100 : year
}
