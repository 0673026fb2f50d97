/**
 * Says a thing once a minute. A burst must not fill the log, and a log whose warnings become alerts (`createPinoDestination`)
 * must not go round in circles.
 */
import type { Clock } from '../core/clock.ts'

const perMs = 60_000
const maxKeys = 1000

/** Gives how often it was asked in vain since the last time; null when it is not time yet. */
export type WarningLimit = (key: string) => number | null

export function createWarningLimit(clock: Clock): WarningLimit {
  const said = new Map<string, { at: number; unsaid: number }>()
  return (key) => {
    const now = clock.elapsed()
    const last = said.get(key)
    if (last !== undefined && now - last.at < perMs) {
      last.unsaid++
      return null
    }
    if (said.size >= maxKeys) said.clear()
    said.set(key, { at: now, unsaid: 0 })
    return last?.unsaid ?? 0
  }
}
