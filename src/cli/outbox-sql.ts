import type { Command } from 'commander'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'

export function register(command: Command, io: CliIo): void {
  addNotes(
    command,
    'It makes one table in a SQLite file of your own program, and does nothing where the table is there:\n' +
      '  outhook outbox-sql | sqlite3 app.db\n' +
      'Rows that any program commits there are published by "outhook serve --outbox sqlite:app.db".',
  )
  command.action(async () => {
    const server = await io.loadServer()
    io.print(server.outboxSql().trimEnd())
  })
}
