/** The store without threads. Loaded on demand: it is what brings `node:sqlite` into the caller's thread. */

import { openReader, type ReadRequest } from '../connection/open-reader.ts'
import { openWriter, type WriterOptions } from '../connection/open-writer.ts'
import { isStoreFault } from '../connection/result-codes.ts'
import type { StoreService } from './store-thread.ts'
import { storeFailure, type Tick, toError, toFailure } from './tick.ts'

interface Service {
  run(request: unknown): unknown
  close(): void
}

export function openInProcess(options: WriterOptions): { writer: StoreService; reader: StoreService | null } {
  try {
    const writer = openWriter(options)
    const reader = options.path === ':memory:' ? null : openReader(options.path)
    return {
      writer: serve({
        run: (request) => (request === 'opened' ? writer.opened : writer.run(request as Tick)),
        close: () => writer.close(),
      }),
      reader:
        reader && serve({ run: (read) => reader.run(read as ReadRequest), close: () => reader.close() }),
    }
  } catch (error) {
    throw toError(isStoreFault(error) ? storeFailure(error) : toFailure(error))
  }
}

/** Answers in a later turn of the event loop, as a thread does: whoever asks again and again must not starve the network. */
function serve(service: Service): StoreService {
  const later = <Value>(run: () => Value) =>
    new Promise<Value>((resolve, reject) =>
      setImmediate(() => {
        try {
          resolve(run())
        } catch (error) {
          reject(error)
        }
      }),
    )
  // A program that only waits for its deliveries stays alive, as it does with a thread.
  const { port1: alive } = new MessageChannel()
  alive.ref()
  return {
    request: <Reply>(request: unknown) => later(() => service.run(request) as Reply),
    close: () => {
      alive.close()
      return later(() => service.close())
    },
    lost: new Promise(() => {}),
  }
}
