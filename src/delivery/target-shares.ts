/**
 * This node's part of the slots of targets that it shares with other nodes. Claims bring shares; hand-offs and claimed
 * work spend them alike, from memory. All of them end with a lease that is renewed every second, and a request starts
 * only while the lease outlasts it: a node that is cut off or frozen has none in flight by the time that another may
 * take its slots.
 *
 * With each renewal the node hears of which targets others want slots, and how many it may keep. It gives up the rest,
 * and what it has not needed for a second or two, as requests end.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Sender } from '../sender/port.ts'
import type { SlotShares } from '../store/port.ts'
import { attemptLength, slotLeaseMs as usableMs } from './lease.ts'

const renewMs = 1000
/** Targets whose share is remembered. Of any other it is learnt again with the next claim. */
const maxKnown = 50_000

/** What of a target's slots is used here. */
export interface TargetUse {
  inFlightAt(targetId: string): number
  queuedAt(targetId: string): number
  peakAt(targetId: string): number
  markPeaks(): void
}

export interface TargetSharesOptions {
  /** Null or absent: no other process delivers from this store. */
  readonly shares?: SlotShares | null
  readonly clock: Clock
  readonly logger: Logger
  readonly sender: Pick<Sender, 'totalTimeoutMs'>
  readonly load: TargetUse
  /** What waits in memory for the target, or for any (null), may have to wait for long. */
  readonly giveBack: (targetId: string | null) => void
  /** A claim may bring slots that it could not bring before. */
  readonly onSlots: () => void
}

export class TargetShares {
  readonly #options: TargetSharesOptions
  readonly #store: SlotShares
  readonly #slots = new Map<string, number>()
  /** Targets that gave no slot, or no more of them; asked again after the next renewal. */
  readonly #refused = new Set<string>()
  /** What is to be kept of shares that are larger in the store until requests end; a claim changes nothing of it. */
  readonly #lowering = new Map<string, number>()
  #nodeId: string | null = null
  #usableUntil = Number.NEGATIVE_INFINITY
  #renewing: Promise<void> | null = null
  #cancelTimer: (() => void) | null = null
  #stopped = false

  private constructor(options: TargetSharesOptions, store: SlotShares) {
    this.#options = options
    this.#store = store
  }

  /** Null: every target's slots are this process's own. */
  static create(options: TargetSharesOptions): TargetShares | null {
    return options.shares == null ? null : new TargetShares(options, options.shares)
  }

  /** Requests that this node may have in flight to the target now. */
  of(targetId: string): number {
    return this.isUsable ? (this.#slots.get(targetId) ?? 0) : 0
  }

  get isUsable(): boolean {
    return this.#options.clock.elapsed() <= this.#usableUntil
  }

  /** Targets of which a claim would bring nothing, for want of slots. */
  *refused(): Iterable<string> {
    for (const targetId of this.#refused) if (!this.#slots.has(targetId)) yield targetId
  }

  /** Its share may grow: the last claim that asked did not find all slots taken. */
  mayGrow(targetId: string): boolean {
    return !this.#refused.has(targetId) && !this.#lowering.has(targetId)
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

  /** What a claim brought that asked for more slots of the targets in `asked`. */
  adopt(shares: ReadonlyMap<string, number>, asked: ReadonlySet<string>): void {
    for (const [targetId, slots] of shares) {
      if (this.#lowering.has(targetId)) continue
      const hasGrown = slots > (this.#slots.get(targetId) ?? 0)
      if (!hasGrown && (slots === 0 || asked.has(targetId))) this.#refused.add(targetId)
      this.#set(targetId, slots)
    }
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

  async #renew(): Promise<void> {
    const { clock, logger, sender, load, giveBack, onSlots } = this.#options
    const openMs = attemptLength(sender.totalTimeoutMs)
    const sentAt = clock.elapsed()
    try {
      const { nodeId, wanted } = await this.#store.renew({ usableMs, openMs })
      if (nodeId !== this.#nodeId) {
        this.#nodeId = nodeId
        this.#slots.clear()
        this.#lowering.clear()
        this.#refused.clear()
        giveBack(null)
      }
      const isFirst = !this.isUsable
      this.#usableUntil = sentAt + usableMs
      for (const [targetId, keep] of wanted) this.#giveUp(targetId, keep)
      load.markPeaks()
      await this.#lower()
      const mayBringMore = isFirst || this.#refused.size > 0
      this.#refused.clear()
      if (mayBringMore) onSlots()
    } catch (error) {
      logger.warn({ err: error }, 'the shares of slots could not be renewed, trying again')
    }
  }

  /** From now on here, and then in the store: whoever takes these slots must find none of them in use. */
  #giveUp(targetId: string, keep: number): void {
    const { load, giveBack } = this.#options
    const share = this.#slots.get(targetId) ?? 0
    const kept = Math.min(share, keep, load.peakAt(targetId))
    if (kept === share && share > 0) return
    this.#set(targetId, kept)
    this.#lowering.set(targetId, kept)
    if (load.queuedAt(targetId) > 0) giveBack(targetId)
  }

  async #lower(): Promise<void> {
    if (this.#lowering.size === 0) return
    const { load } = this.#options
    const slots = Array.from(
      this.#lowering,
      ([id, kept]) => [id, Math.max(kept, load.inFlightAt(id))] as const,
    )
    await this.#store.lower(new Map(slots))
    for (const [targetId, stored] of slots) {
      if (stored === this.#lowering.get(targetId)) this.#lowering.delete(targetId)
    }
  }
}
