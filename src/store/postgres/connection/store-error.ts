/** What an error of the driver means: surely undone, or not known to be. */
import { OuthookError } from '../../../core/errors.ts'
import { describeStoreFault, type StoreFault } from '../../../core/store-fault.ts'

const sqlStatePattern = /^[0-9A-Z]{5}$/

/** The server's error code; null when the error did not come from the server. */
export function sqlState(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error) || !('severity' in error)) return null
  return typeof error.code === 'string' && sqlStatePattern.test(error.code) ? error.code : null
}

/** Deadlock, serialization failure: the server undid the transaction and asks to run it again. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error)
  // 0A000: a newer node has changed a table under a prepared statement; a new connection prepares it anew.
  return state === '40P01' || state === '40001' || isStalePlan(error)
}

function isStalePlan(error: unknown): boolean {
  return sqlState(error) === '0A000' && error instanceof Error && error.message.startsWith('cached plan')
}

/**
 * The connection cannot be used any more, or nobody knows in which state it is. One to a server that has become
 * read-only (25006) is given up too: after a failover a new one may find the new primary.
 */
export function isConnectionFault(error: unknown): boolean {
  if (error instanceof OuthookError) return false
  const state = sqlState(error)
  // 25P03, 25P04: our transaction was left open for too long, and the server has ended the connection.
  return (
    isServerGone(error) || state === '25006' || state === '25P03' || state === '25P04' || isStalePlan(error)
  )
}

/** Nobody answered, or somebody who is about to end or has only just started. */
export function isServerGone(error: unknown): boolean {
  const state = sqlState(error)
  return state === null || state.startsWith('08') || state.startsWith('57P')
}

/**
 * Whether a server that cannot be opened may be there soon: it has not started, it is starting, has no connection left
 * or is a standby amid a failover. Whatever it answered otherwise, such as that it knows no such password or database,
 * and a certificate that does not fit, stay as they are.
 */
export function mayComeSoon(error: unknown): boolean {
  const cause = error instanceof OuthookError ? (error.cause ?? null) : error
  if (cause === null || cause instanceof OuthookError) return false
  const state = sqlState(cause)
  if (state !== null) return /^(08|53|57P|25006)/.test(state)
  const { code } = cause as NodeJS.ErrnoException
  return code === undefined || !/^ERR_|CERT|SIGNED|UNABLE_TO|HOSTNAME_MISMATCH/.test(code)
}

/** A statement of the transaction had failed before this one. */
export function isOfFailedTransaction(error: unknown): boolean {
  return sqlState(error) === '25P02'
}

/** Somebody holds the lock for longer than we wait. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === '55P03'
}

/**
 * Bad data (22), a violated constraint (23) and a limit of the server (54) prove a rollback and will happen again;
 * everything else may pass, and after a lost connection the commit may have happened.
 */
export function toStoreError(error: unknown): OuthookError {
  if (error instanceof OuthookError) return error
  const state = sqlState(error)
  const message = messageOf(error)
  if (state !== null && /^(22|23|54)/.test(state)) {
    return new OuthookError(
      'store_refused',
      `the store refused the call and undid it: ${message} (${state})`,
      {
        cause: error,
      },
    )
  }
  const fault = storeFaultOf(error)
  const advice = fault === null ? 'check the server and its URL' : describeStoreFault(fault)
  return new OuthookError(
    'store_unavailable',
    `PostgreSQL cannot be used now: ${message}${state === null ? '' : ` (${state})`}; ${advice}`,
    { cause: error, ...(fault !== null && { fault }) },
  )
}

/** By SQLSTATE, or its class. */
const faultsByState: readonly (readonly [pattern: RegExp, fault: StoreFault])[] = [
  // Damaged data or index, and a file of a table that is not there.
  [/^(XX001|XX002|58P01)$/, 'damaged'],
  [/^53100$/, 'full'],
  // Too many connections, somebody's lock, and a statement that ran out of its time, as behind one.
  [/^(53300|55P03|57014)$/, 'busy'],
  [/^25006$/, 'read_only'],
  [/^58030$/, 'io_error'],
  [/^(08|57P)/, 'unreachable'],
]

/** Null: of no kind that an operator could do something particular about. */
function storeFaultOf(error: unknown): StoreFault | null {
  const state = sqlState(error)
  if (state === null) return isNetworkError(error) ? 'unreachable' : null
  return faultsByState.find(([pattern]) => pattern.test(state))?.[1] ?? null
}

function isNetworkError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error
}

/** A name with several addresses, none of which answers, fails with a code and no text. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message || String((error as NodeJS.ErrnoException).code)
}
