/** What each kind of job does in one slice, and how many rows it would do something about. */
import type { JobKind } from '../../../core/jobs.ts'
import type { JobWork, JobWorkDone } from '../../job-rows.ts'
import type { Walked } from '../../job-walk.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { backfillSlice, walkMissed } from './backfill.ts'
import { cancelSlice, walkWaiting } from './cancel-waiting.ts'
import { replaySlice, walkDeadLetters } from './dead-letters.ts'

interface Kind {
  slice(context: WriteContext, work: JobWork): JobWorkDone
  /** Only reads. */
  look(context: PreparesStatements, work: JobWork): Walked<unknown>
}

export const kinds: Readonly<Record<JobKind, Kind>> = {
  replay: { slice: replaySlice, look: walkDeadLetters },
  cancel: { slice: cancelSlice, look: walkWaiting },
  backfill: { slice: backfillSlice, look: walkMissed },
  skip_backlog: { slice: cancelSlice, look: walkWaiting },
}
