/**
 * `POST /v1/events` as it nearly always comes: from a caller who is known, with a body of known length, and accepted.
 * Such a request is read and answered here, past the framework, whose request, reply and hooks cost a third of all that
 * an event costs at a thousand a second. Whatever is not plain, and every refusal and failure, goes the framework's way,
 * where each check and each error has its one place.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Principal } from '../engine/principal.ts'
import type { PublishReceipt } from '../engine/publish.ts'
import type { ApiContext } from './context.ts'
import { answerHeaders } from './problem.ts'
import { readPublish, receiptType, renderReceipt } from './publish-request.ts'
import { publishers } from './route-access.ts'
import { tenantOfPrincipal } from './tenant-scope.ts'

const path = '/v1/events'
/** A larger body takes so long to read that the rest does not count. */
const maxBodyBytes = 64 * 1024

export interface QuickPublishContext
  extends Pick<ApiContext, 'engine' | 'auth' | 'metrics' | 'bodies' | 'ingestLimit' | 'isClosing'> {
  readonly elapsed: () => number
  /** The engine is whole. */
  readonly hasStarted: () => boolean
}

export class QuickPublish {
  #context: QuickPublishContext | null = null

  /** From now on; until then everything goes to the framework. */
  serve(context: QuickPublishContext): void {
    this.#context = context
  }

  before(framework: RequestListener): RequestListener {
    return (request, response) => {
      const context = this.#context
      const principal = context === null || !isPlain(request) ? null : recognize(request, context)
      if (context === null || principal === null) framework(request, response)
      else publish({ request, response, principal, framework }, context)
    }
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly principal: Principal
  readonly framework: RequestListener
}

function isPlain({ method, url, headers }: IncomingMessage): boolean {
  if (method !== 'POST' || url !== path) return false
  const length = Number(headers['content-length'] ?? Number.NaN)
  return (
    length > 0 &&
    length <= maxBodyBytes &&
    headers.host !== undefined &&
    headers['content-encoding'] === undefined
  )
}

function recognize(
  request: IncomingMessage,
  { auth, ingestLimit, hasStarted, isClosing }: QuickPublishContext,
): Principal | null {
  const principal = hasStarted() && !isClosing() ? auth.recognize(request, publishers) : null
  return principal !== null && ingestLimit.payNow(request, principal) ? principal : null
}

function publish(exchange: Exchange, context: QuickPublishContext): void {
  const { request, response, principal, framework } = exchange
  const { engine, bodies } = context
  const startedAt = context.elapsed()
  const fail = (error: unknown): void => {
    bodies.refuse(request, { error, waitedMs: context.elapsed() - startedAt })
    framework(request, response)
  }
  const declared = Number(request.headers['content-length'])
  bodies.read({ payload: request, limit: maxBodyBytes, declared }, (error, body) => {
    if (error !== null) return fail(error)
    // Without a deadline of its own: the publisher answers, or gives up, long before the framework's would be over.
    publishBody(engine, { request, principal, tenantId: tenantOfPrincipal(principal), body }).then(
      (receipt) => answer(response, receipt, { context, startedAt }),
      fail,
    )
  })
}

function publishBody(
  { publisher }: ApiContext['engine'],
  incoming: Parameters<typeof readPublish>[0],
): Promise<PublishReceipt> {
  try {
    return publisher.publish(readPublish(incoming))
  } catch (error) {
    return Promise.reject(error)
  }
}

interface Answered {
  readonly context: QuickPublishContext
  readonly startedAt: number
}

function answer(response: ServerResponse, receipt: PublishReceipt, { context, startedAt }: Answered): void {
  const text = renderReceipt(receipt)
  // But for warnings only ASCII: as many bytes as characters.
  const length = receipt.warnings === undefined ? text.length : Buffer.byteLength(text)
  const headers = { ...answerHeaders, 'content-type': receiptType, 'content-length': length }
  response.writeHead(202, receipt.replayed ? { 'idempotent-replay': 'true', ...headers } : headers)
  response.end(text)
  const { metrics } = context
  metrics.ingest(receipt.replayed ? 'replayed' : 'accepted')
  metrics.request({ method: 'POST', route: path, status: 202, elapsedMs: context.elapsed() - startedAt })
}
