/** The paces of targets that asked for less, kept here or by another node; see `pace.ts`. */
import type { Clock } from '../core/clock.ts'
import type { HeardPace } from '../store/port.ts'
import { Pace } from './pace.ts'

export class Paces {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #paces = new Map<string, Pace>()

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock
  }

  has(targetId: string): boolean {
    return this.#paces.has(targetId)
  }

  ids(): Iterable<string> {
    return this.#paces.keys()
  }

  /** Requests that may start now. */
  room(targetId: string): number {
    return this.#paces.get(targetId)?.room(this.#clock.elapsed()) ?? Number.POSITIVE_INFINITY
  }

  /** Requests that may start now or within a second. */
  roomSoon(targetId: string): number {
    return this.#paces.get(targetId)?.roomSoon(this.#clock.elapsed()) ?? Number.POSITIVE_INFINITY
  }

  take(targetId: string): void {
    this.#paces.get(targetId)?.take(this.#clock.elapsed())
  }

  /** `tookPerSecond`: what it answered well in the second before. */
  refused(targetId: string, holdMs: number, tookPerSecond: number): void {
    this.#getOrAdd(targetId).refused(this.#clock.elapsed(), holdMs, tookPerSecond)
  }

  answered(targetId: string): void {
    this.#paces.get(targetId)?.answered(this.#clock.elapsed())
  }

  /** This node wrote down that the target refused a request: of all nodes it is the one that keeps the pace. */
  keepHere(targetId: string): void {
    this.#paces.get(targetId)?.keepHere()
  }

  /**
   * Another node keeps the target's pace. When both do, the one whose word counts less gives way. False when that
   * changes nothing here.
   */
  leaveTo({ targetId, perSecond, isSenior }: HeardPace): boolean {
    const known = this.#paces.get(targetId)
    const isKeptHere = known !== undefined && known.keptHere !== null
    if (isKeptHere && !isSenior) return false
    this.#getOrAdd(targetId).leaveTo(this.#clock.elapsed(), perSecond)
    return known === undefined || isKeptHere
  }

  /** Those that are kept here, in requests per second. */
  keptHere(): ReadonlyMap<string, number> {
    const kept = new Map<string, number>()
    for (const [targetId, { keptHere }] of this.#paces) if (keptHere !== null) kept.set(targetId, keptHere)
    return kept
  }

  /** Requests of some target start one by one: whoever looks has to look often. */
  get areRunning(): boolean {
    const now = this.#clock.elapsed()
    for (const pace of this.#paces.values()) if (pace.roomSoon(now) > 0) return true
    return false
  }

  dropOver(): void {
    const now = this.#clock.elapsed()
    for (const [targetId, pace] of this.#paces) if (pace.isOver(now)) this.#paces.delete(targetId)
  }

  #getOrAdd(targetId: string): Pace {
    const pace = this.#paces.get(targetId) ?? new Pace()
    this.#paces.set(targetId, pace)
    return pace
  }
}
