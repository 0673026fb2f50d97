/** Entry point of the reader's thread: a read-only connection, so that no listing ever holds up the writer. */
import { parentPort, workerData } from 'node:worker_threads'
import { isStoreFault, openDatabase } from './database.ts'
import { runRead } from './read-operations.ts'
import { StatementCache } from './statement-cache.ts'
import { serveThread } from './thread-port.ts'
import { toFailure, type ReadName, type Result } from './tick.ts'
import { storeFailure } from './writer.ts'

export interface ReaderThreadOptions {
  readonly path: string
}

export interface ReadMessage {
  readonly now: number
  readonly name: ReadName
  readonly args: readonly unknown[]
}

const port = parentPort
if (port !== null) {
  try {
    const database = openDatabase((workerData as ReaderThreadOptions).path, { readOnly: true })
    const statements = new StatementCache(database)
    serveThread<ReadMessage>(port, {
      run: ({ now, name, args }) => ({ reply: read(now, name, args), transfer: [] }),
      close: () => database.close(),
    })
    /** One snapshot per call. */
    const read = (now: number, name: ReadName, args: readonly unknown[]): Result => {
      try {
        database.exec('begin')
        try {
          return { ok: true, value: runRead({ now, prepare: (sql) => statements.prepare(sql) }, name, args) }
        } finally {
          if (database.isTransaction) database.exec('rollback')
        }
      } catch (error) {
        return { ok: false, failure: isStoreFault(error) ? storeFailure(error) : toFailure(error) }
      }
    }
    port.postMessage({ kind: 'ready' })
  } catch (error) {
    port.postMessage({ kind: 'failed', failure: isStoreFault(error) ? storeFailure(error) : toFailure(error) })
  }
}
