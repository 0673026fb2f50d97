import type { OutboxFile, OutboxFinish, OutboxQuery } from '../../port.ts'
import { StoreThread } from '../threads/store-thread.ts'
import { type Result, toError } from '../threads/tick.ts'

export type OutboxRequest = { readonly read: OutboxQuery } | { readonly finish: OutboxFinish }

/** The outbox in the SQLite file at a path, which is opened when it is first asked for. A thread that ends is replaced. */
export function openOutboxFile(path: string): OutboxFile {
  let starting: Promise<StoreThread> | null = null
  let closed = false

  const start = async (): Promise<StoreThread> => {
    const thread = await StoreThread.start('outbox', { path })
    thread.lost.then(() => {
      starting = null
    })
    return thread
  }

  const ask = async (request: OutboxRequest): Promise<unknown> => {
    starting ??= start().catch((error) => {
      starting = null
      throw error
    })
    const thread = await starting
    const result = await thread.request<Result>(request)
    if (!result.ok) throw toError(result.failure)
    return result.value
  }

  return {
    read: (query) => ask({ read: query }) as ReturnType<OutboxFile['read']>,
    finish: async (finish) => void (await ask({ finish })),
    async close() {
      if (closed) return
      closed = true
      const thread = await starting?.catch(() => null)
      await thread?.close()
    },
  }
}
