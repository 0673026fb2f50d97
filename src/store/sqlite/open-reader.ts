import { openDatabase } from './database.ts'
import { runRead } from './read-operations.ts'
import { isStoreFault } from './result-codes.ts'
import { StatementCache } from './statement-cache.ts'
import { type ReadName, type Result, storeFailure, toFailure } from './tick.ts'

export interface ReadRequest {
  readonly now: number
  readonly name: ReadName
  readonly args: readonly unknown[]
}

export interface OpenReader {
  run(request: ReadRequest): Result
  close(): void
}

/** A read-only connection beside the writer's; one snapshot per call. */
export function openReader(path: string): OpenReader {
  const database = openDatabase(path, { readOnly: true })
  const statements = new StatementCache(database)
  const prepare = (sql: string) => statements.prepare(sql)
  return {
    run({ now, name, args }) {
      try {
        database.exec('begin')
        return { ok: true, value: runRead({ now, prepare }, name, args) }
      } catch (error) {
        return { ok: false, failure: isStoreFault(error) ? storeFailure(error) : toFailure(error) }
      } finally {
        if (database.isTransaction) database.exec('rollback')
      }
    },
    close: () => database.close(),
  }
}
