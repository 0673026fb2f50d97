/**
 * Entry point of the reader's thread: no listing ever holds up the writer, and no checkpoint. Between two reads no
 * snapshot of its own holds a checkpoint back.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { checkpoint, openDatabase } from '../connection/database.ts'
import { type CopyRequest, openReader, type ReadRequest } from '../connection/open-reader.ts'
import { serveThread } from './thread-port.ts'

/**
 * While the writer writes, a checkpoint leaves out the flush of the database: only one that ends with the log as it
 * found it does that. The first takes long; a later one is quick and likely to.
 */
const copiesOfOneCheckpoint = 3

if (parentPort !== null) {
  serveThread<ReadRequest | CopyRequest | 'checkpoint'>(parentPort, () => {
    const { path } = workerData as { readonly path: string }
    const reader = openReader(path)
    const copier = openDatabase(path, { checkpointPages: 0 })
    return {
      run(request) {
        if (request !== 'checkpoint') return { reply: reader.run(request), transfer: [] }
        let copied = checkpoint(copier)
        for (let copy = 1; copy < copiesOfOneCheckpoint; copy++) copied = checkpoint(copier)
        return { reply: copied, transfer: [] }
      },
      close() {
        copier.close()
        reader.close()
      },
    }
  })
}
