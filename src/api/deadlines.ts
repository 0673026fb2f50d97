/** Answers in time at almost no cost per request: two generations of waiting requests instead of a timer for each. */
import type { Clock } from '../core/clock.ts'

export interface Deadlines {
  /** `late` is called after one to two times the limit, unless the returned function was called before. */
  watch(late: () => void): () => void
}

export function createDeadlines(clock: Clock, limitMs: number): Deadlines {
  let young = new Set<() => void>()
  let old = new Set<() => void>()
  let running = false

  const turn = (): void => {
    const late = old
    old = young
    young = new Set()
    running = old.size > 0
    if (running) clock.schedule(limitMs, turn)
    for (const call of late) call()
  }

  return {
    watch(late) {
      young.add(late)
      if (!running) {
        running = true
        clock.schedule(limitMs, turn)
      }
      return () => {
        if (!young.delete(late)) old.delete(late)
      }
    },
  }
}
