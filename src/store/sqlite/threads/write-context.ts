import type { PreparesStatements } from '../connection/statement-cache.ts'
import type { CountDeltas } from '../record/count-deltas.ts'
import type { WriterMemory } from './writer-memory.ts'

/** What every write operation works with: one transaction, one moment. */
export interface WriteContext extends PreparesStatements {
  /** Milliseconds since the epoch, the same for the whole tick. */
  readonly now: number
  readonly memory: WriterMemory
  readonly counts: CountDeltas
}
