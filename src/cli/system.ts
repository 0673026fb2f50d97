/** `outhook system`: what a running server says of itself. */
import type { Command } from 'commander'
import type { System } from '../client/index.ts'
import { finishApiCommand } from './api-command.ts'
import { renderFindings } from './doctor.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'
import { type Column, renderTable } from './table.ts'

type Setting = System['settings'][number]

const columns: readonly Column<Setting>[] = [
  { title: 'SETTING', value: ({ name }) => name },
  { title: 'VALUE', kind: 'text', value: shownValue },
  { title: 'FROM', kind: 'text', value: shownSource },
]

export function register(command: Command, io: CliIo): void {
  addNotes(
    command,
    'Of several processes the one that answers. Checks of the store that read whole tables are left to "outhook doctor".',
  )
  finishApiCommand(command, io)
    .option('--all', 'settings that nobody has set too')
    .run<{ all?: boolean }>(async ({ client, print }, _args, { all = false }) => {
      const system = await client.system.get()
      if (print.json) return print.answer('System', system)
      const { outhookVersion, nodeVersion, role, startedAt, store } = system
      const { location, schemaVersion } = store
      print.answer('System', system, {
        outhookVersion,
        nodeVersion,
        role,
        startedAt,
        location,
        schemaVersion,
      })
      const shown = system.settings.filter(({ isSet }) => all || isSet)
      if (shown.length > 0)
        print.note(`\n${renderTable(columns, shown, { colour: io.isTerminal, width: io.width })}`)
      print.note(`\n${renderFindings(system.findings, io).join('\n')}`)
    })
}

function shownValue({ value, meaning, isSecret, isSet }: Setting): string {
  if (isSecret) return isSet ? '(set, not shown)' : '(not set)'
  return value ?? meaning ?? ''
}

function shownSource({ source }: Setting): string {
  return source === null ? '' : (source.name ?? source.kind)
}
