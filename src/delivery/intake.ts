/** Turns leased deliveries into work: with their routing, and held where they wait for their turn. */
import type { Clock } from '../core/clock.ts'
import { decideLostClaim } from '../core/lost-claims.ts'
import type { ClaimedDelivery, DeliveryOutcome } from '../store/port.ts'
import type { LeaseLengths } from './lease-lengths.ts'
import type { Leases } from './leases.ts'
import type { RoutingCache, Target, TenantRouting } from './routing-cache.ts'
import type { Slots } from './slots.ts'
import { type Arrival, giveUp, toWork, type Work } from './work.ts'

/** Until a delivery whose endpoint or routing could not be found is tried again. */
const unroutedMs = 1000

export interface IntakeOptions {
  readonly lengths: Pick<LeaseLengths, 'meet' | 'cover'>
  readonly leases: Leases
  readonly slots: Slots
  readonly routing: RoutingCache
  readonly clock: Clock
  readonly onOutcome: (outcome: DeliveryOutcome, delivery: ClaimedDelivery, target: Target) => void
}

export class Intake {
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Null when its endpoint is gone: the lease is given back, and the next claim cancels or parks the delivery. */
  toWork(delivery: ClaimedDelivery, routing: TenantRouting, arrival: Arrival): Work | null {
    const { leases, lengths } = this.#options
    const work = toWork(delivery, routing, arrival)
    if (work === null) {
      leases.giveBack([delivery], unroutedMs)
      this.#options.routing.invalidate(delivery.tenantId)
    } else lengths.meet(work.target)
    return work
  }

  /**
   * At once when all routing is known, or else as a promise. Rejects when a routing cannot be read; what is not
   * held then was given back.
   */
  holdClaimed(deliveries: readonly ClaimedDelivery[], leaseEndsAt: number): Promise<void> | undefined {
    for (const [index, delivery] of deliveries.entries()) {
      const routing = this.#options.routing.peek(delivery.tenantId)
      if (routing === undefined) return this.#holdRest(deliveries.slice(index), leaseEndsAt)
      try {
        this.#holdOne(delivery, routing, leaseEndsAt)
      } catch (error) {
        this.#options.leases.giveBack(deliveries.slice(index), unroutedMs)
        throw error
      }
    }
    return undefined
  }

  async #holdRest(deliveries: readonly ClaimedDelivery[], leaseEndsAt: number): Promise<void> {
    for (const [index, delivery] of deliveries.entries()) {
      try {
        this.#holdOne(delivery, await this.#options.routing.get(delivery.tenantId), leaseEndsAt)
      } catch (error) {
        this.#options.leases.giveBack(deliveries.slice(index), unroutedMs)
        throw error
      }
    }
  }

  #holdOne(delivery: ClaimedDelivery, routing: TenantRouting, leaseEndsAt: number): void {
    const work = this.toWork(delivery, routing, { leaseEndsAt, handedOff: false })
    if (work !== null) this.#hold(work)
  }

  #hold(work: Work): void {
    const { leases, lengths, slots, clock, onOutcome } = this.#options
    if (!lengths.cover(work)) {
      leases.giveBack([work.delivery], 0)
      return
    }
    const step = decideLostClaim(work.delivery.lostClaims, work.policy.maxAttempts)
    if (step.kind === 'dead_letter') {
      onOutcome(giveUp(work, step.finalError), work.delivery, work.target)
    } else if (step.kind === 'run_alone') {
      leases.holdAlone(work, clock.elapsed())
    } else {
      work.place = slots.wait(work.target)
      leases.hold(work)
    }
  }
}
