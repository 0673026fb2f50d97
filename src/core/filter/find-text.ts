/** Whether a text contains another one, at a cost that is counted. */
import { candidateCost, charCost, type Meter, pays, searchedShift } from './meter.ts'

interface TextLook {
  readonly meter: Meter
  readonly rarestAt: number
}

/**
 * Where the rarest letter of the wanted text stands, the whole of it is compared. `includes` takes 120 µs for 10 kB
 * where a text is made for that, and nobody can count along: here each place that is looked at is paid for.
 */
export function hasText(text: string, wanted: string, { meter, rarestAt }: TextLook): boolean {
  if (wanted === '') return true
  const letter = wanted[rarestAt] as string
  const last = text.length - wanted.length + rarestAt
  if (last < rarestAt || !pays(meter, text.length >> searchedShift)) return false
  for (let at = text.indexOf(letter, rarestAt); at !== -1 && at <= last; at = text.indexOf(letter, at + 1)) {
    let same = 0
    while (same < wanted.length && text.charCodeAt(at - rarestAt + same) === wanted.charCodeAt(same)) same++
    if (same === wanted.length) return true
    if (!pays(meter, candidateCost + same * charCost)) return false
  }
  return false
}
