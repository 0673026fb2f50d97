/** Why a request does not verify, as one class for each kind of reason. */

export type VerificationErrorCode =
  | 'missing_header'
  | 'malformed_header'
  | 'too_old'
  | 'in_the_future'
  | 'no_match'
  | 'body_too_large'

export type VerifierUsageErrorCode = 'invalid_secret' | 'invalid_option' | 'body_not_raw' | 'keys_unavailable'

/** Makes `instanceof` hold across two installed copies of the package. */
function isBranded(value: unknown, brand: symbol): boolean {
  return typeof value === 'object' && value !== null && brand in value
}

const verification = Symbol.for('outhook.verification-error')
const missingHeader = Symbol.for('outhook.verification-error.missing-header')
const malformedHeader = Symbol.for('outhook.verification-error.malformed-header')
const timestamp = Symbol.for('outhook.verification-error.timestamp')
const noMatch = Symbol.for('outhook.verification-error.no-match')
const bodyTooLarge = Symbol.for('outhook.verification-error.body-too-large')
const usage = Symbol.for('outhook.verifier-usage-error')

function mark(error: object, ...brands: symbol[]): void {
  for (const brand of brands) Object.defineProperty(error, brand, { value: true })
}

/**
 * The request is not to be trusted; answer it with 401 and do nothing else. Which of the classes below it is, `code`
 * says too.
 *
 * @example
 * try { await verifier.verify(request) } catch (error) {
 *   if (error instanceof VerificationError) return new Response(error.code, { status: 401 })
 *   throw error
 * }
 */
export class VerificationError extends Error {
  readonly code: VerificationErrorCode

  constructor(code: VerificationErrorCode, message: string) {
    super(message)
    this.name = 'VerificationError'
    this.code = code
    mark(this, verification)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, verification)
  }
}

/** A header that the scheme needs is absent or empty. */
export class MissingHeaderError extends VerificationError {
  readonly header: string

  constructor(header: string) {
    super('missing_header', `the request has no header ${header}; it is not signed in this scheme`)
    this.name = 'MissingHeaderError'
    this.header = header
    mark(this, missingHeader)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, missingHeader)
  }
}

/** A header of the scheme is there but does not have its form. */
export class MalformedHeaderError extends VerificationError {
  readonly header: string

  constructor(header: string, reason: string) {
    super('malformed_header', `the header ${header} ${reason}`)
    this.name = 'MalformedHeaderError'
    this.header = header
    mark(this, malformedHeader)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, malformedHeader)
  }
}

/** The request was signed too long ago, or in the future: it is repeated by somebody, or one of the clocks is wrong. */
export class TimestampError extends VerificationError {
  /** When it was signed, by the sender's clock. Seconds since the epoch. */
  readonly timestampSeconds: number
  /** When it was verified, by the receiver's clock. */
  readonly nowSeconds: number
  readonly toleranceSeconds: number

  constructor(times: {
    readonly timestampSeconds: number
    readonly nowSeconds: number
    readonly toleranceSeconds: number
  }) {
    const { timestampSeconds, nowSeconds, toleranceSeconds } = times
    const isOld = timestampSeconds < nowSeconds
    const distance = Math.abs(nowSeconds - timestampSeconds)
    super(
      isOld ? 'too_old' : 'in_the_future',
      `the request was signed ${distance} s ${isOld ? 'ago' : 'in the future'}, and ${toleranceSeconds} s are allowed; ` +
        'it is a repeated request, or one of the clocks is wrong',
    )
    this.name = 'TimestampError'
    this.timestampSeconds = timestampSeconds
    this.nowSeconds = nowSeconds
    this.toleranceSeconds = toleranceSeconds
    mark(this, timestamp)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, timestamp)
  }
}

/** No signature of the request was made with any of the secrets over these bytes. */
export class NoMatchError extends VerificationError {
  constructor() {
    super(
      'no_match',
      'no signature matches: the secret is another one, or the body is not byte for byte what was sent; ' +
        '"outhook verify" finds out which',
    )
    this.name = 'NoMatchError'
    mark(this, noMatch)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, noMatch)
  }
}

/** Only where this package reads the body itself. */
export class BodyTooLargeError extends VerificationError {
  readonly maxBodyBytes: number

  constructor(maxBodyBytes: number) {
    super(
      'body_too_large',
      `the body has more than ${maxBodyBytes} bytes; raise maxBodyBytes if that is right`,
    )
    this.name = 'BodyTooLargeError'
    this.maxBodyBytes = maxBodyBytes
    mark(this, bodyTooLarge)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, bodyTooLarge)
  }
}

/**
 * The receiver's own mistake, such as an empty secret or a body that was parsed before, or keys that it could not get.
 * Never says what the secret is.
 */
export class VerifierUsageError extends Error {
  readonly code: VerifierUsageErrorCode

  constructor(code: VerifierUsageErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options)
    this.name = 'VerifierUsageError'
    this.code = code
    mark(this, usage)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, usage)
  }
}
