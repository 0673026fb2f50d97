/**
 * What publish hands off: it reserves a slot for a delivery that is about to be inserted, or a place in memory behind
 * those that wait for one, and says afterwards whether the delivery was leased to this node.
 */
import type { Intake } from './intake.ts'
import type { LeaseLengths } from './lease-lengths.ts'
import type { Leases } from './leases.ts'
import type { Reservation } from './reservation.ts'
import type { Target } from './routing-cache.ts'
import type { Slot } from './slot.ts'
import type { Slots } from './slots.ts'
import type { Work } from './work.ts'

export interface HandOffsOptions {
  readonly slots: Pick<Slots, 'take' | 'waitingAt' | 'promisePlace'>
  readonly leases: Pick<Leases, 'giveBack' | 'hold'>
  readonly lengths: Pick<LeaseLengths, 'meet'>
  readonly intake: Pick<Intake, 'toWork'>
  /** Whether work for the target may wait in memory by now. */
  readonly mayHold: (targetId: string) => boolean
  readonly onSlot: (work: Work, slot: Slot) => void
  readonly onHeld: () => void
  /** A slot that was reserved was not needed. */
  readonly onSlotFreed: (targetId: string) => void
}

/** One of the two. */
interface Reserved {
  readonly slot: Slot | null
  readonly place: Slot | null
}

export class HandOffs {
  readonly #options: HandOffsOptions

  constructor(options: HandOffsOptions) {
    this.#options = options
  }

  /** Null: there is neither a slot nor a place. */
  reserve(target: Target, payloadBytes: number): Reservation | null {
    const { slots, intake, lengths } = this.#options
    lengths.meet(target)
    const targetId = target.id
    const slot = slots.waitingAt(targetId) === 0 ? slots.take(target) : null
    const place = slot === null ? slots.promisePlace(target, payloadBytes) : null
    if (slot === null && place === null) return null
    const reserved = { slot, place }
    return {
      accept: (delivery, routing, leaseEndsAt) =>
        this.#accept(intake.toWork(delivery, routing, { leaseEndsAt, handedOff: true }), targetId, reserved),
      cancel: () => this.#freeUnused(targetId, reserved),
    }
  }

  #accept(work: Work | null, targetId: string, reserved: Reserved): void {
    const { slot, place } = reserved
    if (work === null) this.#freeUnused(targetId, reserved)
    else if (slot !== null) this.#options.onSlot(work, slot)
    else if (place !== null) this.#hold(work, place)
  }

  #freeUnused(targetId: string, { slot, place }: Reserved): void {
    place?.done(null)
    if (slot === null) return
    slot.done(null)
    this.#options.onSlotFreed(targetId)
  }

  #hold(work: Work, place: Slot): void {
    const { leases, mayHold, onHeld } = this.#options
    if (!mayHold(work.targetId)) {
      place.done(null)
      leases.giveBack([work.delivery], 0)
      return
    }
    work.place = place
    leases.hold(work)
    onHeld()
  }
}
