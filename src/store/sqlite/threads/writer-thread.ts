/** Entry point of the writer's thread: owns the file and the only connection that writes. */
import { parentPort, workerData } from 'node:worker_threads'
import { openWriter, type WriterOptions } from '../connection/open-writer.ts'
import { serveThread } from './thread-port.ts'
import type { Tick } from './tick.ts'

if (parentPort !== null) {
  serveThread<Tick | 'checkpoint' | 'opened'>(parentPort, (note) => {
    const writer = openWriter(workerData as WriterOptions, note)
    return {
      run(request) {
        if (request === 'opened') return { reply: writer.opened, transfer: [] }
        if (request === 'checkpoint') return { reply: writer.checkpoint(), transfer: [] }
        const reply = writer.run(request)
        return { reply, transfer: reply.bytes === null ? [] : [reply.bytes.buffer] }
      },
      close: () => writer.close(),
    }
  })
}
