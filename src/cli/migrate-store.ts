import type { Command } from 'commander'
import { loadConfig } from '../config/load-config.ts'
import { settings } from '../config/schema.ts'
import type { StoreLocation } from '../config/value-types.ts'
import { createSystemClock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { MigrateStoreReport } from '../migrate-store.ts'
import { showCopyProgress } from './copy-progress.ts'
import { counted } from './counted.ts'
import { errorLines } from './error-lines.ts'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'
import { renderTable } from './table.ts'

interface Options {
  readonly from: string
  readonly to: string
  readonly masterKey?: string
  readonly storeWait?: string
  readonly config?: string
  readonly json?: boolean
}

export function register(command: Command, io: CliIo): void {
  command.requiredOption(
    '--from <location>',
    'the store that is copied, sqlite:PATH; no server may run on it',
  )
  command.requiredOption(
    '--to <location>',
    'where it goes, postgres://USER:PASSWORD@HOST:PORT/DATABASE; empty, or a copy that was interrupted',
  )
  command.option('--master-key <key>', 'checks that the source is sealed under this key (OUTHOOK_MASTER_KEY)')
  command.option(
    '--store-wait <duration>',
    'how long the target is waited for while it does not answer; default 60s (OUTHOOK_STORE_WAIT)',
  )
  command.option('--config <file>', 'JSON file of settings (OUTHOOK_CONFIG), for the master key and the wait')
  command.option('--json', 'print JSON for programs')
  addNotes(
    command,
    'No data in the source changes. Run it again after an interruption: it goes on where it was. Without a password in ' +
      'the URL, PGPASSWORD is used.',
  )
  command.action((options: Options) => migrate(options, io))
}

async function migrate(options: Options, io: CliIo): Promise<void> {
  const from = parseLocation('--from', options.from)
  const to = parseLocation('--to', options.to)
  const flags = { masterKey: options.masterKey, storeWaitMs: options.storeWait }
  const { masterKey, storeWaitMs } = loadConfig({ flags, env: io.env, file: options.config })
  const server = await io.loadServer()
  const clock = createSystemClock()
  const start = clock.elapsed()
  const progress = showCopyProgress(options.json === true ? null : io, clock)
  const report = await server.migrateStore(
    { from, to, masterKey, storeWaitMs, logger: errorLines(io) },
    progress.show,
  )
  progress.end()
  const seconds = (clock.elapsed() - start) / 1000
  if (options.json === true) {
    const { isNew, written, counts, agree, keyFile } = report
    io.print(JSON.stringify({ agree, finished_before: !isNew, written, seconds, counts, key_file: keyFile }))
  } else {
    printReport({ report, seconds, to }, io)
  }
  if (!report.agree) throw disagreement(report)
}

function parseLocation(flag: string, raw: string): StoreLocation {
  const location = settings.store.type.parse(raw)
  if (location === null) throw new UsageError(`${flag} is no store; use ${settings.store.type.allowed}`)
  return location
}

interface Ended {
  readonly report: MigrateStoreReport
  readonly seconds: number
  readonly to: StoreLocation
}

function printReport({ report, seconds, to }: Ended, io: CliIo): void {
  if (!report.isNew) {
    io.print('this copy was finished before; nothing was done')
    return
  }
  const columns = [
    { title: 'table', value: ({ table }: Count) => table },
    { title: 'state', value: ({ state }: Count) => state },
    { title: 'source', value: ({ source }: Count) => source },
    { title: 'target', value: ({ target }: Count) => target },
  ]
  io.print(renderTable(columns, report.counts, { colour: io.isTerminal, width: io.width }))
  const rate = Math.round(report.written / Math.max(seconds, 0.001))
  io.print(`wrote ${counted(report.written, 'row')} in ${seconds.toFixed(1)} s (${rate} rows/s)`)
  if (!report.agree) return
  const key =
    report.keyFile === null ? 'the same master key' : `OUTHOOK_MASTER_KEY set to what is in ${report.keyFile}`
  io.print(
    `source and target agree; start the server with --store ${settings.store.type.format(to)} and ${key}`,
  )
}

type Count = MigrateStoreReport['counts'][number]

function disagreement({ counts }: MigrateStoreReport): OuthookError {
  const differing = counts
    .filter(({ source, target }) => source !== target)
    .map(
      ({ table, state, source, target }) =>
        `${table}${state === null ? '' : ` (${state})`} ${source} in the source and ${target} in the target`,
    )
  return new OuthookError(
    'conflict',
    `source and target differ: ${differing.join(', ')}; somebody else has written to the target: drop its schema and ` +
      'start over. No server can start on it as it is',
  )
}
