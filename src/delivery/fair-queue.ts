/**
 * Claimed deliveries that wait for a slot: round-robin over tenants, within a tenant over its targets.
 *
 * Every delivery costs one turn. A deficit counter would only matter if turns had different prices; requests
 * have about the same, and what differs (how long a receiver takes) is bounded by slots, not by turns.
 */
export interface Queued {
  readonly tenantId: string
  readonly targetId: string
}

/** `skip` leaves the target for this round. */
export type Verdict = 'take' | 'skip'

export class FairQueue<T extends Queued> {
  /** Insertion order is the order of turns: who was served moves to the end. */
  readonly #tenants = new Map<string, Map<string, T[]>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    let targets = this.#tenants.get(item.tenantId)
    if (targets === undefined) {
      targets = new Map()
      this.#tenants.set(item.tenantId, targets)
    }
    const waiting = targets.get(item.targetId)
    if (waiting === undefined) targets.set(item.targetId, [item])
    else waiting.push(item)
    this.#size++
  }

  /** The next item that may go, in turn; undefined when none may. `judge` sees the first of each target. */
  take(judge: (item: T) => Verdict): T | undefined {
    for (const [tenantId, targets] of this.#tenants) {
      for (const [targetId, waiting] of targets) {
        const item = waiting[0]
        if (item === undefined || judge(item) === 'skip') continue
        waiting.shift()
        this.#size--
        targets.delete(targetId)
        if (waiting.length > 0) targets.set(targetId, waiting)
        this.#tenants.delete(tenantId)
        if (targets.size > 0) this.#tenants.set(tenantId, targets)
        return item
      }
    }
    return undefined
  }

  /** Takes out all that `judge` names; the order of turns stays. */
  remove(judge: (item: T) => boolean): T[] {
    const removed: T[] = []
    for (const [tenantId, targets] of this.#tenants) {
      for (const [targetId, waiting] of targets) {
        const kept = waiting.filter((item) => {
          const goes = judge(item)
          if (goes) removed.push(item)
          return !goes
        })
        if (kept.length === 0) targets.delete(targetId)
        else if (kept.length < waiting.length) targets.set(targetId, kept)
      }
      if (targets.size === 0) this.#tenants.delete(tenantId)
    }
    this.#size -= removed.length
    return removed
  }

  /** Empties the queue. */
  drain(): T[] {
    return this.remove(() => true)
  }
}
