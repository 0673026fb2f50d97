/** The entry of the command line. `bin/outhook.mjs` has checked the version of Node before it loads this. */
import { text } from 'node:stream/consumers'
import { exitCodes } from './exit-codes.ts'
import type { CliIo, SignalSource } from './io.ts'
import { createOutput } from './output.ts'
import { maskArguments } from './process-title.ts'
import { runCli } from './program.ts'
import { defaultWidth } from './table.ts'

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const
/** How long a server that has ended waits for somebody to read its last lines. */
const lastLinesMs = 2000

/** The command runs until a signal: what it prints is a log. */
let isServing = false

const signals: SignalSource = {
  onSignal(listener) {
    isServing = true
    // SIGBREAK is Ctrl-Break on Windows; closing the console window there is SIGHUP.
    const usable = endSignals.filter((name) => name !== 'SIGBREAK' || process.platform === 'win32')
    for (const name of usable) process.on(name, listener)
    return () => {
      for (const name of usable) process.off(name, listener)
    }
  },
  exit: (code) => process.exit(code),
}

const output = createOutput(process.stdout)
const errors = createOutput(process.stderr)

const io: CliIo = {
  env: process.env,
  print: (line) => (isServing ? output.printLog(line) : output.print(`${line}\n`)),
  printBytes: (bytes) => output.print(bytes),
  printError: (line) => (isServing ? errors.printLog(line) : errors.print(`${line}\n`)),
  isTerminal: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  width: process.stdout.isTTY ? Math.max(defaultWidth, process.stdout.columns) : undefined,
  readInput: () => text(process.stdin),
  signals,
  loadServer: () => import('../server.ts'),
}

const masked = maskArguments(process.argv.slice(2))
if (masked !== null) process.title = ['outhook', ...masked].join(' ')

// Of a process that has nothing left to do before its command is done: to whoever started it that is no good end.
process.exitCode = exitCodes.failure

runCli(process.argv.slice(2), io).then((code) => {
  // Not process.exit: what was written to a pipe must still arrive.
  process.exitCode = code
  // But a server has to end, whether its log is read or not.
  if (isServing) setTimeout(() => process.exit(), lastLinesMs).unref()
})
