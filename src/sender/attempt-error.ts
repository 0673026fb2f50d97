/**
 * What went wrong, as one of the error classes: decided by error codes and by how far the attempt had come,
 * never by message text. Messages name host and port, never the path, the query or a header: those may be secret.
 *
 * Whatever a receiver can provoke must not be `internal`, because internal errors are retried without end.
 */
import type { AttemptResult } from './port.ts'

export type FailureClass = Extract<AttemptResult, { kind: 'failure' }>['errorClass']

export interface Failure {
  readonly errorClass: FailureClass
  readonly error: string
  /** Of a refusal by policy: a name may resolve to something else the next time. */
  readonly mayChange?: boolean
}

/** `connecting` covers TCP; `handshaking` TLS; `started` everything after the request was handed to a socket. */
export type FailurePhase = 'queued' | 'connecting' | 'handshaking' | 'started'

/** A failure that is classified already, on its way through a socket's callbacks. */
export class AttemptError extends Error {
  readonly code = 'ERR_OUTHOOK_ATTEMPT'
  readonly failure: Failure

  constructor(failure: Failure, cause?: unknown) {
    super(failure.error, cause === undefined ? undefined : { cause })
    this.name = 'AttemptError'
    this.failure = failure
  }
}

const maxErrorChars = 2000

const connectionCodes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ECONNABORTED: 'connection aborted',
  EPIPE: 'connection closed while the request was being sent',
  EHOSTUNREACH: 'host unreachable',
  EHOSTDOWN: 'host down',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'network down',
  ENOTCONN: 'connection closed',
  EACCES: 'connection forbidden by this machine',
  EPERM: 'connection forbidden by this machine',
  EINVAL: 'address cannot be connected to',
  EADDRNOTAVAIL: 'address cannot be connected to',
  ERR_HEAD_TOO_LONG: 'response headers too large',
}

const timeoutCodes: ReadonlySet<string> = new Set(['ETIMEDOUT', 'ESOCKETTIMEDOUT'])

/** Out of something on this machine, or a request that this program made wrongly. */
const ownCodes: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

export interface FailureContext {
  readonly phase: FailurePhase
  /** `host:port`, for the message. */
  readonly hostPort: string
}

export function describeFailure(error: unknown, context: FailureContext): Failure {
  if (error instanceof AttemptError) return error.failure
  // Several addresses tried in turn give an AggregateError with the code of the first.
  const code = codeOf(error)
  const errorClass = classOf(code, context.phase)
  const hostPort = `${context.hostPort}${code === '' ? '' : ` (${code})`}`
  switch (errorClass) {
    case 'connection':
      return failure(errorClass, `${connectionText(code)}: ${hostPort}`)
    case 'timeout':
      return failure(errorClass, `timed out: ${hostPort}`)
    case 'tls':
      return failure(errorClass, `TLS failed: ${printable(reasonOf(error))}: ${hostPort}`)
    default:
      return failure(
        'internal',
        `the request to ${hostPort} could not be made: ${printable(messageOf(error))}`,
      )
  }
}

/** Nobody but who runs the name server can mend it, and an answer of 0.0.0.0 may be a slip of a minute. */
export function refusedAnswer(error: string): Failure {
  return { ...failure('policy', error), mayChange: true }
}

export function failure(errorClass: FailureClass, error: string): Failure {
  return { errorClass, error: error.length > maxErrorChars ? `${error.slice(0, maxErrorChars - 1)}…` : error }
}

function classOf(code: string, phase: FailurePhase): 'connection' | 'timeout' | 'tls' | 'internal' {
  if (timeoutCodes.has(code)) return 'timeout'
  if (code in connectionCodes) return 'connection'
  if (ownCodes.has(code)) return 'internal'
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return 'tls'
  switch (phase) {
    // OpenSSL has some eighty codes for what is wrong with a certificate, and none of them means anything else.
    case 'handshaking':
      return 'tls'
    case 'started':
      return 'connection'
    case 'connecting':
    case 'queued':
      return 'internal'
  }
}

function connectionText(code: string): string {
  return connectionCodes[code] ?? 'the connection broke'
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** OpenSSL's own words without its file names and line numbers, where there are any. */
function reasonOf(error: unknown): string {
  const reason = typeof error === 'object' && error !== null && 'reason' in error ? error.reason : undefined
  return typeof reason === 'string' ? reason : messageOf(error)
}

/** Certificates are written by the receiver: no control characters of theirs in a log or a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').trim()
}
