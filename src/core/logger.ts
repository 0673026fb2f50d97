/** What any part needs of a log. Comes in as an argument, so that only the composition root knows the real one. */
export interface Logger {
  /** False: `debug` writes nothing, so nobody need gather what it would. Default: it may. */
  readonly writesDebug?: boolean
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** Names in snake_case. An `error` under the name `err` is written with its stack. */
export type LogFields = Readonly<Record<string, unknown>>

/** Writes nothing: the library's default, and for tests. */
export const silentLogger: Logger = {
  writesDebug: false,
  debug() {},
  info() {},
  warn() {},
  error() {},
}
