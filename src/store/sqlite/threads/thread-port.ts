/** Request and reply between the main thread and one of the store's threads. */
import type { MessagePort } from 'node:worker_threads'
import { isStoreFault } from '../connection/result-codes.ts'
import { type Failure, storeFailure, toFailure } from './tick.ts'

export type ToThread<Request> =
  | { readonly kind: 'run'; readonly id: number; readonly request: Request }
  | { readonly kind: 'close' }

export type FromThread =
  /** What takes long before it is ready. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'reply'; readonly id: number; readonly reply: unknown }

export interface ThreadService<Request> {
  run(request: Request): { readonly reply: unknown; readonly transfer: readonly ArrayBuffer[] }
  close(): void
}

/** The thread's side: opens, answers, and ends when it was told to close. */
export function serveThread<Request>(
  port: MessagePort,
  open: (note: (text: string) => void) => ThreadService<Request>,
): void {
  let service: ThreadService<Request>
  try {
    service = open((text) => port.postMessage({ kind: 'note', text } satisfies FromThread))
  } catch (error) {
    const failure = isStoreFault(error) ? storeFailure(error) : toFailure(error)
    port.postMessage({ kind: 'failed', failure } satisfies FromThread)
    return
  }
  port.on('message', (message: ToThread<Request>) => {
    if (message.kind === 'run') {
      const { reply, transfer } = service.run(message.request)
      port.postMessage({ kind: 'reply', id: message.id, reply } satisfies FromThread, [...transfer])
      return
    }
    service.close()
    port.close()
  })
  port.postMessage({ kind: 'ready' } satisfies FromThread)
}
