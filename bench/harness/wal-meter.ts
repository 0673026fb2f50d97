/** What the database wrote: bytes of its log and commits, between two points. */
import type { Series } from './statistics.ts'
import type { Stores } from './stores.ts'

/** Notes what was written since, per delivery. */
export type WalSpent = (series: Series, name: string, deliveries: number) => Promise<void>

/** Statistics of other connections arrive after up to a second. */
const statisticsDelayMs = 1500

/** `start` answers null on SQLite. */
export function createWalMeter({ server }: Stores, name: string): { start(): Promise<WalSpent | null> } {
  async function read(): Promise<{ readonly bytes: number; readonly commits: number }> {
    await new Promise((resolve) => setTimeout(resolve, statisticsDelayMs))
    const [row] =
      (await server?.query(
        name,
        `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes, xact_commit::float8 as commits
         from pg_stat_database where datname = current_database()`,
      )) ?? []
    return row as { readonly bytes: number; readonly commits: number }
  }
  return {
    async start() {
      if (server === null) return null
      const before = await read()
      return async (series, figure, deliveries) => {
        const after = await read()
        series.add(`${figure}, WAL bytes per delivery`, (after.bytes - before.bytes) / deliveries)
        series.add(`${figure}, commits per delivery`, (after.commits - before.commits) / deliveries)
      }
    },
  }
}
