/** Looks again and again at what has been waiting: targets that are silent, work that cannot start soon, paces. */
import type { Clock } from '../core/clock.ts'
import type { LeaseLengths } from './lease-lengths.ts'
import type { Leases } from './leases.ts'
import type { Paces } from './paces.ts'
import type { Slots } from './slots.ts'
import { giveBackStuckWork } from './stuck-work.ts'

const checkMs = 200
/** With nothing under way there is no silence. */
const quietCheckMs = 1000
/** While requests of some target start by a pace. */
const paceCheckMs = 50

export interface SilenceWatchOptions {
  readonly clock: Clock
  readonly lengths: Pick<LeaseLengths, 'cover'>
  readonly slots: Slots
  readonly leases: Leases
  readonly paces: Paces
  /** Something may start now that might not before. */
  readonly onLooked: () => void
}

export class SilenceWatch {
  readonly #options: SilenceWatchOptions
  #state: 'idle' | 'quiet' | 'soon' | 'stopped' = 'idle'
  #cancelTimer: (() => void) | null = null

  constructor(options: SilenceWatchOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#state === 'idle') this.#lookAfter('quiet')
  }

  stop(): void {
    this.#state = 'stopped'
    this.#cancelTimer?.()
  }

  /** Something has come or is under way. */
  expectWork(): void {
    if (this.#state === 'quiet') this.#lookAfter('soon')
  }

  giveBackStuck(): void {
    const { leases, slots, lengths } = this.#options
    giveBackStuckWork({ leases, slots, lengths })
  }

  #lookAfter(state: 'quiet' | 'soon'): void {
    const { clock, paces } = this.#options
    this.#state = state
    this.#cancelTimer?.()
    const usualMs = state === 'soon' ? checkMs : quietCheckMs
    this.#cancelTimer = clock.schedule(paces.areRunning ? paceCheckMs : usualMs, () => this.#look())
  }

  #look(): void {
    const { slots, paces, leases, onLooked } = this.#options
    slots.markSilent()
    paces.dropOver()
    onLooked()
    this.giveBackStuck()
    if (this.#state === 'stopped') return
    this.#lookAfter(slots.inFlight > 0 || leases.holdsAny ? 'soon' : 'quiet')
  }
}
