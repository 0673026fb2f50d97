import { existsSync } from 'node:fs'
import { OuthookError } from '../../core/errors.ts'
import { StoreThread } from './store-thread.ts'
import { type Result, toError } from './tick.ts'

export interface BackupRequest {
  readonly sourcePath: string
  readonly targetFile: string
}

/**
 * Copies the database into a new file, in one snapshot, while its owner goes on writing: a read-only connection
 * beside the owner, without the owner's lock, in a thread of its own. The copy is checked and on disk when this
 * resolves; nothing is left of it when it rejects. `conflict`: the target exists; `not_found`: the source does not.
 */
export async function backupSqlite(sourcePath: string, targetFile: string): Promise<void> {
  if (!existsSync(sourcePath)) {
    throw new OuthookError(
      'not_found',
      `there is no database ${sourcePath}; give the path that the server runs on`,
    )
  }
  if (existsSync(targetFile)) {
    throw new OuthookError('conflict', `${targetFile} exists; give a new file, backups never overwrite`)
  }
  const thread = await StoreThread.start('backup', {})
  try {
    const result = await thread.request<Result>({ sourcePath, targetFile } satisfies BackupRequest)
    if (!result.ok) throw toError(result.failure)
  } finally {
    await thread.close()
  }
}
