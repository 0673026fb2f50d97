/** Entry point of the writer's thread: owns the file and the only connection that writes. */
import { realpathSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { isStoreFault, openDatabase } from './database.ts'
import { acquireOwnership, type Ownership } from './ownership.ts'
import { migrateSqlite } from './schema.ts'
import { serveThread } from './thread-port.ts'
import { toFailure, type Tick } from './tick.ts'
import { storeFailure, Writer } from './writer.ts'

export interface WriterThreadOptions {
  readonly path: string
  readonly now: number
  readonly lockWaitMs: number
  readonly maxPageCount: number | null
}

const port = parentPort
if (port !== null) {
  const options = workerData as WriterThreadOptions
  let ownership: Ownership | null = null
  try {
    if (options.path !== ':memory:') {
      ownership = acquireOwnership(resolveLinks(options.path), options.lockWaitMs, options.now)
    }
    const database = openDatabase(options.path)
    if (options.maxPageCount !== null) database.exec(`pragma max_page_count = ${options.maxPageCount}`)
    migrateSqlite(database, options.now)
    const writer = new Writer(database)
    writer.takeOver(options.now)
    const held = ownership
    serveThread<Tick>(port, {
      run: (tick) => {
        const reply = writer.run(tick)
        return { reply, transfer: reply.bytes === null ? [] : [reply.bytes.buffer] }
      },
      close: () => {
        database.close()
        held?.release()
      },
    })
    port.postMessage({ kind: 'ready' })
  } catch (error) {
    ownership?.release()
    port.postMessage({ kind: 'failed', failure: isStoreFault(error) ? openFailure(error) : toFailure(error) })
  }
}

/** Two names of one file have one lock. */
function resolveLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function openFailure(error: unknown): ReturnType<typeof toFailure> {
  const { code, message } = storeFailure(error)
  return { code, message: `cannot open the database: ${message}; check the path, its directory and the disk` }
}
