/** How publishing fails, as producers' clients know it. */
import { OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Api, ApiContext } from './context.ts'
import { sendError } from './errors.ts'
import type { IngestResult } from './options.ts'
import { toProblem } from './problem.ts'

/**
 * Whatever keeps an event from being stored is a 503 that says so, so that clients try again: also a defect or a row
 * that the database refused, which would be a 500 elsewhere and is logged.
 */
export function toIngestError(error: unknown, log: Logger): unknown {
  if (isTooLarge(error)) return new OuthookError('payload_too_large', 'payload is capped at 256KB')
  const { status, detail } = toProblem(error)
  if (status < 500) return error
  if (status === 500) log.error({ err: error }, 'an event could not be stored')
  if (error instanceof OuthookError && error.title === 'not ready') return error
  const reason = status === 500 ? 'the server log says why' : detail
  const message = `could not durably record the event: ${reason}`
  return new OuthookError('store_unavailable', message, {
    cause: error,
    publicDetail: message,
    title: 'ingest unavailable',
    ...(error instanceof OuthookError &&
      error.retryAfterSeconds !== undefined && { retryAfterSeconds: error.retryAfterSeconds }),
  })
}

/** For routes that take events: their errors in these words, counted. */
export function handleIngestErrors(app: Api, { metrics, log, errorLog }: ApiContext): void {
  app.setErrorHandler((error, request, reply) => {
    const known = toIngestError(error, log)
    // A stranger gave nothing.
    if (request.principal !== null) metrics.ingest(ingestResultOf(known))
    sendError(errorLog, known, request, reply)
  })
}

/** What to count of an event that somebody offered who is known. */
export function ingestResultOf(error: unknown): IngestResult {
  const { status, code } = toProblem(error)
  if (code === 'backlog_full') return 'backlog_full'
  if (status === 429) return 'limited'
  if (status === 403) return 'forbidden'
  if (status === 409) return 'conflict'
  return status >= 500 ? 'unavailable' : 'rejected'
}

function isTooLarge(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'FST_ERR_CTP_BODY_TOO_LARGE'
}
