/**
 * Refuses what must not be written: to a database whose files are no longer at their paths, because all of it is gone
 * with the process, and to one that is damaged, because writing may damage more and may not be readable later.
 *
 *     sound ──► displaced ──► sound      (the files came back)
 *     sound ──► damaged                  (until it is opened anew)
 */
import { OuthookError } from '../../../core/errors.ts'
import type { Logger } from '../../../core/logger.ts'
import { describeStoreFault } from '../../../core/store-fault.ts'
import type { Result, WriteName } from '../threads/tick.ts'
import type { Displacement } from './file-watch.ts'
import { markUnchecked } from './unchecked-mark.ts'

/** What is sent already: its outcome belongs into what is rescued. */
const allowedWhileDisplaced: ReadonlySet<WriteName> = new Set(['recordOutcomes', 'release', 'readPragma'])

export class StoreGuard {
  readonly #path: string | null
  readonly #logger: Logger
  #displacement: Displacement | null = null
  #isDamaged = false

  /** `path` is absolute; null: in memory. */
  constructor(path: string | null, logger: Logger) {
    this.#path = path
    this.#logger = logger
  }

  /** Null: the call may go to the writer. */
  refusalOf(name: WriteName): OuthookError | null {
    if (this.#isDamaged) return refusal('damaged')
    if (this.#displacement !== null && !allowedWhileDisplaced.has(name)) return refusal('moved')
    return null
  }

  /** What the writer or the reader answered. */
  note(result: Result): void {
    if (result.ok || result.failure.fault !== 'damaged' || this.#isDamaged) return
    this.#isDamaged = true
    if (this.#path !== null) markUnchecked(this.#path)
    this.#logger.error(
      { store: this.#path, detail: result.failure.message },
      'the database is damaged: from now on everything is refused that would write to it, and nothing is delivered. ' +
        `Stop the server, look with "outhook doctor --store sqlite:${this.#path}", and restore a backup, or repair a ` +
        'copy with the command ".recover" of the sqlite3 shell',
    )
  }

  setDisplacement(displacement: Displacement | null): void {
    this.#displacement = displacement
    const store = this.#path
    if (displacement === null) {
      this.#logger.warn({ store }, 'the files of the database are at their paths again; the server goes on')
      return
    }
    const { path, state, losesData } = displacement
    const what = state === 'gone' ? 'was deleted or moved' : 'was replaced by another file'
    this.#logger.error(
      { store, file: path },
      `${path} ${what} while this process has it open: publishing is refused from now on, and nothing is delivered. ` +
        (losesData
          ? 'What was acknowledged is in the files that are still open, and is lost when this process is killed. ' +
            `While it runs, rescue it with "outhook backup FILE --store sqlite:${store}"; then stop this process, put ` +
            `FILE in the place of ${store}, remove ${store}-wal and ${store}-shm, and start again. Or move the files back`
          : 'Another process could take the database over; stop this one and start it again'),
    )
  }
}

function refusal(fault: 'damaged' | 'moved'): OuthookError {
  return new OuthookError(
    'store_unavailable',
    `the database cannot be used now: ${describeStoreFault(fault)}`,
    { fault },
  )
}
