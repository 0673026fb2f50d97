import type { Command } from 'commander'
import { settings } from '../config/schema.ts'
import { addConfigFlags, readConfig } from './config-flags.ts'
import { errorLines } from './error-lines.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'
import { renderFields } from './table.ts'

export function register(command: Command, io: CliIo): void {
  command.option('--json', 'print JSON for programs')
  addConfigFlags(command, [
    'store',
    'dataDir',
    'storeWaitMs',
    'masterKey',
    'masterKeyOld',
    'retainPayloadsMs',
    'retainAttemptsMs',
    'retainEventsMs',
    'retainDeadLettersMs',
    'retainJobsMs',
    'retainAuditMs',
    'idempotencyTtlMs',
  ])
  addNotes(
    command,
    'Removes once what is past its retention, and ends. Servers do the same every minute; run it where none dispatches, ' +
      'or to see what a shorter retention removes. Safe beside running servers on PostgreSQL; on SQLite none may run.',
  )
  command.action(async () => {
    const { json = false } = command.opts<{ json?: boolean }>()
    const config = readConfig(command, io)
    const server = await io.loadServer()
    const { removed, isClockTrusted } = await server.removeExpiredNow(config, errorLines(io))
    const store = settings.store.type.format(config.store)
    if (json) {
      io.print(JSON.stringify({ store, removed, clock_trusted: isClockTrusted }))
      return
    }
    io.print(renderFields({ ...removed }))
    if (!isClockTrusted) {
      io.print(
        '\nNothing was removed for its age: the clock of the store has jumped, or the store was not open for a day, and ' +
          'it is believed again once it has been steady for an hour (docs/operations/clocks.md).',
      )
    }
  })
}
