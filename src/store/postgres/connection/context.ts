import type { Session } from './database.ts'

/** What every operation works with: one connection, and how far the store's clock is off the server's. */
export interface Context extends Session {
  /** Added to the server's time; zero outside of tests. First parameter of every statement that asks the time. */
  readonly shiftMs: number
}

/** The moment of the statement, worked out once per statement and usable in an index condition. */
export const now = '(select now_ms($1))'
