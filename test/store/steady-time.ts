import { newTimeLine } from '../../src/core/time-line.ts'
import type { StoreTime } from '../../src/store/port.ts'

/** The time of a store whose clock never jumps. */
export function steadyTime(now: () => number): StoreTime {
  return { now, line: newTimeLine }
}
