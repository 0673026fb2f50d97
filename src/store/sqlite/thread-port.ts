/** Request and reply between the main thread and one of the store's threads. */
import type { MessagePort } from 'node:worker_threads'
import type { Failure } from './tick.ts'

export type ToThread<Request> =
  | { readonly kind: 'run'; readonly id: number; readonly request: Request }
  | { readonly kind: 'close' }

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'reply'; readonly id: number; readonly reply: unknown }
  | { readonly kind: 'closed' }

export interface ThreadService<Request> {
  run(request: Request): { readonly reply: unknown; readonly transfer: readonly ArrayBuffer[] }
  close(): void
}

/** The thread's side. It ends when it was told to close. */
export function serveThread<Request>(port: MessagePort, service: ThreadService<Request>): void {
  port.on('message', (message: ToThread<Request>) => {
    if (message.kind === 'run') {
      const { reply, transfer } = service.run(message.request)
      port.postMessage({ kind: 'reply', id: message.id, reply } satisfies FromThread, [...transfer])
      return
    }
    service.close()
    port.postMessage({ kind: 'closed' } satisfies FromThread)
    port.close()
  })
}
