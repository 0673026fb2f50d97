/**
 * `application/problem+json` (RFC 7807): the one shape of every error that leaves the server, whether a handler, the
 * router or the raw socket refused. The four members that clients of older servers count on come first; `code` is the
 * one to decide by. A newline ends it.
 */
import { type ErrorCode, errorTable, OuthookError } from '../core/errors.ts'
import { describeStoreFault } from '../core/store-fault.ts'

/** Of every answer: they hold keys and other people's data, so nobody on the way keeps them, and no browser guesses. */
export const answerHeaders = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' } as const

export const problemContentType = 'application/problem+json'

export interface Problem {
  readonly code: ErrorCode
  readonly status: number
  readonly title: string
  readonly detail: string
  /** Where in the payload, as a JSON Pointer. */
  readonly path?: string | undefined
  /** Whole seconds, set with 429 and 503 only. */
  readonly retryAfterSeconds: number | null
}

/** Where the pages of the errors are. */
export const problemTypePrefix = '/docs/errors/'

/** The problem's `type`: a page of this server about all errors of that code. */
export function problemTypeOf(code: ErrorCode): string {
  return problemTypePrefix + code
}

/** Clients give up at once on a longer wait than their own budget, so none is asked for more. */
const maxRetryAfterSeconds = 10
const defaultRetryAfterSeconds = 1

/** What fastify and its plugins throw, by their codes. */
const frameworkErrors: Readonly<Record<string, { readonly code: ErrorCode; readonly detail: string }>> = {
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'invalid_request',
    detail: 'the body ended before Content-Length bytes arrived; send as many bytes as Content-Length says',
  },
  FST_ERR_BAD_URL: {
    code: 'invalid_request',
    detail: 'the path has a broken percent escape; write each reserved character as %XX',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'uri_too_long',
    detail: 'a part of the path is longer than 800 characters; ids have at most 32, and topics 255 bytes',
  },
  ECONNRESET: {
    code: 'invalid_request',
    detail: 'the connection closed before the body was complete; send it whole',
  },
}

/** Any thrown value as a problem. What is no known error is `internal` and says nothing of its cause. */
export function toProblem(error: unknown): Problem {
  if (error instanceof OuthookError) return fromOuthookError(error)
  const { code, statusCode } = fieldsOf(error)
  const known = code === undefined ? undefined : frameworkErrors[code]
  if (known !== undefined) return problemOf(known.code, known.detail)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return problemOf('payload_too_large', 'the body is larger than this route takes; send less')
  }
  if (code === 'FST_ERR_HANDLER_TIMEOUT') {
    return {
      ...problemOf('store_unavailable', 'no answer in time; what was asked for may have happened, try again'),
      title: 'not answered in time',
    }
  }
  if (statusCode === 404) return problemOf('not_found', 'there is nothing here; see /docs for what there is')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return problemOf('invalid_request', 'the request was not understood; see /docs')
  }
  return problemOf('internal', 'something went wrong inside the server; its log says what')
}

export function problemOf(code: ErrorCode, detail: string): Problem {
  const { status, title } = errorTable[code]
  return { code, status, title, detail, retryAfterSeconds: retryAfter(status, undefined) }
}

export function renderProblem(problem: Problem): string {
  return `${JSON.stringify(problemMembers(problem))}\n`
}

/** The members as they leave the server, in their order. */
export function problemMembers({ code, status, title, detail, path }: Problem) {
  return { type: problemTypeOf(code), title, status, detail, code, ...(path !== undefined && { path }) }
}

function fromOuthookError(error: OuthookError): Problem {
  const { status, title, code } = error
  // 500s are defects or broken installations: their text may quote what no caller should read.
  if (status === 500)
    return problemOf('internal', 'something went wrong inside the server; its log says what')
  const told = code === 'store_unavailable' ? storeAway(error) : error.message
  const detail = told === '' ? errorTable[code].title : told
  const { path, retryAfterSeconds } = error
  return { code, status, title, detail, path, retryAfterSeconds: retryAfter(status, retryAfterSeconds) }
}

/** The text of a store's own error is for whoever runs the server. */
function storeAway({ publicDetail, fault }: OuthookError): string {
  if (publicDetail !== undefined) return publicDetail
  if (fault !== undefined) return describeStoreFault(fault)
  return 'the store cannot be used now; try again, the server log says why'
}

function retryAfter(status: number, wanted: number | undefined): number | null {
  if (status !== 429 && status !== 503) return null
  const seconds = Math.ceil(wanted ?? defaultRetryAfterSeconds)
  return Math.min(Math.max(seconds, 1), maxRetryAfterSeconds)
}

function fieldsOf(error: unknown): { readonly code?: string; readonly statusCode?: number } {
  return typeof error === 'object' && error !== null ? error : {}
}
