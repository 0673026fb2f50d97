/** Runs a command line in this process, with everything that it touches of the outside in the test's hands. */
import { EventEmitter, once } from 'node:events'
import type { CliIo, ServerModule } from '../../src/cli/io.ts'
import { runCli } from '../../src/cli/program.ts'
import { silentLogger } from '../../src/core/logger.ts'

export interface CliSetting {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly server?: ServerModule
  /** Of a terminal. */
  readonly width?: number
}

export interface CliRun {
  readonly exitCode: Promise<number>
  /** What was printed so far. */
  readonly out: () => string
  readonly err: () => string
  readonly bytes: () => Buffer
  /** Resolves once standard output holds this. */
  waitForOutput(part: string): Promise<void>
  signal(name?: string): void
  /** The code that the command asked to exit with at once. */
  readonly exited: () => number | null
}

const notHere = () => Promise.reject(new Error('this test has no such thing'))

/** For what a test's server has no answer of its own to. */
export const noServer: ServerModule = {
  createLogger: () => silentLogger,
  startServer: notHere,
  renderSnapshots: notHere,
  keepCounters: notHere,
  backupStore: notHere,
  migrateSchema: notHere,
  examineStore: notHere,
  createKey: notHere,
  removeExpiredNow: notHere,
  migrateStore: notHere,
  outboxSql: () => 'create table',
}

export function startCli(args: readonly string[], setting: CliSetting = {}): CliRun {
  const signals = new EventEmitter()
  const printed = new EventEmitter()
  const out: string[] = []
  const err: string[] = []
  const chunks: Uint8Array[] = []
  let exited: number | null = null
  const io: CliIo = {
    env: setting.env ?? {},
    print: (line) => {
      out.push(line)
      printed.emit('line')
    },
    printBytes: (bytes) => chunks.push(bytes),
    printError: (line) => err.push(line),
    isTerminal: false,
    width: setting.width,
    readInput: async () => setting.input ?? '',
    signals: {
      onSignal(listener) {
        signals.on('signal', listener)
        return () => signals.off('signal', listener)
      },
      exit: (code) => {
        exited = code
      },
    },
    loadServer: async () => setting.server ?? Promise.reject(new Error('this test has no server')),
  }
  const exitCode = runCli(args, io)
  const ended = exitCode.then((code) => {
    throw new Error(`ended with ${code} before it printed that: ${err.join(' ')}`)
  })
  // Only heard where somebody waits for output.
  ended.catch(() => {})
  return {
    exitCode,
    out: () => out.join('\n'),
    err: () => err.join('\n'),
    bytes: () => Buffer.concat(chunks),
    async waitForOutput(part) {
      while (!out.join('\n').includes(part)) await Promise.race([once(printed, 'line'), ended])
    },
    signal: (name = 'SIGINT') => void signals.emit('signal', name),
    exited: () => exited,
  }
}

export async function runToEnd(args: readonly string[], setting: CliSetting = {}) {
  const run = startCli(args, setting)
  const code = await run.exitCode
  return { code, out: run.out(), err: run.err(), bytes: run.bytes() }
}
