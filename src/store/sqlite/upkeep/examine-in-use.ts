/**
 * Examines a store from within the process that owns it. In a thread of its own, because an examination blocks; SQLite
 * keeps the locks of all connections of a process, so opening one more and closing it takes none from the owner.
 */
import type { Finding } from '../../finding.ts'
import { StoreThread } from '../threads/store-thread.ts'

export { lengthyChecks } from './doctor.ts'

export interface InUseExamination {
  readonly path: string
  readonly processes: number
  /** As they were given, or lie beside the store; the first one is that of now. */
  readonly masterKeys: readonly string[]
}

/** When `signal` says so, the thread is ended in the middle of it; rejects then. */
export async function examineSqliteInUse(
  examination: InUseExamination,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const thread = await StoreThread.start('examine', {})
  const cutOff = () => thread.cutOff()
  signal.addEventListener('abort', cutOff)
  try {
    signal.throwIfAborted()
    return await thread.request<readonly Finding[]>(examination)
  } finally {
    signal.removeEventListener('abort', cutOff)
    await thread.close()
  }
}
