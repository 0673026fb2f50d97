import type { IdFactory } from '../../../core/ids.ts'
import type { TimeLine } from '../../../core/time-line.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'

import type { CountDeltas } from '../record/count-deltas.ts'
import type { WriterMemory } from './writer-memory.ts'

/** What every write operation works with: one transaction, one moment. */
export interface WriteContext extends PreparesStatements {
  /** A moment of the store's line of time, the same for the whole tick. */
  readonly now: number
  readonly line: TimeLine
  readonly memory: WriterMemory
  readonly counts: CountDeltas
  /** Of the lines of the audit log. */
  readonly ids: IdFactory
}
