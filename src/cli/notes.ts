import type { Command } from 'commander'
import { wrap } from './wrap.ts'

/** What stands below a command's options in its help. */
export function addNotes(command: Command, text: string): void {
  command.addHelpText('after', `\n${wrap(text)}`)
}
