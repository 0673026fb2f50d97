import cluster from 'node:cluster'
import type { Command } from 'commander'
import type { Config } from '../config/schema.ts'
import { createSystemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { addConfigFlags, readConfig } from './config-flags.ts'
import type { CliIo, ServerModule } from './io.ts'
import { runUntilSignal } from './until-signal.ts'
import { connectToGroup, type WorkerLink } from './worker-link.ts'

export function register(command: Command, io: CliIo): void {
  addConfigFlags(command)
  command.action(async () => {
    const config = readConfig(command, io)
    const app = await io.loadServer()
    if (cluster.isWorker) await serveInGroup(app, config, io)
    else if (config.processes > 1) await serveAsGroup(app, config, io)
    else await serve(app, config, { io, log: createLogger(app, config, io) })
  })
}

interface Serving {
  readonly io: CliIo
  readonly log: Logger
  readonly group?: WorkerLink
}

async function serve(app: ServerModule, config: Config, { io, log, group }: Serving): Promise<void> {
  // That it stops is said once, by the group.
  const listener = group === undefined ? io : { signals: group.signals, printError: () => {} }
  await runUntilSignal(listener, async (signal) => {
    const server = await app.startServer(config, { log, signal, ...(group && { group }) })
    // Not to standard output, which is the log's, and may be kept.
    if (server.adminToken !== null) io.printError(`admin token (shown this once): ${server.adminToken}`)
    log.info({ url: server.url }, 'listening')
    server.lost?.then((err) => log.error({ err }, 'the store is lost: this process ends, start it again'))
    group?.reportUp(server.url)
    return server
  })
  log.info({}, 'stopped')
}

async function serveInGroup(app: ServerModule, config: Config, io: CliIo): Promise<void> {
  const group = connectToGroup(io.signals)
  const log = createLogger(app, config, io, { worker: cluster.worker?.id })
  try {
    await serve(app, config, { io, log, group })
  } finally {
    group.release()
  }
}

async function serveAsGroup(app: ServerModule, config: Config, io: CliIo): Promise<void> {
  // Loaded only here: most processes start no others.
  const { startGroup } = await import('./process-group.ts')
  const { processes, drainDeadlineMs } = config
  const log = createLogger(app, config, io)
  await runUntilSignal(io, async (signal) => {
    const clock = createSystemClock()
    const group = await startGroup({ processes, drainDeadlineMs, app, clock, log, signal })
    log.info({ url: group.url, processes }, 'all workers are up')
    return group
  })
  log.info({}, 'all workers have stopped')
}

export function createLogger(
  app: ServerModule,
  config: Config,
  io: CliIo,
  fields: Readonly<Record<string, unknown>> = {},
): Logger {
  const automatic = io.isTerminal ? 'pretty' : 'json'
  return app.createLogger({
    level: config.logLevel,
    format: config.logFormat === 'auto' ? automatic : config.logFormat,
    colour: io.isTerminal,
    fields,
    destination: { write: (line) => io.print(line.trimEnd()) },
  })
}
