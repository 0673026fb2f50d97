/**
 * The leases that this node holds for deliveries that are not being attempted: those that wait for a slot in turn,
 * those that have to run alone, and those that are on their way back to the store.
 */
import type { Logger } from '../core/logger.ts'
import { suspectGroup } from '../core/lost-claims.ts'
import type { ClaimedDelivery, DeliveryStore } from '../store/port.ts'
import { AloneTurns } from './alone-turns.ts'
import { FairQueue, type Verdict } from './fair-queue.ts'
import { LeaseReturns } from './lease-returns.ts'
import type { Work } from './work.ts'

export interface LeasesOptions {
  readonly store: Pick<DeliveryStore, 'release'>
  readonly logger: Logger
  /** They can be claimed again, the first of them after so long. */
  readonly onReturned: (delayMs: number) => void
}

export class Leases {
  readonly #queue = new FairQueue<Work>(({ target }) => target.weight)
  readonly #alone = new AloneTurns<Work>(({ delivery }) => suspectGroup(delivery.id, delivery.lostClaims))
  readonly #returns: LeaseReturns
  #claimed = 0

  constructor(options: LeasesOptions) {
    this.#returns = new LeaseReturns(options)
  }

  /** Claimed deliveries that wait for their turn. */
  get claimed(): number {
    return this.#claimed
  }

  /** Deliveries wait here, for their turn or to run alone. */
  get holdsAny(): boolean {
    return this.#queue.size > 0 || this.#alone.active
  }

  /** Something is owed to the store or on its way there. */
  get owed(): boolean {
    return this.#returns.pending
  }

  /** Waits for its turn. */
  hold(work: Work): void {
    this.#queue.push(work)
    if (!work.handedOff) this.#claimed++
  }

  /** Offers what waits, in turn; see `FairQueue.serve`. What is `taken` is no longer held here. */
  serve(offer: (work: Work) => Verdict): void {
    if (this.#queue.size === 0) return
    this.#queue.serve((work) => {
      const verdict = offer(work)
      if (verdict === 'taken') this.#left(work)
      return verdict
    })
  }

  /** Due again after `delayMs`; neither an attempt nor a lost claim is counted. `sent`: their requests went out. */
  giveBack(
    deliveries: readonly Pick<ClaimedDelivery, 'id' | 'claimVersion'>[],
    delayMs: number,
    sent = false,
  ): void {
    this.#returns.give(deliveries, delayMs, sent)
  }

  /**
   * Gives back those that wait for their turn and are named by a delay after which they are due again; null: it stays.
   * Says which.
   */
  giveBackWaiting(delayOf: (work: Work) => number | null): readonly Work[] {
    if (this.#queue.size === 0) return []
    const byDelay = new Map<number, Work[]>()
    const works = this.#queue.remove((work) => {
      const delayMs = delayOf(work)
      if (delayMs === null) return false
      const alike = byDelay.get(delayMs)
      if (alike === undefined) byDelay.set(delayMs, [work])
      else alike.push(work)
      return true
    })
    for (const work of works) this.#left(work)
    for (const [delayMs, alike] of byDelay) this.#giveBackWorks(alike, delayMs)
    return works
  }

  /** Resolves when the store has all that was given back; rejects when it does not take it. */
  flush(): Promise<void> {
    return this.#returns.flush()
  }

  /** A turn of those that run alone goes on: nothing else may start. */
  get alone(): boolean {
    return this.#alone.active
  }

  /** Waits to run alone, or is given back because ordinary work goes first. */
  holdAlone(work: Work, now: number): void {
    const delayMs = this.#alone.admit(work, now)
    if (delayMs > 0) this.#giveBackWorks([work], delayMs)
  }

  /** The next suspect to run. Undefined: none may begin now; the turn may be over. `isQuiet`: nothing is in flight. */
  nextAlone(now: number, isQuiet: boolean): Work | undefined {
    const work = this.#alone.next(now, isQuiet)
    if (work === undefined) {
      const { items, delayMs } = this.#alone.takeLeft(now)
      this.#giveBackWorks(items, delayMs)
    }
    return work
  }

  /** A suspect that has no slot while others of its group run. */
  putBackAlone(work: Work): void {
    this.#alone.putBack(work)
  }

  /** Nothing happens for one that did not run alone. */
  doneAlone(work: Work): void {
    this.#alone.done(work)
  }

  /** The turn goes on, has nothing to run, and a claim may bring more. */
  aloneWantsMore(now: number): boolean {
    return this.#alone.wantsMore(now)
  }

  /** After each claim: the group of suspects that runs becomes all that is leased, and durably so. */
  holdOneGroup(isQuiet: boolean): Promise<void> {
    return this.#alone.holdOneGroup(isQuiet, async (works) => {
      this.#giveBackWorks(works, 0)
      this.giveBackWaiting(() => 0)
      await this.#returns.flush()
    })
  }

  /** Gives back all that is held. */
  giveBackAll(): void {
    this.giveBackWaiting(() => 0)
    this.#giveBackWorks(this.#alone.drain(), 0)
  }

  #giveBackWorks(works: readonly Work[], delayMs: number): void {
    this.#returns.give(
      works.map((work) => work.delivery),
      delayMs,
    )
  }

  #left(work: Work): void {
    if (!work.handedOff) this.#claimed--
    work.place?.done(null)
    work.place = null
  }
}
