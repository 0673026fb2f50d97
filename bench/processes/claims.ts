/** Claims from stores with backlogs, on the store's port: no dispatcher, no requests. */
import { defaultBreakerPolicy } from '../../src/core/endpoint-health.ts'
import type { ClaimedDelivery, DeliveryOutcome, Store } from '../../src/store/port.ts'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { loadClock, loadPostgresStore, loadSqliteStore } from '../harness/product.ts'
import { serveCommands } from '../harness/serve-commands.ts'
import { fillHistory } from './fill-history.ts'
import { fillLines, type Lines } from './fill-lines.ts'

const leaseMs = 60_000
const maxBytes = 64 * 1024 * 1024

interface Opened {
  readonly store: Store
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
  async open(urls: readonly string[]): Promise<void> {
    const stores = await Promise.all(urls.map(openStore))
    opened = await Promise.all(stores.map(async (store) => ({ store, targetId: await findTarget(store) })))
  },
  /** A store of its own, closed afterwards. */
  async fillLines({ url, ...lines }: Lines & { readonly url: string }): Promise<void> {
    const store = await openStore(url)
    await fillLines(store, lines)
    await store.cluster?.shares.leave()
    await store.close()
  },
  /** The same of deliveries that are over. */
  async fillHistory({
    url,
    deliveries,
  }: {
    readonly url: string
    readonly deliveries: number
  }): Promise<void> {
    const store = await openStore(url)
    await fillHistory(store, deliveries)
    await store.cluster?.shares.leave()
    await store.close()
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
  /** Claims and finishes so many; only the claims are timed. */
  async deliver(job: { store: number; limit: number; rows: number }): Promise<{ claimMs: number }> {
    const { store, targetId } = opened[job.store] as Opened
    let claimMs = 0
    for (let left = job.rows; left > 0; ) {
      const limit = Math.min(job.limit, left)
      const startedAt = performance.now()
      const slots = new Map([[targetId, limit]])
      const { deliveries } = await store.claim({ limit, maxBytes, leaseMs, slots })
      claimMs += performance.now() - startedAt
      if (deliveries.length === 0) throw new Error('the backlog is gone')
      await store.recordOutcomes(deliveries.map(succeeded), defaultBreakerPolicy)
      left -= deliveries.length
    }
    return { claimMs }
  },
  async close(): Promise<void> {
    // Its slots would otherwise be nobody's until the lease ends.
    const leave = async ({ store }: Opened) => {
      await store.cluster?.shares.leave()
      await store.close()
    }
    await Promise.all(opened.splice(0).map(leave))
  },
}

export type ClaimsCommands = typeof commands

async function openStore(url: string): Promise<Store> {
  const path = url.replace(/^sqlite:/, '')
  if (path === url) return (await loadPostgresStore()).openPostgresStore({ url })
  const clock = (await loadClock()).createSystemClock()
  return (await loadSqliteStore()).openSqliteStore({ path, clock })
}

function succeeded({ id, claimVersion }: ClaimedDelivery): DeliveryOutcome {
  return {
    deliveryId: id,
    claimVersion,
    attempt: {
      attemptNo: 1,
      status: 'success',
      httpStatus: 200,
      errorClass: null,
      error: null,
      latencyMs: 1,
      startedAt: Date.now(),
      response: { headers: [], body: new Uint8Array(0), truncated: false },
    },
    next: { state: 'succeeded' },
    observation: null,
    disableEndpoint: null,
  }
}

async function findTarget(store: Store): Promise<string> {
  const { deliveries } = await store.claim({ limit: 1, maxBytes, leaseMs, slots: new Map() })
  await giveBack(store, deliveries)
  return deliveries[0]?.targetId ?? ''
}

async function giveBack(store: Store, deliveries: readonly ClaimedDelivery[]): Promise<void> {
  await store.release(
    deliveries.map(({ id, claimVersion }) => ({ deliveryId: id, claimVersion, delayMs: 0 })),
  )
}

serveCommands(commands)
