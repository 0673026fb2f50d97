/** What a call can fail with: one class for each kind of answer, and for none. */

/** Makes `instanceof` hold across two installed copies of the package. */
function isBranded(value: unknown, brand: symbol): boolean {
  return typeof value === 'object' && value !== null && brand in value
}

function mark(error: object, brand: symbol): void {
  Object.defineProperty(error, brand, { value: true })
}

const client = Symbol.for('outhook.client-error')
const configuration = Symbol.for('outhook.client-error.configuration')
const connection = Symbol.for('outhook.client-error.connection')
const timeout = Symbol.for('outhook.client-error.timeout')
const unexpected = Symbol.for('outhook.client-error.unexpected-answer')
const retry = Symbol.for('outhook.client-error.retry')
const delivery = Symbol.for('outhook.client-error.not-delivered')
const api = Symbol.for('outhook.client-error.api')

/** Everything that this client throws, but for the reason of an `AbortSignal` of the caller's. */
export class ClientError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ClientError'
    mark(this, client)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, client)
  }
}

/** An option that cannot be, such as an address without `http:`. */
export class ClientOptionError extends ClientError {
  constructor(message: string) {
    super(message)
    this.name = 'ClientOptionError'
    mark(this, configuration)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, configuration)
  }
}

/** No answer came: refused, reset, timed out, or not HTTP. The request may still have been carried out. */
export class ConnectionError extends ClientError {
  readonly url: string

  constructor(url: string, reason: string, cause?: unknown) {
    super(`no answer from ${url}: ${reason}`, cause)
    this.name = 'ConnectionError'
    this.url = url
    mark(this, connection)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, connection)
  }
}

/** The answer, its body included, was not there in time. */
export class TimeoutError extends ConnectionError {
  constructor(url: string, timeoutMs: number) {
    super(url, `it took longer than ${timeoutMs} ms`)
    this.name = 'TimeoutError'
    mark(this, timeout)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, timeout)
  }
}

/** A success that is no JSON: something else than Outhook answers at this address. */
export class UnexpectedAnswerError extends ConnectionError {
  constructor(url: string, cause: unknown) {
    super(url, 'the answer is not JSON; is this the address of Outhook?', cause)
    this.name = 'UnexpectedAnswerError'
    mark(this, unexpected)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, unexpected)
  }
}

/** Given up after what could be tried again; `cause` is the last error. */
export class RetryError extends ClientError {
  readonly attempts: number

  constructor(attempts: number, cause: ClientError) {
    super(`gave up after ${attempts === 1 ? 'one attempt' : `${attempts} attempts`}: ${cause.message}`, cause)
    this.name = 'RetryError'
    this.attempts = attempts
    mark(this, retry)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, retry)
  }
}

/** An event that was waited for: some of its deliveries were given up, or not all ended in time. */
export class NotDeliveredError extends ClientError {
  readonly eventId: string
  /** Of the deliveries that are not `succeeded`. */
  readonly states: readonly string[]
  readonly timedOut: boolean

  constructor(eventId: string, states: readonly string[], timedOut: boolean) {
    const what = timedOut ? 'did not come to an end in time' : 'was not delivered everywhere'
    super(`event ${eventId} ${what}${states.length > 0 ? ` (${[...new Set(states)].join(', ')})` : ''}`)
    this.name = 'NotDeliveredError'
    this.eventId = eventId
    this.states = states
    this.timedOut = timedOut
    mark(this, delivery)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, delivery)
  }
}

export interface Problem {
  readonly status: number
  /** What to decide by; null when no Outhook answered, such as a proxy. */
  readonly code: string | null
  readonly title: string
  readonly detail: string
  /** Whole seconds from `Retry-After`; null when the server named none. */
  readonly retryAfterSeconds: number | null
}

/** The server answered with an error: the members of its `application/problem+json`. */
export class ApiError extends ClientError implements Problem {
  readonly status: number
  readonly code: string | null
  readonly title: string
  readonly detail: string
  readonly retryAfterSeconds: number | null

  constructor(problem: Problem) {
    super(`${problem.title}: ${problem.detail}`)
    this.name = 'ApiError'
    this.status = problem.status
    this.code = problem.code
    this.title = problem.title
    this.detail = problem.detail
    this.retryAfterSeconds = problem.retryAfterSeconds
    mark(this, api)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (!isBranded(value, api)) return false
    // biome-ignore lint/complexity/noThisInStatic: each class below asks for its own status and code.
    const holds = conditionOf.get(this)
    return holds === undefined || holds(value as ApiError)
  }
}

/** 400: the request is not understood. */
export class BadRequestError extends ApiError {
  override readonly name = 'BadRequestError'
}
/** 401: the token is missing, unknown or revoked. */
export class AuthenticationError extends ApiError {
  override readonly name = 'AuthenticationError'
}
/** 403: the token may not do this, or not with this topic. */
export class PermissionDeniedError extends ApiError {
  override readonly name = 'PermissionDeniedError'
}
/** 404: there is no such object, or it is another tenant's. */
export class NotFoundError extends ApiError {
  override readonly name = 'NotFoundError'
}
/** 409: it clashes with what is there, such as an idempotency key that was used for something else. */
export class ConflictError extends ApiError {
  override readonly name = 'ConflictError'
}
/** 412: somebody has changed the object since; read it again. */
export class VersionConflictError extends ApiError {
  override readonly name = 'VersionConflictError'
}
/** 413: the payload or the body is too large. */
export class PayloadTooLargeError extends ApiError {
  override readonly name = 'PayloadTooLargeError'
}
/** 422: understood, and refused for what it says. */
export class UnprocessableError extends ApiError {
  override readonly name = 'UnprocessableError'
}
/** 429: too many requests; `retryAfterSeconds` says when one more is taken. */
export class RateLimitError extends ApiError {
  override readonly name: string = 'RateLimitError'
}
/** 429: so many deliveries of the event's ordering key wait that no more is taken; other keys are. */
export class BacklogFullError extends RateLimitError {
  override readonly name = 'BacklogFullError'
}
/** 500 and above. */
export class ServerError extends ApiError {
  override readonly name = 'ServerError'
}

type ApiErrorClass = new (problem: Problem) => ApiError

type Condition = (problem: Pick<Problem, 'status' | 'code'>) => boolean

/** The first that holds is the class of an error, so the narrower ones come first. */
const classes: readonly (readonly [ApiErrorClass, Condition])[] = [
  [BadRequestError, ({ status }) => status === 400],
  [AuthenticationError, ({ status }) => status === 401],
  [PermissionDeniedError, ({ status }) => status === 403],
  [NotFoundError, ({ status }) => status === 404],
  [ConflictError, ({ status }) => status === 409],
  [VersionConflictError, ({ status }) => status === 412],
  [PayloadTooLargeError, ({ status }) => status === 413],
  [UnprocessableError, ({ status }) => status === 422],
  [BacklogFullError, ({ status, code }) => status === 429 && code === 'backlog_full'],
  [RateLimitError, ({ status }) => status === 429],
  [ServerError, ({ status }) => status >= 500],
]

/** By class, so that `instanceof` of each holds across copies too; `ApiError` itself holds for every answer. */
const conditionOf = new Map<unknown, Condition>(classes)

export function toApiError(problem: Problem): ApiError {
  const [errorClass = ApiError] = classes.find(([, holds]) => holds(problem)) ?? []
  return new errorClass(problem)
}
