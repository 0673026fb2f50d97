/** The other side of `startProcess`: answers commands until the parent lets go. */
import type { Commands } from './remote.ts'

interface Request {
  readonly id: number
  readonly name: string
  readonly input: never
}

export function serveCommands(commands: Commands): void {
  process.on('message', async ({ id, name, input }: Request) => {
    try {
      const command = commands[name]
      if (command === undefined) throw new Error(`no command ${name}`)
      process.send?.({ id, value: await command(input) })
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  // A normal exit, not a signal, so that a CPU profile is written.
  process.on('disconnect', () => process.exit(0))
  process.send?.({ ready: true })
}
