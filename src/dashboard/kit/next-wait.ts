/** How long until the server is asked again. Pure. */

/** Null: not by itself. A function decides by what was answered. */
export type EveryMs<T> = number | null | ((value: T) => number | null)

/** Of what nobody knows yet how often it is worth asking for. */
const unknownMs = 5_000

/** `value` is what has come last, also where nothing came now; null: nothing has come yet. */
export function nextWait<T>(everyMs: EveryMs<T>, value: T | null): number | null {
  if (typeof everyMs !== 'function') return everyMs
  return value === null ? unknownMs : everyMs(value)
}
