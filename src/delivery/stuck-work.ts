/** Work that waits in memory and cannot start soon goes back to the store: its lease would end here, or its place is needed. */
import type { LeaseLengths } from './lease-lengths.ts'
import type { Leases } from './leases.ts'
import type { Slots } from './slots.ts'
import type { Work } from './work.ts'

/** Until a slow target that has no slot is looked at again. */
export const heldBackMs = 1000
/** Until a delivery that may not wait here is looked at again; without a pause claims could come in a circle. */
const notHereMs = 50

export interface StuckWorkOptions {
  readonly leases: Leases
  readonly slots: Slots
  readonly lengths: Pick<LeaseLengths, 'cover'>
}

export function giveBackStuckWork(options: StuckWorkOptions): void {
  const { leases, slots } = options
  const gone = leases.giveBackWaiting((work) => delayOf(work, options))
  for (const { targetId } of gone) if (slots.isSlow(targetId)) slots.holdBack(targetId)
}

/** Null: it may go on waiting here. */
function delayOf(work: Work, { slots, lengths }: StuckWorkOptions): number | null {
  if (!lengths.cover(work)) return 0
  if (slots.isSlow(work.targetId) && !slots.isFree(work.target)) return heldBackMs
  return slots.mayWait(work.target) ? null : notHereMs
}
