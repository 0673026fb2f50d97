/** Entry point of the thread of one outbox in a caller's file: however long that file takes, nobody else waits for it. */
import { parentPort, workerData } from 'node:worker_threads'
import { OutboxDatabase } from '../outbox/outbox-database.ts'
import type { OutboxRequest } from '../outbox/outbox-file.ts'
import { serveThread } from './thread-port.ts'
import { type Result, toFailure } from './tick.ts'

if (parentPort !== null) {
  serveThread<OutboxRequest>(parentPort, () => {
    const { path } = workerData as { readonly path: string }
    const outbox = new OutboxDatabase(path)
    return {
      run: (request) => ({ reply: run(outbox, request), transfer: [] }),
      close: () => outbox.close(),
    }
  })
}

function run(outbox: OutboxDatabase, request: OutboxRequest): Result {
  try {
    const value = 'read' in request ? outbox.read(request.read) : outbox.finish(request.finish)
    return { ok: true, value }
  } catch (error) {
    return { ok: false, failure: toFailure(error) }
  }
}
