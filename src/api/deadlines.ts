/** Answers in time at almost no cost per request: two generations of waiting requests instead of a timer for each. */
import type { Clock } from '../core/clock.ts'
import { LinkedList } from '../core/linked-list.ts'

export interface Deadlines {
  /** `late` is called after one to two times the limit, unless the returned function was called before. */
  watch(late: () => void): () => void
}

export function createDeadlines(clock: Clock, limitMs: number): Deadlines {
  let young = new LinkedList<() => void>()
  let old = new LinkedList<() => void>()
  let running = false

  const turn = (): void => {
    const late = old
    old = young
    young = new LinkedList()
    running = !old.isEmpty
    if (running) clock.schedule(limitMs, turn)
    for (const call of late.values()) call()
  }

  return {
    watch(late) {
      if (!running) {
        running = true
        clock.schedule(limitMs, turn)
      }
      return young.add(late)
    },
  }
}
