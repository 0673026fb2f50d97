import type { TimeLine } from '../../../core/time-line.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'

/** What every read works with: one moment, statements compiled once. */
export interface ReadContext extends PreparesStatements {
  readonly now: number
  readonly line: TimeLine
}
