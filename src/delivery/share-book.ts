/**
 * What this node has of the slots of targets that it shares with other nodes, as it knows it in memory: claims bring
 * shares, hand-offs and claimed work spend them alike. All of them end together unless they are renewed
 * (`share-renewer.ts`).
 */
import type { Clock } from '../core/clock.ts'
import type { SlotLimits } from './slot.ts'

/** Targets whose share is remembered. Of any other it is learnt again with the next claim. */
const maxKnown = 50_000

export class ShareBook implements SlotLimits {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #slots = new Map<string, number>()
  /** Targets that gave no slot, or no more of them; asked again after the next renewal. */
  readonly #refused = new Set<string>()
  /** What is to be kept of shares that are larger in the store until requests end; a claim changes nothing of it. */
  readonly #lowering = new Map<string, number>()
  #usableUntil = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock
  }

  of(targetId: string): number {
    return this.isUsable ? (this.#slots.get(targetId) ?? 0) : 0
  }

  get isUsable(): boolean {
    return this.#clock.elapsed() <= this.#usableUntil
  }

  *refused(): Iterable<string> {
    for (const targetId of this.#refused) if (!this.#slots.has(targetId)) yield targetId
  }

  /** Its share may grow: the last claim that asked did not find all slots taken. */
  mayGrow(targetId: string): boolean {
    return !this.#refused.has(targetId) && !this.#lowering.has(targetId)
  }

  /** What a claim brought that asked for more slots of the targets in `asked`. */
  adopt(shares: ReadonlyMap<string, number>, asked: ReadonlySet<string>): void {
    for (const [targetId, slots] of shares) {
      if (this.#lowering.has(targetId)) continue
      const hasGrown = slots > (this.#slots.get(targetId) ?? 0)
      if (!hasGrown && (slots === 0 || asked.has(targetId))) this.#refused.add(targetId)
      this.#set(targetId, slots)
    }
  }

  /** Every share counts until then, on the elapsed scale. True when none counted before. */
  renew(usableUntil: number): boolean {
    const isFirst = !this.isUsable
    this.#usableUntil = usableUntil
    return isFirst
  }

  /** The lease of all shares had ended: what was held under it is lost. */
  clear(): void {
    this.#slots.clear()
    this.#lowering.clear()
    this.#refused.clear()
  }

  /** Keeps at most so many of a target's slots. False when that changes nothing. */
  lower(targetId: string, keep: number): boolean {
    const share = this.#slots.get(targetId) ?? 0
    const kept = Math.min(share, keep)
    if (kept === share && share > 0) return false
    this.#set(targetId, kept)
    this.#lowering.set(targetId, kept)
    return true
  }

  /** Shares that the store has not lowered yet, by target. */
  get lowering(): ReadonlyMap<string, number> {
    return this.#lowering
  }

  /** The store keeps this many of the target's slots for this node. */
  confirmLowered(targetId: string, stored: number): void {
    if (stored === this.#lowering.get(targetId)) this.#lowering.delete(targetId)
  }

  /** Claims may ask for all targets again. True when some were not to be asked for. */
  forgetRefusals(): boolean {
    const hadSome = this.#refused.size > 0
    this.#refused.clear()
    return hadSome
  }

  #set(targetId: string, slots: number): void {
    this.#slots.delete(targetId)
    if (slots > 0) this.#slots.set(targetId, slots)
    if (this.#slots.size <= maxKnown) return
    for (const oldest of this.#slots.keys()) {
      this.#slots.delete(oldest)
      return
    }
  }
}
