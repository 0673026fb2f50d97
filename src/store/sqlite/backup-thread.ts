/** Entry point of the thread that writes a backup: `vacuum into` blocks until the copy is made. */
import { parentPort } from 'node:worker_threads'
import type { BackupRequest } from './backup.ts'
import { openDatabase } from './database.ts'
import { refuseUnusedLink } from './second-name.ts'
import { serveThread } from './thread-port.ts'
import type { Result } from './tick.ts'
import { writeCopy } from './write-copy.ts'

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
