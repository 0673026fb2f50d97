/** The server answered with an error: the members of its `application/problem+json`. */
export class ApiError extends Error {
  readonly status: number
  /** What to decide by; null when no Outhook answered, such as a proxy. */
  readonly code: string | null
  readonly title: string
  readonly detail: string
  /** Whole seconds from `Retry-After`; null when the server named none. */
  readonly retryAfterSeconds: number | null

  constructor(problem: {
    readonly status: number
    readonly code: string | null
    readonly title: string
    readonly detail: string
    readonly retryAfterSeconds: number | null
  }) {
    super(`${problem.title}: ${problem.detail}`)
    this.name = 'ApiError'
    this.status = problem.status
    this.code = problem.code
    this.title = problem.title
    this.detail = problem.detail
    this.retryAfterSeconds = problem.retryAfterSeconds
  }
}

/** No answer came: refused, reset, timed out, or not HTTP. The request may still have been carried out. */
export class ConnectionError extends Error {
  readonly url: string

  constructor(url: string, reason: string, cause: unknown) {
    super(`no answer from ${url}: ${reason}`, { cause })
    this.name = 'ConnectionError'
    this.url = url
  }
}
