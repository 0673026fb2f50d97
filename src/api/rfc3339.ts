/** Times as they stand in the API: RFC 3339. They go out in UTC with milliseconds. */
import { OuthookError } from '../core/errors.ts'

const form = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/

export function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}

export function formatOptionalTime(ms: number | null): string | null {
  return ms === null ? null : formatTime(ms)
}

/** Milliseconds since the epoch, rounded up to a whole one so that "at or after" includes nothing earlier. */
export function parseTime(text: string, member: string): number {
  const ms = timeOf(text)
  if (ms !== null) return ms
  throw new OuthookError(
    'invalid_request',
    `${member} must be an RFC 3339 time such as 2026-01-31T00:00:00Z (in a URL write + as %2B)`,
  )
}

function timeOf(text: string): number | null {
  const match = form.exec(text)
  if (match === null) return null
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match
  const date = `${year}-${month}-${day}`
  const midnight = Date.parse(`${date}T00:00:00.000Z`)
  // Date.parse takes 30 February for 2 March.
  if (Number.isNaN(midnight) || formatTime(midnight).slice(0, 10) !== date) return null
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  const sign = zone.startsWith('-') ? 1 : -1
  const [offsetHours = 0, offsetMinutes = 0] = zone.length > 1 ? zone.slice(1).split(':').map(Number) : []
  if (offsetHours > 23 || offsetMinutes > 59) return null
  const ofDay = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000
  const rest = fraction === '' ? 0 : Math.ceil(Number(`0.${fraction}`) * 1000)
  return midnight + ofDay + rest + sign * (offsetHours * 60 + offsetMinutes) * 60_000
}
