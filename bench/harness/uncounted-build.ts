/**
 * The product without its figures over time: a copy of `dist/` in which the few places that count are cut out, so that
 * what counting costs can be measured. Nothing else differs.
 */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Cut {
  readonly file: string
  readonly from: string
  readonly to: string
}

const cuts: readonly Cut[] = [
  // SQLite: what a tick gathers, and with it what is written and folded.
  {
    file: 'store/sqlite/record/stat-deltas.js',
    from: 'add({ tenantId, endpointId }, cell) {',
    to: '$& return;',
  },
  { file: 'store/sqlite/record/stat-deltas.js', from: 'addToTenant(tenantId, cell) {', to: '$& return;' },
  // PostgreSQL: rows of outcomes and of events, and with them what is folded.
  { file: 'store/postgres/record/end-leases.js', from: 'from o where cell is not null', to: '$& and false' },
  {
    file: 'store/postgres/publish/figure-published.js',
    from: 'from accepted group by tenant_id',
    to: 'from accepted where false group by tenant_id',
  },
  // Both: the buckets of an outcome.
  {
    file: 'core/stats/cells.js',
    from: 'export function outcomeCell({ attempt, next }, since) {',
    to: '$& return 0;',
  },
]

/** In an empty directory; the result is for `OUTHOOK_BENCH_DIST`. */
export function makeUncountedBuild(directory: string): string {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const dist = join(directory, 'dist')
  cpSync(join(root, 'dist'), dist, { recursive: true })
  cpSync(join(root, 'package.json'), join(directory, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'), 'junction')
  for (const { file, from, to } of cuts) {
    const path = join(dist, file)
    const text = readFileSync(path, 'utf8')
    if (text.split(from).length !== 2)
      throw new Error(`${file} has not "${from}" once; cut what counts there now`)
    writeFileSync(path, text.replace(from, to))
  }
  return dist
}
