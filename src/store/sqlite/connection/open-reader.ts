import type { TimeLine } from '../../../core/time-line.ts'
import { writeCopy } from '../copy/write-copy.ts'
import { runRead } from '../read/operations.ts'
import type { ReadName, Result } from '../threads/tick.ts'
import { openDatabase } from './database.ts'
import { failureOf } from './failure-of.ts'
import { StatementCache } from './statement-cache.ts'

export interface ReadRequest {
  readonly now: number
  readonly line: TimeLine
  readonly name: ReadName
  readonly args: readonly unknown[]
}

/** Asks for a copy of the database, as this connection sees it. */
export interface CopyRequest {
  readonly copyTo: string
}

export interface OpenReader {
  run(request: ReadRequest | CopyRequest): Result
  close(): void
}

/** A read-only connection beside the writer's; one snapshot per call. */
export function openReader(path: string): OpenReader {
  const database = openDatabase(path, { readOnly: true })
  const statements = new StatementCache(database)
  const prepare = <Row>(sql: string) => statements.prepare<Row>(sql)
  return {
    run(request) {
      if ('copyTo' in request) {
        return writeCopy(request.copyTo, (partial) => void database.prepare('vacuum into ?').run(partial))
      }
      const { now, line, name, args } = request
      try {
        database.exec('begin')
        return { ok: true, value: runRead({ now, line, prepare }, name, args) }
      } catch (error) {
        return { ok: false, failure: failureOf(error, database) }
      } finally {
        if (database.isTransaction) database.exec('rollback')
      }
    },
    close: () => database.close(),
  }
}
