/** Entry point of the thread that writes a backup: `vacuum into` blocks until the copy is made. */
import { parentPort } from 'node:worker_threads'
import { openDatabase } from '../connection/database.ts'
import { refuseUnusedLink } from '../connection/second-name.ts'
import type { BackupRequest } from '../copy/backup.ts'
import { writeCopy } from '../copy/write-copy.ts'
import { serveThread } from './thread-port.ts'
import type { Result } from './tick.ts'

if (parentPort !== null) {
  serveThread<BackupRequest>(parentPort, () => ({
    run: (request) => ({ reply: run(request), transfer: [] }),
    close: () => {},
  }))
}

function run({ sourcePath, targetFile }: BackupRequest): Result {
  return writeCopy(targetFile, (partial) => {
    refuseUnusedLink(sourcePath)
    const source = openDatabase(sourcePath, { readOnly: true })
    try {
      source.prepare('vacuum into ?').run(partial)
    } finally {
      source.close()
    }
  })
}
