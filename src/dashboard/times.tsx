import { now } from './clock.ts'

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'long' })

const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const

/** How long ago or ahead; the exact moment with its zone for whoever points at it. */
export function Time({ at }: { readonly at: string }) {
  const seconds = Math.round((Date.parse(at) - now()) / 1000)
  const [unit, length] = units.find((one) => Math.abs(seconds) >= one[1]) ?? (['second', 1] as const)
  return (
    <time dateTime={at} title={exact.format(Date.parse(at))}>
      {relative.format(Math.trunc(seconds / length), unit)}
    </time>
  )
}
