/** Commits of publishes that are under way, and whether one more may begin beside them. */
import type { Clock } from '../core/clock.ts'
import type { PublishPace } from '../store/port.ts'

/**
 * The store gathers what it is given while it is busy, so an event need not wait for the commit before its own to end
 * as well. Beside a backlog the p99 of that wait was 9 ms with one commit at a time, 4 ms with two and 0.1 ms with four.
 */
const maxCommits = 4
/** A large commit that takes longer, as behind somebody's lock, has others beside it all the same. */
const longestAloneMs = 30

export interface CommitsOptions {
  readonly clock: Pick<Clock, 'schedule'>
  readonly pace: PublishPace
  /** One more may begin now. */
  readonly onRoom: () => void
}

export class Commits {
  readonly #options: CommitsOptions
  readonly #underWay = new Set<Promise<void>>()
  /** Ends the wait of the others for a large one. Null: there is none. */
  #endAlone: (() => void) | null = null

  constructor(options: CommitsOptions) {
    this.#options = options
  }

  get hasRoom(): boolean {
    return this.#underWay.size < maxCommits && this.#endAlone === null
  }

  get all(): readonly Promise<void>[] {
    return [...this.#underWay]
  }

  /** `work` never rejects. */
  begin(events: number, work: () => Promise<void>): void {
    const { clock, pace, onRoom } = this.#options
    const isLarge = pace.alone !== null && events >= pace.alone
    const endAlone = () => {
      // Another large one may have begun since this one's time alone was over.
      if (this.#endAlone !== endAlone) return
      this.#endAlone = null
      cancelTimer()
    }
    const cancelTimer = isLarge
      ? clock.schedule(longestAloneMs, () => {
          endAlone()
          onRoom()
        })
      : () => {}
    if (isLarge) this.#endAlone = endAlone
    const commit: Promise<void> = work().finally(() => {
      this.#underWay.delete(commit)
      endAlone()
      onRoom()
    })
    this.#underWay.add(commit)
  }
}
