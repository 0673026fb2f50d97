/** Durations as people write them in configuration and policies: `500ms`, `5s`, `30m`, `2h`, `1d`. */

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
type Unit = keyof typeof unitMs

const largestFirst: readonly Unit[] = ['d', 'h', 'm', 's']
const pattern = /^(\d{1,15})(ms|s|m|h|d)?$/

/** What to tell somebody whose duration was refused. */
export const durationForms = '"500ms", "5s", "30m", "2h", "1d" or a whole number of milliseconds'

/** Milliseconds, or null for anything but the forms of `durationForms`. A bare number in text is milliseconds. */
export function parseDuration(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null
  if (typeof value !== 'string') return null
  const match = pattern.exec(value.trim())
  if (match === null) return null
  const ms = Number(match[1]) * unitMs[(match[2] ?? 'ms') as Unit]
  return Number.isSafeInteger(ms) ? ms : null
}

/** The shortest exact form: `90000` is `90s`, `7200000` is `2h`. Takes whole milliseconds. */
export function formatDuration(ms: number): string {
  const unit = ms === 0 ? undefined : largestFirst.find((candidate) => ms % unitMs[candidate] === 0)
  return unit === undefined ? `${ms}ms` : `${ms / unitMs[unit]}${unit}`
}

const partNames = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

/** For people, in its two largest units: `286000` is `4m 46s`, `7200000` is `2h`, `480` is `480ms`. */
export function formatWait(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  let rest = Math.round(ms / 1000) * 1000
  const first = partNames.findIndex(([, size]) => rest >= size)
  const parts = partNames.slice(first, first + 2).map(([name, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count}${name}`
  })
  return parts.filter((part) => part !== '').join(' ')
}
