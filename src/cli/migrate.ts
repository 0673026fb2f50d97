import type { Command } from 'commander'
import { settings } from '../config/schema.ts'
import type { SchemaChange } from '../store-upkeep.ts'
import { addConfigFlags, readConfig } from './config-flags.ts'
import { errorLines } from './error-lines.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'

export function register(command: Command, io: CliIo): void {
  command.option('--dry-run', 'only say what would be done')
  command.option('--json', 'print JSON for programs')
  addConfigFlags(command, ['store', 'dataDir', 'storeWaitMs', 'newStore'])
  addNotes(
    command,
    'Servers do the same when they start. Run it before them where they may not change the schema, or to see first ' +
      'what an upgrade does. Safe beside running servers on PostgreSQL; on SQLite none may run.',
  )
  command.action(async () => {
    const { dryRun = false, json = false } = command.opts<{ dryRun?: boolean; json?: boolean }>()
    const config = readConfig(command, io)
    const server = await io.loadServer()
    const change = await server.migrateSchema(config, { dryRun, logger: errorLines(io) })
    const store = settings.store.type.format(config.store)
    for (const line of json ? [renderJson(store, change, dryRun)] : render(store, change, dryRun))
      io.print(line)
  })
}

function renderJson(store: string, { from, steps }: SchemaChange, dryRun: boolean): string {
  const migrations = steps.map(({ version, name }) => ({ version, name }))
  return JSON.stringify({ store, dry_run: dryRun, from, to: steps.at(-1)?.version ?? from, migrations })
}

function render(store: string, { from, steps }: SchemaChange, dryRun: boolean): readonly string[] {
  const last = steps.at(-1)
  if (last === undefined) return [`${store} has schema ${from}; there is nothing to do`]
  const verb = dryRun ? 'would be brought' : 'was brought'
  const lines = steps.map(({ version, name }) => `  ${version}  ${name}`)
  return [`${store} ${verb} from schema ${from} to ${last.version}:`, ...lines]
}
