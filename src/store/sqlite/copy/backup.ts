import { existsSync, statSync } from 'node:fs'
import { OuthookError } from '../../../core/errors.ts'
import { StoreThread } from '../threads/store-thread.ts'
import { type Result, toError } from '../threads/tick.ts'
import { mayBeDisplaced, requestRescue } from './request-rescue.ts'

export interface BackupRequest {
  readonly sourcePath: string
  readonly targetFile: string
}

/**
 * Copies the database into a new file, in one snapshot, while its owner goes on writing: a read-only connection
 * beside the owner, without the owner's lock, in a thread of its own. The copy is checked and on disk when this
 * resolves; nothing is left of it when it rejects. Where the database is no longer at its path, the process that still
 * has it open makes the copy. `conflict`: the target exists; `not_found`: the source does not.
 */
export async function backupSqlite(sourcePath: string, targetFile: string): Promise<void> {
  if (existsSync(targetFile)) {
    throw new OuthookError('conflict', `${targetFile} exists; give a new file, backups never overwrite`)
  }
  if (mayBeDisplaced(sourcePath) && (await requestRescue(sourcePath, targetFile))) return
  if ((statSync(sourcePath, { throwIfNoEntry: false })?.size ?? 0) === 0) {
    throw new OuthookError(
      'not_found',
      `there is no database ${sourcePath}, and no process that holds it answers; give the path that the server runs on`,
    )
  }
  const thread = await StoreThread.start('backup', {})
  try {
    const result = await thread.request<Result>({ sourcePath, targetFile } satisfies BackupRequest)
    if (!result.ok) throw toError(result.failure)
  } finally {
    await thread.close()
  }
}
