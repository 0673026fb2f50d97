import { type Logger, silentLogger } from './logger.ts'

/**
 * For whoever was given no logger: what would be an error in a log, such as a database that was deleted, is a warning of
 * the process, which Node prints and `process.on('warning')` hears. Each text once.
 */
export function warnOfErrors(): Logger {
  const told = new Set<string>()
  return {
    ...silentLogger,
    error({ err }, message) {
      if (told.has(message)) return
      told.add(message)
      const detail = err instanceof Error ? err.stack : undefined
      process.emitWarning(message, { type: 'OuthookWarning', ...(detail !== undefined && { detail }) })
    },
  }
}
