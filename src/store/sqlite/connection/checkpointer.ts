/**
 * Moves what the write-ahead log holds into the database while the writer goes on, so that no commit has to: a commit
 * that did took 8 ms, every 115 ms beside a backlog over many endpoints, and every publish behind it waited.
 */
import type { Clock } from '../../../core/clock.ts'
import type { Copied } from './database.ts'

export interface CheckpointerOptions {
  readonly clock: Clock
  /** Copies beside the writer, in another thread. Null: it could not. */
  readonly copy: () => Promise<Copied | null>
  /** Copies the little that was written meanwhile, with the writer at rest: the log begins again at its start. */
  readonly finish: () => Promise<void>
}

/**
 * Each page is written once per checkpoint, so rare ones write less: with one a second the p99 of publishes beside a
 * backlog was 6.6 ms, with five 8.5 ms. The log is to stay small too.
 */
const longestMs = 1000
const shortestMs = 100
const wantedPages = 8000

export class Checkpointer {
  readonly #options: CheckpointerOptions
  #running: Promise<void> | null = null
  #waitMs = longestMs
  #endedAt: number
  #changes = 0
  /** The log may hold what the database does not. */
  #isBehind = true

  constructor(options: CheckpointerOptions) {
    this.#options = options
    this.#endedAt = options.clock.elapsed()
  }

  /** To be called after commits, with the rows changed so far: without any there is nothing to move. */
  runIfDue(changes: number): void {
    this.#isBehind ||= changes !== this.#changes
    this.#changes = changes
    if (!this.#isBehind || this.#running !== null || this.#sinceLast() < this.#waitMs) return
    this.#running = this.#run().finally(() => {
      this.#running = null
    })
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, copy, finish } = this.#options
    const sinceLast = this.#sinceLast()
    this.#isBehind = false
    let isDone = false
    try {
      const copied = await copy()
      if (copied !== null) {
        const { log, isWhole } = copied
        if (isWhole) await finish()
        isDone = isWhole
        this.#waitMs = Math.min(longestMs, Math.max(shortestMs, (sinceLast * wantedPages) / log))
      }
    } catch {
      // The thread is gone: the store's next call says so.
    }
    this.#isBehind ||= !isDone
    this.#endedAt = clock.elapsed()
  }

  #sinceLast(): number {
    return this.#options.clock.elapsed() - this.#endedAt
  }
}
