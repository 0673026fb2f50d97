/** Figures as people read them. Pure. */

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export function countText(count: number): string {
  return count < 100_000 ? whole.format(count) : short.format(count)
}

export function perSecondText(rate: number): string {
  if (rate === 0) return '0'
  if (rate < 0.01) return '< 0.01'
  return rate < 10 ? String(Math.round(rate * 100) / 100) : countText(Math.round(rate))
}

/** Rounded down, so that 100 % is said of nothing that failed. */
export function percentText(rate: number | null): string {
  return rate === null ? '–' : `${Math.floor(rate * 1000) / 10} %`
}

export function msText(ms: number | null): string {
  if (ms === null) return '–'
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`
  return ms < 1000 ? `${Math.round(ms)} ms` : secondsText(ms / 1000)
}

export function secondsText(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

export function bytesText(bytes: number): string {
  let rest = bytes
  let unit = 0
  for (; rest >= 1000 && unit < units.length - 1; unit++) rest /= 1000
  return `${rest < 10 && unit > 0 ? Math.round(rest * 10) / 10 : Math.round(rest)} ${units[unit]}`
}

const outcomes: Readonly<Record<string, string>> = {
  success: 'succeeded',
  http_3xx: 'redirected (3xx)',
  http_4xx: 'refused (4xx)',
  http_429: 'too many requests (429)',
  http_5xx: 'server error (5xx)',
  http_other: 'another status',
  timeout: 'timeout',
  connection: 'no connection',
  dns: 'name not found',
  tls: 'TLS',
  policy: 'address not allowed',
  internal: 'internal',
}

export function outcomeText(outcome: string): string {
  return outcomes[outcome] ?? outcome
}
