/**
 * Which receivers close each connection right after their answer without saying so in it. A request that crosses
 * with that close is lost, and is not sent again (see `Connection`), so:
 *
 *     unknown ─► a connection is used again once it has been idle for 10 ms
 *     keeps   ─► at once: a connection was used again, and answered
 *     closes  ─► once it has been idle for 50 ms; until then the next request gets a new one
 */
type Habit = 'keeps' | 'closes'

const graceMs = 10
/** A connection that is closed so soon after an answer was closed because of it. */
const quickCloseMs = 50
const maxKnown = 10_000

export class ClosingHabits {
  readonly #known = new Map<string, Habit>()

  /** How long the idle connection has to rest before it is used; null: do not wait for it. */
  restMs(origin: string, connection: { readonly idleMs: number }): number | null {
    switch (this.#known.get(origin)) {
      case 'keeps':
        return 0
      case 'closes':
        return connection.idleMs < quickCloseMs ? null : 0
      case undefined:
        return Math.max(0, graceMs - connection.idleMs)
    }
  }

  sawReuse(origin: string): void {
    if (this.#known.get(origin) !== 'keeps') this.#learn(origin, 'keeps')
  }

  sawClose(origin: string, idleMs: number): void {
    if (idleMs < quickCloseMs) this.#learn(origin, 'closes')
  }

  #learn(origin: string, habit: Habit): void {
    this.#known.delete(origin)
    this.#known.set(origin, habit)
    const oldest = this.#known.keys().next()
    if (this.#known.size > maxKnown && !oldest.done) this.#known.delete(oldest.value)
  }
}
