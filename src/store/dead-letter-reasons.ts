import type { ErrorClass } from '../core/model.ts'
import type { DeadLetterReasons } from './port.ts'

/** Dead letters that one count looks at, however many there are. */
export const reasonsLookedAt = 10_000

/** What both databases count: one row for each error class. */
export interface ReasonRow {
  readonly error_class: ErrorClass | null
  /** That match. */
  readonly count: number
  readonly looked_at: number
}

export function toReasons(rows: readonly ReasonRow[]): DeadLetterReasons {
  const lookedAt = rows.reduce((sum, row) => sum + row.looked_at, 0)
  return {
    reasons: rows
      .filter(({ count }) => count > 0)
      .map((row) => ({ errorClass: row.error_class ?? 'internal', count: row.count }))
      .sort((a, b) => b.count - a.count || (a.errorClass < b.errorClass ? -1 : 1)),
    isComplete: lookedAt < reasonsLookedAt,
  }
}
