/**
 * What receivers have shown of themselves, by origin.
 *
 * Whether the last answer was a whole one: others are strangers, whose connections are opened slowly (see
 * `strangerPace`).
 *
 * Whether a receiver closes each connection right after its answer without saying so in it. A request that crosses
 * with that close is lost, and is not sent again (see `Connection`), so:
 *
 *     unknown ─► a connection is used again once it has been idle for 10 ms
 *     keeps   ─► at once: a connection was used again, and answered
 *     closes  ─► once it has been idle for 50 ms; until then the next request gets a new one
 */
interface Habits {
  answers: boolean
  closing: 'keeps' | 'closes' | 'unknown'
}

const graceMs = 10
/** A connection that is closed so soon after an answer was closed because of it. */
const quickCloseMs = 50
/** About 20 MB of those who have so many. */
const maxKnown = 100_000

export class ReceiverHabits {
  readonly #known = new Map<string, Habits>()

  /** It answers, as far as is known. */
  answers(origin: string): boolean {
    return this.#known.get(origin)?.answers === true
  }

  /** How long the idle connection has to rest before it is used; null: do not wait for it. */
  restMs(origin: string, connection: { readonly idleMs: number }): number | null {
    switch (this.#known.get(origin)?.closing) {
      case 'keeps':
        return 0
      case 'closes':
        return connection.idleMs < quickCloseMs ? null : 0
      default:
        return Math.max(0, graceMs - connection.idleMs)
    }
  }

  /** A whole answer. `again`: over a connection that had carried one before. Says whether the last was none. */
  sawAnswer(origin: string, again: boolean): boolean {
    const known = this.#known.get(origin)
    const isNews = known?.answers !== true
    if (known === undefined) this.#learn(origin, { answers: true, closing: 'unknown' })
    else known.answers = true
    if (again) this.#sawClosing(origin, 'keeps')
    return isNews
  }

  sawNoAnswer(origin: string): void {
    const known = this.#known.get(origin)
    if (known !== undefined) known.answers = false
  }

  sawClose(origin: string, idleMs: number): void {
    if (idleMs < quickCloseMs) this.#sawClosing(origin, 'closes')
  }

  #sawClosing(origin: string, closing: Habits['closing']): void {
    const known = this.#known.get(origin)
    if (known?.closing === closing) return
    this.#known.delete(origin)
    this.#learn(origin, { answers: known?.answers ?? false, closing })
  }

  #learn(origin: string, habits: Habits): void {
    this.#known.set(origin, habits)
    const oldest = this.#known.keys().next()
    if (this.#known.size > maxKnown && !oldest.done) this.#known.delete(oldest.value)
  }
}
