import type { StatementSync } from 'node:sqlite'

/** What every read works with: one moment, statements compiled once. */
export interface ReadContext {
  readonly now: number
  prepare(sql: string): StatementSync
}
