import { existsSync } from 'node:fs'
import { OuthookError } from '../../../core/errors.ts'
import type { CopiedTable } from '../../copied-tables.ts'
import type { CopyBatch, CopyColumn, CopyKey, CopySource } from '../../copy.ts'
import { StoreThread } from '../threads/store-thread.ts'
import { type Result, toError } from '../threads/tick.ts'

export interface CopySourceOptions {
  readonly path: string
  readonly now: number
  /** How long another owner of the file is waited for. */
  readonly lockWaitMs: number
  /** Names the copy from now on, unless one is under way. */
  readonly newCopyId: string
}

export type SourceFacts = Pick<CopySource, 'meta' | 'counts' | 'tables'>

export interface CopyReadRequest {
  readonly table: CopiedTable
  readonly columns: readonly CopyColumn[]
  readonly after: CopyKey | null
}

/**
 * Becomes the owner of a database file and reads it for a copy. As any start does, it brings the schema up to date and ends
 * the leases of whoever had it before, and it makes the deliveries that events for many still lack; nothing else in it
 * changes. Rejects with `not_found` when there is no such file, `store_locked` when another process
 * owns it.
 */
export async function openSqliteCopySource(options: CopySourceOptions): Promise<CopySource> {
  if (!existsSync(options.path)) {
    throw new OuthookError(
      'not_found',
      `there is no database ${options.path}; give the path that the server ran on`,
    )
  }
  const thread = await StoreThread.start('copy', options)
  const ask = async <Value>(request: CopyReadRequest | null): Promise<Value> => {
    const result = await thread.request<Result>(request)
    if (!result.ok) throw toError(result.failure)
    return result.value as Value
  }
  try {
    const facts = await ask<SourceFacts>(null)
    return {
      ...facts,
      read: (table, columns, { after }) =>
        ask<CopyBatch>({ table, columns, after } satisfies CopyReadRequest),
      close: () => thread.close(),
    }
  } catch (error) {
    await thread.close()
    throw error
  }
}
