/** Entry point of the reader's thread: no listing ever holds up the writer. */
import { parentPort, workerData } from 'node:worker_threads'
import { openReader, type ReadRequest } from './open-reader.ts'
import { serveThread } from './thread-port.ts'

if (parentPort !== null) {
  serveThread<ReadRequest>(parentPort, () => {
    const reader = openReader((workerData as { readonly path: string }).path)
    return { run: (request) => ({ reply: reader.run(request), transfer: [] }), close: () => reader.close() }
  })
}
