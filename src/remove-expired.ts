/** One round of retention in a store that this process opens for it, as a server does once a minute. */
import type { Config } from './config/schema.ts'
import { createSystemClock } from './core/clock.ts'
import { type Logger, silentLogger } from './core/logger.ts'
import { retentionOf } from './create-delivery.ts'
import { openStore } from './open-store.ts'
import type { RemovedRows } from './store/port.ts'

export interface RemovedNow {
  readonly removed: RemovedRows
  /** False: the clock of the store is not trusted yet, so nothing was removed for its age. */
  readonly isClockTrusted: boolean
}

/** Errors: those of opening the store; store_locked where a server runs on a SQLite file. */
export async function removeExpiredNow(config: Config, logger: Logger = silentLogger): Promise<RemovedNow> {
  const store = await openStore({ config, logger }, createSystemClock())
  try {
    const { rows, retentionRows } = store.pace.maintenance
    while ((await store.deleteExpiredIdempotencyKeys({ limit: rows })).more);
    const removed = { payloads: 0, attempts: 0, deliveries: 0, events: 0, jobs: 0 }
    for (let more = true; more; ) {
      const slice = await store.removeExpired({ retention: retentionOf(config), limit: retentionRows })
      for (const [name, count] of Object.entries(slice.removed)) removed[name as keyof RemovedRows] += count
      more = slice.more
    }
    while ((await store.removeAuditLines({ retainMs: config.retainAuditMs, limit: rows })).more);
    return { removed, isClockTrusted: store.time.line.unprovenSince === null }
  } finally {
    await store.close()
  }
}
