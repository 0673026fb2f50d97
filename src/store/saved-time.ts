import type { SavedTime } from '../core/time-line.ts'

/** The row of `meta` in which a store keeps its line of time. */
export const savedTimeName = 'time_line'

/** Null: nothing was kept yet. */
export function parseSavedTime(text: string | null | undefined): SavedTime | null {
  return text == null ? null : (JSON.parse(text) as SavedTime)
}
