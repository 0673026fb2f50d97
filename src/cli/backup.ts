import type { Command } from 'commander'
import { addConfigFlags, readConfig } from './config-flags.ts'
import { counted } from './counted.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'

export function register(command: Command, io: CliIo): void {
  command.argument('<file>', 'where the copy goes; must not exist')
  command.option('--json', 'print JSON for programs')
  addConfigFlags(command, ['store', 'dataDir'])
  addNotes(
    command,
    'The server may go on running. Keep the master key with the copy: without it the secrets cannot be read.',
  )
  command.action(async (file: string) => {
    const config = readConfig(command, io)
    const { backupStore } = await io.loadServer()
    const { bytes } = await backupStore(config, file)
    io.print(
      command.opts().json === true
        ? JSON.stringify({ file, bytes })
        : `wrote ${file}, ${counted(bytes, 'byte')}`,
    )
  })
}
