/** What the exit code says, and which error has which. Also the text in `outhook --help`. */
import { ApiError, ConnectionError } from '../client/errors.ts'
import { type ErrorCode, OuthookError } from '../core/errors.ts'

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unavailable: 5,
  damaged: 6,
  full: 7,
} as const

export const exitCodeHelp = `
Exit codes:
  0  done
  1  failed
  2  wrong usage, configuration or input
  3  no such event, endpoint, delivery, ...
  4  the token is missing, unknown or may not do this
  5  no server answered, or it cannot serve just now; trying again may help
  6  the database is damaged, or is no longer the file at its path
  7  the disk of the database is full`

/** The caller's own mistake, found before anything was done. */
export class UsageError extends Error {}

/** What was named is not there, as far as one can see from here. */
export class NotFoundError extends Error {}

/** A process that was started did not do as it should; the code is its own. */
export class WorkerError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

/** What was found is told already; only the exit code is left to say. */
export class FindingsError extends Error {}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage
  if (error instanceof NotFoundError) return exitCodes.notFound
  if (error instanceof WorkerError) return error.exitCode
  if (error instanceof ConnectionError) return exitCodes.unavailable
  if (error instanceof ApiError) return codeOfStatus(error.status)
  if (error instanceof OuthookError) {
    return codeOfError(error)
  }
  return exitCodes.failure
}

/** What whoever starts the process has given wrongly; no restart mends it. */
const configurationCodes: ReadonlySet<ErrorCode> = new Set([
  'invalid_config',
  'store_missing',
  'wrong_master_key',
])

function codeOfError({ code, fault }: OuthookError): number {
  if (configurationCodes.has(code)) return exitCodes.usage
  if (code === 'not_found') return exitCodes.notFound
  if (code !== 'store_unavailable') return exitCodes.failure
  if (fault === 'damaged' || fault === 'moved') return exitCodes.damaged
  return fault === 'full' ? exitCodes.full : exitCodes.unavailable
}

function codeOfStatus(status: number): number {
  if (status === 404) return exitCodes.notFound
  if (status === 401 || status === 403) return exitCodes.refused
  if (status === 429 || status === 503) return exitCodes.unavailable
  if (status === 400 || status === 413 || status === 422) return exitCodes.usage
  return exitCodes.failure
}
