/**
 * What the one writer does next, how much of it, and when it rests, decided in one place: publishes are waited for by
 * callers, so claims, outcomes and upkeep are cut to what holds publishes up for little.
 */
import type { Clock } from '../../../core/clock.ts'
import type { Company } from '../../company.ts'
import type { ClaimPace, MaintenanceSlices, NewEvent, StorePace } from '../../port.ts'
import { receiversPerSlice } from '../publish/large-fan-out.ts'
import type { Call } from './tick.ts'

/** Publishes of no more deliveries go before claims, outcomes and fan-out slices that wait as well: they hold them up for little. */
const maxPassing = 32
/** Unless one of those has waited for so long. */
const maxPassedMs = 30
/** Publishes beyond these wait for the next tick; a bigger one goes alone. */
const maxDeliveriesPerTick = 1000
const maxBytesPerTick = 4 * 1024 * 1024

/** Publishes of so many deliveries, and nothing else, are worth a commit of their own behind the one that runs. */
const enoughToFollow = 16

/**
 * A claim of 500 takes some 20 ms, in which every publish waits: with a backlog over 10 thousand endpoints the p50 from
 * publish to arrival was 51 ms, and 24 ms with about 100.
 */
const maxClaimed = 128
/**
 * Beside publishes a backlog may not fill the writer: claims are small then, and rests follow. But twice as many are
 * claimed as are published, or a backlog could only grow.
 */
const fewClaimed = 8
const restMs = 10
/** How long after a publish others are expected. */
const besidePublishesMs = 20
/** Twice a claim: outcomes of hand-offs come on top, and what falls behind stops the dispatcher. */
const maxOutcomes = 256
/** Outcomes of one call that publishes do not pass: they make a commit that is waited for longer by a third of a millisecond at most. */
const maxRiding = 32
/**
 * At a hundred events a second the next publish comes after 10 ms, and takes along what ended meanwhile: one commit and
 * one message for each event instead of two.
 */
export const companyMs = 20
/** A thousand targets would take 8 ms. */
/**
 * Figures come in by the hundred per second. Folded a thousand rows at a time they kept everything else waiting for 20 ms,
 * every five seconds (p99 of fifty endpoints with 500 events/s: 22 to 64 ms, where it is 5 to 8 without).
 */
const maintenance: MaintenanceSlices = { targets: 200, rows: 1000, retentionRows: 500, statRows: 50 }

/** A call that waits for the writer. */
export interface Waiting {
  readonly call: Call
  /** On the elapsed scale. */
  readonly since: number
  readonly weight: Weight
  /** Publishes of few deliveries may pass it. */
  readonly isBulk: boolean
}

export interface Weight {
  /** Zero: it is no publish. */
  readonly deliveries: number
  readonly bytes: number
}

const noPublish: Weight = { deliveries: 0, bytes: 0 }

export class WriterSchedule implements ClaimPace {
  readonly pace: StorePace
  /** Null: outcomes do not wait. */
  readonly company: Company | null
  readonly #clock: Pick<Clock, 'elapsed'>
  /** Deliveries, since the last claim. */
  #published = 0
  #publishedAt = Number.NEGATIVE_INFINITY
  #claimsMost = maxClaimed
  #restsUntil = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<Clock, 'elapsed'>, company: Company | null) {
    this.#clock = clock
    this.company = company
    // Two claims' worth: outcomes go along with a claim then, and seldom make a commit of their own.
    const outcomes = { most: maxOutcomes, enough: maxOutcomes, company }
    this.pace = {
      publishes: { alone: null },
      claims: this,
      outcomes,
      maintenance,
      fanOutSlice: receiversPerSlice,
    }
  }

  /** A call comes in, and is weighed once. */
  admit(call: Call): Waiting {
    const since = this.#clock.elapsed()
    const weight = call.name === 'publish' ? weigh(call.args[0] as readonly NewEvent[]) : noPublish
    if (weight.deliveries > 0) {
      this.#published += weight.deliveries
      this.#publishedAt = since
    }
    return { call, since, weight, isBulk: isBulk(call) }
  }

  restMs(): number {
    // What a small claim does not keep up with ends the rest.
    return this.#isOutpaced() ? 0 : Math.max(0, this.#restsUntil - this.#clock.elapsed())
  }

  begin(): number {
    const besidePublishes = this.#clock.elapsed() - this.#publishedAt < besidePublishesMs
    const most = besidePublishes ? Math.max(fewClaimed, 2 * this.#published) : maxClaimed
    this.#claimsMost = Math.min(most, maxClaimed)
    this.#published = 0
    return this.#claimsMost
  }

  end(given: number): void {
    const isSmall = this.#claimsMost === fewClaimed && given === fewClaimed
    this.#restsUntil = isSmall ? this.#clock.elapsed() + restMs : Number.NEGATIVE_INFINITY
  }

  /** More was published since the last claim than a small one keeps up with. */
  #isOutpaced(): boolean {
    return 2 * this.#published >= fewClaimed
  }

  /** What goes into the next transaction, in order; but publishes that no longer fit wait, and a few of them pass bulk. */
  take<Call extends Waiting>(queue: readonly Call[]): { readonly taken: Call[]; readonly left: Call[] } {
    const passing = this.#publishesArePassing(queue)
    const taken: Call[] = []
    const left: Call[] = []
    let deliveries = 0
    let bytes = 0
    let isFull = false
    for (const waiting of queue) {
      const { weight } = waiting
      if (weight.deliveries === 0) {
        if (passing && waiting.isBulk) left.push(waiting)
        else taken.push(waiting)
        continue
      }
      const fits =
        deliveries + weight.deliveries <= maxDeliveriesPerTick && bytes + weight.bytes <= maxBytesPerTick
      if (isFull || (deliveries > 0 && !fits)) {
        isFull = true
        left.push(waiting)
        continue
      }
      deliveries += weight.deliveries
      bytes += weight.bytes
      taken.push(waiting)
    }
    return { taken, left }
  }

  /**
   * Whether what waits may go over while the writer is still at the tick before: what is published then waits for that
   * tick as well, and what else waits would keep it waiting for longer.
   */
  mayFollow(queue: readonly Waiting[]): boolean {
    const deliveries = queue.reduce((sum, { weight }) => sum + weight.deliveries, 0)
    return deliveries >= enoughToFollow && queue.every(({ weight }) => weight.deliveries > 0)
  }

  #publishesArePassing(queue: readonly Waiting[]): boolean {
    const oldestBulk = queue.find((waiting) => waiting.isBulk)?.since ?? Number.POSITIVE_INFINITY
    if (this.#clock.elapsed() - oldestBulk >= maxPassedMs) return false
    const deliveries = queue.reduce((sum, { weight }) => sum + weight.deliveries, 0)
    return deliveries > 0 && deliveries <= maxPassing
  }
}

function isBulk({ name, args }: Call): boolean {
  if (name === 'claim' || name === 'fanOutSlice' || name === 'runJobSlice') return true
  return name === 'recordOutcomes' && (args[0] as readonly unknown[]).length > maxRiding
}

function weigh(batch: readonly NewEvent[]): Weight {
  let deliveries = 0
  let bytes = 0
  for (const event of batch) {
    deliveries += Math.max(1, event.deliveries.length)
    bytes += event.payload.byteLength + (event.receivers?.byteLength ?? 0)
  }
  return { deliveries, bytes }
}
