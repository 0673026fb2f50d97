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
    const writing = serve({
      run: (request) => (request === 'opened' ? writer.opened : writer.run(request as Tick)),
      close: () => writer.close(),
    })
    if (options.path === ':memory:') return { writer: writing, reader: null }
    const reader = openReader(options.path)
    return {
      writer: writing,
      reader: serve({ run: (read) => reader.run(read as ReadRequest), close: () => reader.close() }),
    }
  } catch (error) {
    throw toError(isStoreFault(error) ? storeFailure(error) : toFailure(error))
  }
}

function serve(service: Service): StoreService {
  return {
    request: async <Reply>(request: unknown) => service.run(request) as Reply,
    close: async () => service.close(),
    lost: new Promise(() => {}),
  }
}
