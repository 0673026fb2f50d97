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

export async function examineSqliteInUse(examination: InUseExamination): Promise<readonly Finding[]> {
  const thread = await StoreThread.start('examine', {})
  try {
    return await thread.request<readonly Finding[]>(examination)
  } finally {
    await thread.close()
  }
}
