/** What a server that was killed held: read from a copy of its files, so that nothing of them is recovered early. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { bytesToId, idPrefixes } from '../../src/core/ids.ts'

/**
 * Deliveries that are leased and without a recorded outcome, with their claim version. A lease that a start took back
 * ends in the past.
 */
export function readLeases(database: string, now = Date.now()): ReadonlyMap<string, number> {
  const directory = mkdtempSync(join(dirname(database), 'copy-'))
  const copy = join(directory, 'copy.db')
  for (const suffix of ['', '-wal']) {
    if (existsSync(database + suffix)) copyFileSync(database + suffix, copy + suffix)
  }
  const opened = new DatabaseSync(copy)
  try {
    const rows = opened
      .prepare(`select id, claim_version from live_deliveries where state = 'in_flight' and due_at > ?`)
      .all(now)
    return new Map(
      rows.map((row) => [bytesToId(idPrefixes.delivery, row.id as Uint8Array), row.claim_version as number]),
    )
  } finally {
    opened.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
