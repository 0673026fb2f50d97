import { type Logger, silentLogger } from '../core/logger.ts'
import type { CliIo } from './io.ts'

/** What a command that has no log says of a wait or a fault, on standard error, so that its output stays clean. */
export function errorLines(io: Pick<CliIo, 'printError'>): Logger {
  const line = (_fields: unknown, message: string): void => io.printError(`outhook: ${message}`)
  return { ...silentLogger, info: line, warn: line, error: line }
}
