/** Claims from stores with backlogs, on the store's port: no dispatcher, no requests. */
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { loadClock, loadSqliteStore } from '../harness/product.ts'
import { serveCommands } from '../harness/serve-commands.ts'

const leaseMs = 60_000
const maxBytes = 64 * 1024 * 1024

let stores: SqliteStore[] = []

const commands = {
  async open(paths: readonly string[]): Promise<void> {
    const { openSqliteStore } = await loadSqliteStore()
    const clock = (await loadClock()).createSystemClock()
    stores = await Promise.all(paths.map((path) => openSqliteStore({ path, clock })))
  },
  /** Claims from one store, `times` over; what was claimed is given back outside the time that counts. */
  async claim({ store, limit, times }: { store: number; limit: number; times: number }): Promise<Spent & { rows: number }> {
    const opened = stores[store] as SqliteStore
    const total = { wallMs: 0, cpuMicros: 0, threadMicros: 0, rows: 0 }
    for (let time = 0; time < times; time++) {
      const spent = startMeter()
      const { deliveries } = await opened.claim({ limit, maxBytes, leaseMs, slots: new Map() })
      const { wallMs, cpuMicros, threadMicros } = spent()
      total.wallMs += wallMs
      total.cpuMicros += cpuMicros
      total.threadMicros += threadMicros
      total.rows += deliveries.length
      await opened.release(deliveries.map(({ id, claimVersion }) => ({ deliveryId: id, claimVersion, delayMs: 0 })))
    }
    return total
  },
  async close(): Promise<void> {
    await Promise.all(stores.splice(0).map((store) => store.close()))
  },
}

export type ClaimsCommands = typeof commands

serveCommands(commands)
