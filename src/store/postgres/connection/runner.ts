/** Ways to run what the store does: with the store's time, on the connection of a lane, atomically or not. */
import { createIdFactory } from '../../../core/ids.ts'
import type { StoreTime } from '../../port.ts'
import type { Database, Session } from './database.ts'
import type { Lane } from './lanes.ts'
import type { Context } from './statement.ts'

type Work<T> = (context: Context) => Promise<T>

export interface Runner {
  /** One statement, or several that need no common moment. */
  plain<T>(lane: Lane, work: Work<T>): Promise<T>
  /** All or nothing. */
  atomic<T>(lane: Lane, work: Work<T>): Promise<T>
  /** One moment for all. */
  snapshot<T>(work: Work<T>): Promise<T>
}

export function createRunner(database: Database, time: StoreTime): Runner {
  const ids = createIdFactory(time.now)
  const inContext =
    <T>(work: Work<T>) =>
    (session: Session): Promise<T> =>
      work({ query: session.query, moment: time.now(), line: time.line, ids })
  return {
    plain: (lane, work) => database.statement(lane, inContext(work)),
    atomic: (lane, work) => database.transaction(lane, inContext(work)),
    snapshot: (work) => database.snapshot(inContext(work)),
  }
}
