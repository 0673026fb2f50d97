/** The entry of the command line. `bin/outhook.mjs` has checked the version of Node before it loads this. */
import { text } from 'node:stream/consumers'
import type { CliIo, SignalSource } from './io.ts'
import { runCli } from './program.ts'

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const

const signals: SignalSource = {
  onSignal(listener) {
    // SIGBREAK is Ctrl-Break on Windows; closing the console window there is SIGHUP.
    const usable = endSignals.filter((name) => name !== 'SIGBREAK' || process.platform === 'win32')
    for (const name of usable) process.on(name, listener)
    return () => {
      for (const name of usable) process.off(name, listener)
    }
  },
  exit: (code) => process.exit(code),
}

const io: CliIo = {
  env: process.env,
  print: (line) => void process.stdout.write(`${line}\n`),
  printBytes: (bytes) => void process.stdout.write(bytes),
  printError: (line) => void process.stderr.write(`${line}\n`),
  isTerminal: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  readInput: () => text(process.stdin),
  signals,
  loadServer: () => import('../server.ts'),
}

// The reader of a pipe may go away early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

runCli(process.argv.slice(2), io).then((code) => {
  // Not process.exit: what was written to a pipe must still arrive.
  process.exitCode = code
})
