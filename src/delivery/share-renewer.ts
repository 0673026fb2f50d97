/**
 * Keeps this node's shares of slots alive. All of them end with a lease that is renewed every second, and a request
 * starts only while the lease outlasts it: a node that is cut off or frozen has none in flight by the time that
 * another may take its slots.
 *
 * With each renewal the node hears of which targets others want slots, and how many it may keep. It gives up the rest,
 * and what it has not needed for a second or two, as requests end.
 */
import { longestTimeout } from '../core/attempt-timeout.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Sender } from '../sender/port.ts'
import type { SlotShares } from '../store/port.ts'
import type { DispatcherOptions } from './dispatcher-options.ts'
import { attemptLength, slotLeaseMs as usableMs } from './lease.ts'
import type { ShareBook } from './share-book.ts'

const renewMs = 1000

/** How many of a target's slots this node uses. */
export interface TargetUse {
  inFlightAt(targetId: string): number
  waitingAt(targetId: string): number
  peakAt(targetId: string): number
  markPeaks(): void
}

export interface ShareRenewerOptions {
  readonly book: ShareBook
  readonly store: SlotShares
  readonly clock: Clock
  readonly logger: Logger
  readonly sender: Pick<Sender, 'totalTimeoutMs'>
  readonly use: TargetUse
  /** What waits in memory for the target, or for any (null), may have to wait for long. */
  readonly giveBack: (targetId: string | null) => void
  readonly onRenewed: () => void
  /** A claim may bring slots that it could not bring before. */
  readonly onSlots: () => void
}

type Wiring = Pick<ShareRenewerOptions, 'use' | 'giveBack' | 'onRenewed' | 'onSlots'> & {
  readonly book: ShareBook | null
}

/** Null where no other process delivers from the store: every slot is this process's own. */
export function createRenewer(
  options: Pick<DispatcherOptions, 'shares' | 'clock' | 'logger' | 'sender'>,
  { book, ...wiring }: Wiring,
): ShareRenewer | null {
  const { shares, clock, logger, sender } = options
  if (shares == null || book === null) return null
  return new ShareRenewer({ store: shares, book, clock, logger, sender, ...wiring })
}

export class ShareRenewer {
  readonly #options: ShareRenewerOptions
  #nodeId: string | null = null
  #renewing: Promise<void> | null = null
  #cancelTimer: (() => void) | null = null
  #stopped = false

  constructor(options: ShareRenewerOptions) {
    this.#options = options
  }

  start(): void {
    this.#renewing = this.#renew().finally(() => {
      if (!this.#stopped) this.#cancelTimer = this.#options.clock.schedule(renewMs, () => this.start())
    })
  }

  /** What is held stays so, for requests that still run, until the store's `leave` or the end of the lease. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    await this.#renewing
  }

  async #renew(): Promise<void> {
    const { book, clock, logger, sender, store, use, giveBack, onRenewed, onSlots } = this.#options
    const openMs = attemptLength(longestTimeout(sender.totalTimeoutMs))
    const sentAt = clock.elapsed()
    try {
      const { nodeId, wanted } = await store.renew({ usableMs, openMs })
      if (nodeId !== this.#nodeId) {
        this.#nodeId = nodeId
        book.clear()
        giveBack(null)
      }
      const isFirst = book.renew(sentAt + usableMs)
      for (const [targetId, keep] of wanted) this.#giveUp(targetId, keep)
      use.markPeaks()
      onRenewed()
      await this.#lower()
      if (book.forgetRefusals() || isFirst) onSlots()
    } catch (error) {
      logger.warn({ err: error }, 'the shares of slots could not be renewed, trying again')
    }
  }

  /** From now on here, and then in the store: whoever takes these slots must find none of them in use. */
  #giveUp(targetId: string, keep: number): void {
    const { book, use, giveBack } = this.#options
    const isLower = book.lower(targetId, Math.min(keep, use.peakAt(targetId)))
    if (isLower && use.waitingAt(targetId) > 0) giveBack(targetId)
  }

  async #lower(): Promise<void> {
    const { book, store, use } = this.#options
    if (book.lowering.size === 0) return
    const slots = Array.from(book.lowering, ([id, kept]) => [id, Math.max(kept, use.inFlightAt(id))] as const)
    await store.lower(new Map(slots))
    for (const [targetId, stored] of slots) book.confirmLowered(targetId, stored)
  }
}
