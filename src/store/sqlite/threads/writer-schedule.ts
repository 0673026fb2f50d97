/**
 * What the one writer does next, how much of it, and when it rests, decided in one place: publishes are waited for by
 * callers, so claims, outcomes and upkeep are cut to what holds publishes up for little.
 */
import type { Clock } from '../../../core/clock.ts'
import { ClaimsBesidePublishes } from '../../claims-beside-publishes.ts'
import type { Company } from '../../company.ts'
import type { MaintenanceSlices, NewEvent, StorePace } from '../../port.ts'
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
const claimSizes = { most: 128, few: 8, restMs: 10 }
/** Twice a claim: outcomes of hand-offs come on top, and what falls behind stops the dispatcher. */
const maxOutcomes = 256
/** Outcomes of one call that publishes do not pass: they make a commit that is waited for longer by a third of a millisecond at most. */
const maxRiding = 32
/**
 * At a hundred events a second the next publish comes after 10 ms, and takes along what ended meanwhile: one commit and
 * one message for each event instead of two.
 */
export const companyMs = 20
/**
 * Deliveries that a slice of an event for many makes beside publishes: a hundred take 4 to 8 ms, in which every publish waits.
 */
const fewFannedOut = 25
/**
 * A thousand targets would take 8 ms.
 * Figures come in by the hundred per second. Folded a thousand rows at a time they kept everything else waiting for 20 ms,
 * every five seconds (p99 of fifty endpoints with 500 events/s: 22 to 64 ms, where it is 5 to 8 without).
 */
const maintenance: MaintenanceSlices = { targets: 200, rows: 1000, retentionRows: 500, statRows: 50 }

/**
 * Parts of long work that nobody waits for. Beside one event for 10 thousand endpoints a transaction with one of them, a
 * claim and outcomes took 13 ms (p99 of fifty endpoints with 500 events/s: 4 times as high as without; now twice).
 */
const slices: ReadonlySet<string> = new Set(['fanOutSlice', 'runJobSlice', 'foldStats'])

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

export class WriterSchedule {
  readonly pace: StorePace
  /** Null: outcomes do not wait. */
  readonly company: Company | null
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #claims: ClaimsBesidePublishes

  constructor(clock: Pick<Clock, 'elapsed'>, company: Company | null) {
    this.#clock = clock
    this.company = company
    // Two claims' worth: outcomes go along with a claim then, and seldom make a commit of their own.
    const outcomes = { most: maxOutcomes, enough: maxOutcomes, company }
    const claims = new ClaimsBesidePublishes(clock, claimSizes)
    this.#claims = claims
    this.pace = {
      publishes: { alone: null },
      claims,
      outcomes,
      maintenance,
      get fanOutSlice() {
        return claims.areBeside ? fewFannedOut : receiversPerSlice
      },
    }
  }

  /** A call comes in, and is weighed once. */
  admit(call: Call): Waiting {
    const since = this.#clock.elapsed()
    const weight = call.name === 'publish' ? weigh(call.args[0] as readonly NewEvent[]) : noPublish
    if (weight.deliveries > 0) this.#claims.notePublish(weight.deliveries)
    return { call, since, weight, isBulk: isBulk(call) }
  }

  /**
   * What goes into the next transaction, in order; but publishes that no longer fit wait, a few of them pass bulk, and
   * beside publishes a slice of long work has no other bulk beside it.
   */
  take<Call extends Waiting>(queue: readonly Call[]): { readonly taken: Call[]; readonly left: Call[] } {
    // Whoever waits for publishes publishes nothing meanwhile, however long that takes.
    if (queue.some(({ weight }) => weight.deliveries > 0)) this.#claims.noteWaiting()
    const bulk = this.#bulkToTake(queue)
    const taken: Call[] = []
    const left: Call[] = []
    let deliveries = 0
    let bytes = 0
    let isFull = false
    for (const waiting of queue) {
      const { weight } = waiting
      if (weight.deliveries === 0) {
        if (waiting.isBulk && !bulk.has(waiting)) left.push(waiting)
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

  /** None while publishes pass it; beside publishes one slice, or all that is no slice; else all. */
  #bulkToTake(queue: readonly Waiting[]): ReadonlySet<Waiting> {
    if (this.#publishesArePassing(queue)) return new Set()
    const bulk = queue.filter((waiting) => waiting.isBulk)
    const [first] = bulk
    if (first === undefined || !this.#claims.areBeside || !bulk.some(isSlice)) return new Set(bulk)
    return new Set(isSlice(first) ? [first] : bulk.filter((waiting) => !isSlice(waiting)))
  }

  #publishesArePassing(queue: readonly Waiting[]): boolean {
    const oldestBulk = queue.find((waiting) => waiting.isBulk)?.since ?? Number.POSITIVE_INFINITY
    if (this.#clock.elapsed() - oldestBulk >= maxPassedMs) return false
    const deliveries = queue.reduce((sum, { weight }) => sum + weight.deliveries, 0)
    return deliveries > 0 && deliveries <= maxPassing
  }
}

function isBulk({ name, args }: Call): boolean {
  if (name === 'claim' || slices.has(name)) return true
  return name === 'recordOutcomes' && (args[0] as readonly unknown[]).length > maxRiding
}

function isSlice({ call }: Waiting): boolean {
  return slices.has(call.name)
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
