/**
 * `npm run bench`: measures the compiled product against raw references in the same run, prints a table and
 * writes `bench/results.json`. Every figure is a median over runs, ratios are taken within a run.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Commands, type Remote, startProcess } from './harness/remote.ts'
import { Series } from './harness/statistics.ts'
import { createDatabaseStores, createFileStores, startDatabaseServer } from './harness/stores.ts'
import { type Options, parseOptions, usage } from './options.ts'
import type { Part, PartContext, ProcessName } from './part.ts'
import { backlog } from './parts/backlog.ts'
import { counts } from './parts/counts.ts'
import { dashboard } from './parts/dashboard.ts'
import { databaseClaims } from './parts/database-claims.ts'
import { eventTypes } from './parts/event-types.ts'
import { filters } from './parts/filters.ts'
import { guard } from './parts/guard.ts'
import { httpIngest } from './parts/http-ingest.ts'
import { httpRates } from './parts/http-rates.ts'
import { backlogIsolation, isolation } from './parts/isolation.ts'
import { largeFanOut } from './parts/large-fan-out.ts'
import { latency } from './parts/latency.ts'
import { nodes } from './parts/nodes.ts'
import { orderedClaims } from './parts/ordered-claims.ts'
import { peers } from './parts/peers.ts'
import { publishCalls } from './parts/publish-calls.ts'
import { senderCpu } from './parts/sender-cpu.ts'
import { throughput } from './parts/throughput.ts'
import { printTable, writePage, writeResults } from './report.ts'

const parts: readonly Part[] = [
  throughput,
  httpIngest,
  publishCalls,
  latency,
  httpRates,
  isolation,
  backlogIsolation,
  largeFanOut,
  senderCpu,
  guard,
  filters,
  eventTypes,
  backlog,
  databaseClaims,
  orderedClaims,
  nodes,
  counts,
  dashboard,
  peers,
]

const processFiles: Readonly<Record<ProcessName, URL>> = {
  receivers: new URL('./processes/receivers.ts', import.meta.url),
  'raw-client': new URL('./processes/raw-client.ts', import.meta.url),
  engine: new URL('./processes/engine.ts', import.meta.url),
  'http-load': new URL('./processes/http-load.ts', import.meta.url),
  'bare-server': new URL('./processes/bare-server.ts', import.meta.url),
  server: new URL('./processes/server.ts', import.meta.url),
  'outhook-serve': new URL('./processes/outhook-serve.ts', import.meta.url),
  relay: new URL('./processes/relay.ts', import.meta.url),
  claims: new URL('./processes/claims.ts', import.meta.url),
  filters: new URL('./processes/filters.ts', import.meta.url),
  'event-types': new URL('./processes/event-types.ts', import.meta.url),
  dashboard: new URL('./processes/dashboard.ts', import.meta.url),
  guard: new URL('./processes/guard.ts', import.meta.url),
  sends: new URL('./processes/sends.ts', import.meta.url),
  peer: new URL('./processes/peer.ts', import.meta.url),
}

const defaultRuns = 5
const defaultLongRuns = 3
const startedAt = performance.now()

function say(text: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
  process.stderr.write(`[${seconds.padStart(4)} s] ${text}\n`)
}

interface Run {
  readonly options: Options
  readonly series: Series
  /** Null on SQLite. */
  readonly serverUrl: string | null
}

async function runPart(part: Part, { options, series, serverUrl }: Run): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-bench-'))
  const stores = serverUrl === null ? createFileStores(directory) : createDatabaseStores(serverUrl)
  const started: Remote<Commands>[] = []
  const start: PartContext['start'] = async (name, { profiled = false, dist, profileDir: always } = {}) => {
    const profileDir = always ?? (options.profile && profiled ? profileDirectory() : null)
    const remote = await startProcess(processFiles[name], { profileDir, dist })
    started.push(remote)
    return remote as never
  }
  const { quick } = options
  const runs = options.runs ?? (quick ? 1 : defaultRuns)
  const longRuns = options.runs ?? (quick ? 1 : defaultLongRuns)
  const name = part.names[0] ?? ''
  say(name)
  try {
    await part.run({
      series,
      runs,
      longRuns,
      quick,
      stores,
      start,
      say: (text) => say(`  ${name}: ${text}`),
    })
  } finally {
    await Promise.all(started.map((remote) => remote.stop()))
    await stores.removeAll()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

function profileDirectory(): string {
  const directory = fileURLToPath(new URL('./profiles', import.meta.url))
  mkdirSync(directory, { recursive: true })
  return directory
}

const pageFile = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url))

function resultsFile({ out, quick }: Options): string {
  if (out !== null) return out
  return quick
    ? join(tmpdir(), 'outhook-bench-quick.json')
    : fileURLToPath(new URL('./results.json', import.meta.url))
}

async function main(): Promise<void> {
  const options = parseOptions(
    process.argv.slice(2),
    parts.flatMap(({ names }) => names),
  )
  if (options === 'help') {
    process.stdout.write(usage)
    return
  }
  const { only, store } = options
  const series = new Series(store === 'postgres' ? 'PostgreSQL, ' : '')
  const server = store === 'postgres' ? await startDatabaseServer() : null
  try {
    for (const part of parts) {
      const isAsked = only === null || part.names.some((name) => only.includes(name))
      const fits = part.on === undefined || part.on === store
      if (isAsked && fits) await runPart(part, { options, series, serverUrl: server?.url ?? null })
    }
  } finally {
    await server?.stop()
  }
  const figures = series.figures()
  printTable(figures)
  const file = resultsFile(options)
  const results = writeResults(file, figures, {
    keepOthers: only !== null || store === 'postgres',
    quick: options.quick,
  })
  if (options.out === null && !options.quick) writePage(pageFile, results)
  process.stdout.write(`\nwritten to ${file}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exitCode = 1
})
