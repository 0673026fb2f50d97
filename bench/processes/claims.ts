/** Claims from stores with backlogs, on the store's port: no dispatcher, no requests. */
import type { ClaimedDelivery } from '../../src/store/port.ts'
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { loadClock, loadSqliteStore } from '../harness/product.ts'
import { serveCommands } from '../harness/serve-commands.ts'

const leaseMs = 60_000
const maxBytes = 64 * 1024 * 1024

interface Opened {
  readonly store: SqliteStore
  /** The endpoint with the backlog. */
  readonly targetId: string
}

interface ClaimJob {
  readonly store: number
  readonly limit: number
  readonly times: number
}

let opened: Opened[] = []

const commands = {
  async open(paths: readonly string[]): Promise<void> {
    const { openSqliteStore } = await loadSqliteStore()
    const clock = (await loadClock()).createSystemClock()
    const stores = await Promise.all(paths.map((path) => openSqliteStore({ path, clock })))
    opened = await Promise.all(stores.map(async (store) => ({ store, targetId: await findTarget(store) })))
  },
  /** Claims from one store, `times` over; what was claimed is given back outside the time that counts. */
  async claim({ store: index, limit, times }: ClaimJob): Promise<Spent & { rows: number }> {
    const { store, targetId } = opened[index] as Opened
    const slots = new Map([[targetId, limit]])
    const total = { wallMs: 0, cpuMicros: 0, threadMicros: 0, rows: 0 }
    for (let time = 0; time < times; time++) {
      const spent = startMeter()
      const { deliveries } = await store.claim({ limit, maxBytes, leaseMs, slots })
      const { wallMs, cpuMicros, threadMicros } = spent()
      total.wallMs += wallMs
      total.cpuMicros += cpuMicros
      total.threadMicros += threadMicros
      total.rows += deliveries.length
      await giveBack(store, deliveries)
    }
    return total
  },
  async close(): Promise<void> {
    await Promise.all(opened.splice(0).map(({ store }) => store.close()))
  },
}

export type ClaimsCommands = typeof commands

async function findTarget(store: SqliteStore): Promise<string> {
  const { deliveries } = await store.claim({ limit: 1, maxBytes, leaseMs, slots: new Map() })
  await giveBack(store, deliveries)
  return deliveries[0]?.targetId ?? ''
}

function giveBack(store: SqliteStore, deliveries: readonly ClaimedDelivery[]): Promise<void> {
  return store.release(
    deliveries.map(({ id, claimVersion }) => ({ deliveryId: id, claimVersion, delayMs: 0 })),
  )
}

serveCommands(commands)
