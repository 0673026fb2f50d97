/** How long leases that a fault found stay as they are: until their outcome is recorded, or another claim follows. */
import { pause } from './api-calls.ts'
import type { DatabaseView, LeaseId } from './leases-in-postgres.ts'

const lookEveryMs = 200

export interface LeaseWatch {
  /**
   * Resolves when none of them is left, with the milliseconds since now in which the database was there. `onOverdue`
   * is told once which are left after so long.
   */
  watch(leased: ReadonlySet<LeaseId>): Promise<number>
  /** The database was not there, until now. */
  addDowntime(ms: number): void
}

interface Watched {
  readonly from: number
  readonly left: Set<LeaseId>
  downMs: number
  isOverdue: boolean
  readonly settled: (ms: number) => void
}

export interface LeaseWatchOptions {
  readonly limitMs: number
  readonly onOverdue: (left: ReadonlySet<LeaseId>) => void
}

export function createLeaseWatch(view: DatabaseView, { limitMs, onOverdue }: LeaseWatchOptions): LeaseWatch {
  const watched = new Set<Watched>()
  const look = async () => {
    while (watched.size > 0) {
      await pause(lookEveryMs)
      const present = await view.leases().catch(() => null)
      if (present === null) continue
      for (const each of watched) {
        for (const lease of each.left) if (!present.has(lease)) each.left.delete(lease)
        const tookMs = performance.now() - each.from - each.downMs
        if (each.left.size === 0) {
          watched.delete(each)
          each.settled(tookMs)
        } else if (tookMs > limitMs && !each.isOverdue) {
          each.isOverdue = true
          onOverdue(each.left)
        }
      }
    }
  }
  return {
    watch: (leased) =>
      new Promise((settled) => {
        const isLooking = watched.size > 0
        watched.add({ from: performance.now(), left: new Set(leased), downMs: 0, isOverdue: false, settled })
        if (!isLooking) void look()
      }),
    addDowntime(ms) {
      const from = performance.now() - ms
      for (const each of watched) each.downMs += Math.min(ms, performance.now() - Math.max(from, each.from))
    },
  }
}
