import type { StatementSync } from 'node:sqlite'
import type { CountDeltas } from '../record/count-deltas.ts'
import type { WriterMemory } from './writer-memory.ts'

/** What every write operation works with: one transaction, one moment. */
export interface WriteContext {
  /** Milliseconds since the epoch, the same for the whole tick. */
  readonly now: number
  prepare(sql: string): StatementSync
  readonly memory: WriterMemory
  readonly counts: CountDeltas
}
