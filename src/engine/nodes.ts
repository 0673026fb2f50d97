/** The processes that work on the store, as they say of themselves every few seconds. */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { NodeBook, NodeReport, SeenNode, StoreTime } from '../store/port.ts'

const reportEveryMs = 5000

export interface NodesOptions {
  /** Who this process is. */
  readonly self: Omit<NodeReport, 'startedAt' | 'inFlight'>
  readonly inFlight: () => number
  /** Null: this process is the only one. */
  readonly book: NodeBook | null
  readonly time: Pick<StoreTime, 'now'>
  readonly clock: Pick<Clock, 'schedule'>
  readonly logger: Logger
}

export class Nodes {
  readonly #options: NodesOptions
  readonly #startedAt: number
  #cancel: (() => void) | null = null
  #reporting: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: NodesOptions) {
    this.#options = options
    this.#startedAt = options.time.now()
  }

  start(): void {
    const { book } = this.#options
    if (book !== null) this.#reportTo(book)
  }

  /** Can be called twice. */
  async stop(): Promise<void> {
    const { book, self } = this.#options
    if (this.#isStopped) return this.#reporting
    this.#isStopped = true
    this.#cancel?.()
    await this.#reporting
    // Else the others forget it by themselves.
    this.#reporting = book?.leave(self.id).catch(() => {}) ?? Promise.resolve()
    await this.#reporting
  }

  /** The oldest first. What the store knows of this process may be some seconds old, so it is said anew. */
  async list(): Promise<readonly SeenNode[]> {
    const own = { ...this.#own(), seenAt: this.#options.time.now() }
    const known = (await this.#options.book?.list()) ?? []
    const others = known.filter(({ id }) => id !== own.id)
    return [...others, own].toSorted((a, b) => a.startedAt - b.startedAt)
  }

  #own(): NodeReport {
    const { self, inFlight } = this.#options
    return { ...self, startedAt: this.#startedAt, inFlight: inFlight() }
  }

  #reportTo(book: NodeBook): void {
    const { clock, logger } = this.#options
    this.#reporting = book
      .report(this.#own())
      .catch((err) => logger.debug({ err }, 'this process could not say that it is there'))
      .then(() => {
        if (!this.#isStopped) this.#cancel = clock.schedule(reportEveryMs, () => this.#reportTo(book))
      })
  }
}
