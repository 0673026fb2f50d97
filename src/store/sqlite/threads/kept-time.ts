/** What the writer keeps of the store's line of time: the line, when it changes, and which moment was seen last. */
import {
  newTimeLine,
  resumeTimeLine,
  type SavedTime,
  seenEveryMs,
  type TimeLine,
} from '../../../core/time-line.ts'
import { parseSavedTime, savedTimeName } from '../../saved-time.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'

/** Where nothing else is written. */
const saveIdleMs = 60_000

export class KeptTime {
  #line: TimeLine = newTimeLine
  #isChanged = false
  #savedAt = Number.NEGATIVE_INFINITY
  /** Rows changed by this connection when it was last saved. */
  #changes = 0

  get line(): TimeLine {
    return this.#line
  }

  /** Where the line goes on. */
  resume(statements: PreparesStatements, wall: number): number {
    const row = statements.prepare('select value from meta where name = ?').get(savedTimeName) // primary key
    const { line, now } = resumeTimeLine(parseSavedTime(row?.value as string | undefined), wall)
    this.change(line)
    return now
  }

  change(line: TimeLine): void {
    this.#line = line
    this.#isChanged = true
  }

  /** In the transaction of whatever else is written. */
  write(statements: PreparesStatements, now: number): void {
    if (!this.#isChanged && now - this.#savedAt < seenEveryMs) return
    if (!this.#isChanged && now - this.#savedAt < saveIdleMs && changesOf(statements) === this.#changes)
      return
    const saved: SavedTime = { line: this.#line, seenAt: now }
    statements
      .prepare(
        'insert into meta (name, value) values (?, ?) on conflict do update set value = excluded.value',
      )
      .run(savedTimeName, JSON.stringify(saved))
    this.#savedAt = now
    this.#changes = changesOf(statements)
    this.#isChanged = false
  }

  /** The transaction was undone. */
  undo(): void {
    this.#isChanged = true
  }
}

function changesOf(statements: PreparesStatements): number {
  return statements.prepare('select total_changes() as changes').get()?.changes as number
}
