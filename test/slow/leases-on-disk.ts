/** What a server that was killed held: read from a copy of its files, so that nothing of them is recovered early. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { bytesToId, idPrefixes } from '../../src/core/ids.ts'
import { StatementCache } from '../../src/store/sqlite/connection/statement-cache.ts'
import { deliveryId, findInFanOut } from '../../src/store/sqlite/rows/fan-out.ts'
import { isWaiting, readHandoffs } from '../../src/store/sqlite/rows/handoff-row.ts'
import { codeOf } from '../../src/store/sqlite/rows/state-codes.ts'

/** Deliveries that are leased and without a recorded outcome, with their claim version. */
export function readLeases(database: string): ReadonlyMap<string, number> {
  const directory = mkdtempSync(join(dirname(database), 'copy-'))
  const copy = join(directory, 'copy.db')
  for (const suffix of ['', '-wal']) {
    if (existsSync(database + suffix)) copyFileSync(database + suffix, copy + suffix)
  }
  const opened = new DatabaseSync(copy)
  try {
    const leased = new Map<string, number>()
    for (const lease of readHandoffs(new StatementCache(opened))) {
      if (isWaiting(lease)) continue
      const { key, eventKey, claimVersion } = lease
      const live = opened.prepare('select id, state, claim_version from live_deliveries where k = ?').get(key)
      if (live !== undefined) {
        if (live.state === codeOf('in_flight') && live.claim_version === claimVersion) {
          leased.set(bytesToId(idPrefixes.delivery, live.id as Uint8Array), claimVersion)
        }
        continue
      }
      if (opened.prepare('select 1 from deliveries where k = ?').get(key) !== undefined) continue
      const event = opened.prepare('select fan_out from events where k = ?').get(eventKey)
      const entry = findInFanOut(event?.fan_out as Uint8Array, key)
      if (entry !== null) leased.set(deliveryId(entry), claimVersion)
    }
    return leased
  } finally {
    opened.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
