import type { TimeLine } from '../../core/time-line.ts'

/** The time that the store goes by: it goes on evenly, whatever any wall clock does. */
export interface StoreTime {
  /** Milliseconds on the store's line of time, whole. All times that the store gives and takes are moments of it. */
  readonly now: () => number
  /** What is known of it; another object once something has changed. */
  readonly line: TimeLine
}
