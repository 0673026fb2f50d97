import type { Command } from 'commander'
import type { Config } from '../config/schema.ts'
import type { Logger } from '../core/logger.ts'
import { addConfigFlags, readConfig } from './config-flags.ts'
import type { CliIo, ServerModule } from './io.ts'
import { runUntilSignal } from './until-signal.ts'

export function register(command: Command, io: CliIo): void {
  addConfigFlags(command)
  command.action(async () => {
    const config = readConfig(command, io)
    const app = await io.loadServer()
    const log = createLogger(app, config, io)
    await runUntilSignal(io, async () => {
      const server = await app.startServer(config, { log })
      // Not to standard output, which is the log's, and may be kept.
      if (server.adminToken !== null) io.printError(`admin token (shown this once): ${server.adminToken}`)
      log.info({ url: server.url }, 'listening')
      return server
    })
    log.info({}, 'stopped')
  })
}

export function createLogger(app: ServerModule, config: Config, io: CliIo): Logger {
  const automatic = io.isTerminal ? 'pretty' : 'json'
  return app.createLogger({
    level: config.logLevel,
    format: config.logFormat === 'auto' ? automatic : config.logFormat,
    colour: io.isTerminal,
    destination: { write: (line) => io.print(line.trimEnd()) },
  })
}
