/**
 * Decides when to claim, and claims: when work may be due and there is room for it, one claim at a time.
 * A wake-up that comes while a claim runs leads to another one, so none is lost.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { ClaimedDelivery, ClaimResult, DeliveryStore, StorePace } from '../store/port.ts'
import type { LeaseLengths } from './lease-lengths.ts'
import type { Leases } from './leases.ts'
import type { Paces } from './paces.ts'
import type { RoutingCache } from './routing-cache.ts'
import type { ShareBook } from './share-book.ts'
import type { ClaimSlots, Slots } from './slots.ts'

const maxClaimBytes = 8 * 1024 * 1024
/** A claim at least this often, in case a wake-up was lost. */
const idleClaimMs = 2000
/** A claim as often while due work is left that has no slot: it hides when the next other work is due. */
const leftClaimMs = 250
/** The same while some target has its slots one by one, by a pace. */
const pacedClaimMs = 100
const maxRetryMs = 2000
/**
 * Due work that was left for want of slots is claimed again once so many have become free, or half of what is in flight:
 * as much waits in memory meanwhile. With 32 a drain made a commit for every 32 deliveries.
 */
const enoughFreed = 128

export interface ClaimerOptions {
  readonly store: Pick<DeliveryStore, 'claim'> & { readonly pace: Pick<StorePace, 'claims'> }
  readonly clock: Clock
  readonly logger: Logger
  readonly lengths: Pick<LeaseLengths, 'ms'>
  readonly leases: Pick<Leases, 'claimed' | 'owed' | 'flush'>
  readonly slots: Pick<Slots, 'inFlight' | 'freeForBacklog' | 'claimSlots'>
  readonly shares: Pick<ShareBook, 'adopt'> | null
  readonly paces: Pick<Paces, 'areRunning'>
  /** Deliveries that may be claimed; 0 while none may. */
  readonly room: () => number
  readonly routing: Pick<RoutingCache, 'dropOlder'>
  /**
   * Takes what was claimed, leased until `leaseEndsAt` (elapsed scale), without starting it: at once, or as a promise
   * when it has to wait for something. Throwing and rejecting count as a failed claim.
   */
  readonly hold: (deliveries: readonly ClaimedDelivery[], leaseEndsAt: number) => Promise<void> | undefined
  /**
   * A claim is over, or it is time for the next. After a claim it is called as soon as its answer is there, so that the
   * next claim goes out before anything starts.
   */
  readonly onTurn: () => void
}

interface ClaimUnderWay {
  readonly limit: number
  readonly slots: ClaimSlots
  readonly leaseEndsAt: number
  readonly answer: Promise<ClaimResult>
}

export class Claimer {
  readonly #options: ClaimerOptions
  #isClaiming = false
  #claiming: Promise<void> | null = null
  /** When the next claim may find something, on the elapsed scale. */
  #nextClaimAt = 0
  /** Slots freed since a claim left due work for want of slots; -1 when none did. */
  #freedSinceLeft = -1
  /** When that claim brought nothing, the targets that had no slots: no other's slot helps. Null: any may. */
  #lacking: ReadonlySet<string> | null = null
  /** What the last claim brought, while the next one goes out: it starts only then. */
  #unstarted = 0
  #failures = 0
  #cancelTimer: (() => void) | null = null

  constructor(options: ClaimerOptions) {
    this.#options = options
  }

  /** There may be due work after so long. */
  expectWork(delayMs: number): void {
    this.#nextClaimAt = Math.min(this.#nextClaimAt, this.#options.clock.elapsed() + delayMs)
  }

  countFreedSlot(targetId: string): void {
    if (this.#freedSinceLeft >= 0 && this.#lacking?.has(targetId) !== false) this.#freedSinceLeft++
  }

  /** Claims now, or sets the timer for when it makes sense. */
  claimIfUseful(): void {
    if (this.#isClaiming) return
    const { clock, room, store, onTurn } = this.#options
    const limit = room()
    if (limit <= 0) return
    const now = clock.elapsed()
    const dueInMs = this.#isWorthAnother() ? 0 : this.#nextClaimAt - now
    const waitMs = Math.max(dueInMs, store.pace.claims.restMs())
    if (waitMs > 0) {
      this.#cancelTimer?.()
      this.#cancelTimer = clock.schedule(waitMs, onTurn)
      return
    }
    this.#isClaiming = true
    this.#claiming = this.#claimAtPace(limit)
  }

  /** Waits for a claim under way; whoever calls this lets no other begin. */
  async stop(): Promise<void> {
    this.#cancelTimer?.()
    await this.#claiming
  }

  /** Due work was left for want of slots: wait until a few are free, or each claim brings one row. */
  #isWorthAnother(): boolean {
    const { slots, leases } = this.#options
    const few = Math.max(1, Math.min(enoughFreed, slots.inFlight >> 1))
    return this.#freedSinceLeft > 0 && (this.#freedSinceLeft >= few || leases.claimed === 0)
  }

  async #claimAtPace(room: number): Promise<void> {
    const { clock, store, leases, logger, onTurn } = this.#options
    const { claims } = store.pace
    const limit = Math.min(room, claims.begin())
    let given = 0
    this.#nextClaimAt = clock.elapsed() + idleClaimMs
    this.#freedSinceLeft = -1
    try {
      // What is owed goes first: claimed again with its lease over, it would count as lost.
      if (leases.owed) await leases.flush()
      const claim = this.#beginClaim(limit)
      const result = await claim.answer
      const held = this.#takeIn(result, claim)
      if (held !== undefined) await held
      this.#failures = 0
      given = result.deliveries.length
    } catch (error) {
      this.#nextClaimAt = clock.elapsed() + Math.min(maxRetryMs, 50 * 2 ** this.#failures++)
      logger.warn({ err: error }, 'deliveries could not be claimed, trying again')
    }
    claims.end(given)
    this.#isClaiming = false
    this.#unstarted = given
    onTurn()
    this.#unstarted = 0
  }

  #beginClaim(limit: number): ClaimUnderWay {
    const { clock, store, lengths } = this.#options
    const leaseMs = lengths.ms
    const leaseEndsAt = clock.elapsed() + leaseMs
    const slots = this.#options.slots.claimSlots()
    const startable = Math.max(0, this.#options.slots.freeForBacklog - this.#unstarted)
    const answer = store.claim({ limit, startable, maxBytes: maxClaimBytes, leaseMs, ...slots })
    return { limit, slots, leaseEndsAt, answer }
  }

  #takeIn(result: ClaimResult, { limit, slots, leaseEndsAt }: ClaimUnderWay): Promise<void> | undefined {
    const { shares, routing, hold } = this.#options
    const full = Array.from(slots.slots).filter(([, free]) => free === 0)
    this.#lacking = result.deliveries.length > 0 ? null : new Set(full.map(([targetId]) => targetId))
    this.#planNext(result, limit)
    if (result.cluster !== null) {
      shares?.adopt(result.cluster.shares, slots.wantsMore)
      routing.dropOlder(result.cluster.routingVersions)
    }
    return hold(result.deliveries, leaseEndsAt)
  }

  #planNext({ deliveries, nextDueMs }: ClaimResult, limit: number): void {
    if (nextDueMs !== 0) {
      this.expectWork(nextDueMs ?? idleClaimMs)
      return
    }
    this.#freedSinceLeft = 0
    const bytes = deliveries.reduce((sum, { payload }) => sum + payload.length, 0)
    // A full claim, and one that large payloads ended early, may leave slots free.
    const mayGoOn = deliveries.length >= limit || bytes > maxClaimBytes / 2
    this.expectWork(mayGoOn ? 0 : this.#options.paces.areRunning ? pacedClaimMs : leftClaimMs)
  }
}
