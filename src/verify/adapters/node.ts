/** Requests of `node:http`, as Express, Next.js' API routes and plain servers have them. */
import { joinBytes, type RawBody } from '../bytes.ts'
import { BodyTooLargeError, VerifierUsageError } from '../errors.ts'
import type { HeadersInput } from '../headers.ts'
import type { VerifiedWebhook, Verifier } from '../verifier.ts'
import { defaultMaxBodyBytes, type ReadOptions } from './receiver.ts'

/** What of `IncomingMessage` is used, and where others put a body that they read. */
export interface NodeRequest extends AsyncIterable<unknown> {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Whether somebody has begun to read the stream. */
  readonly readableDidRead: boolean
  readonly body?: unknown
  readonly rawBody?: unknown
  iterator?(options: { readonly destroyOnReturn: boolean }): AsyncIterable<unknown>
}

/**
 * Takes the bytes that a parser for raw bodies left at `body` or `rawBody`, else reads the stream itself.
 *
 * @example
 * const server = createServer(async (request, response) => {
 *   const webhook = await verifyNodeRequest(request, verifier)
 *   response.writeHead(204).end()
 * })
 */
export async function verifyNodeRequest(
  request: NodeRequest,
  verifier: Verifier,
  options: ReadOptions = {},
): Promise<VerifiedWebhook> {
  const headers: HeadersInput = request.headers
  const given = [request.rawBody, request.body].find(isRaw)
  if (given !== undefined) return verifier.verify({ headers, body: given })
  if (request.readableDidRead) {
    throw new VerifierUsageError(
      'body_not_raw',
      'the body was parsed or read before, so its bytes are gone; verify before any parser such as express.json(), ' +
        'use express.raw({ type: "*/*" }) on this route, or in Next.js switch off bodyParser for it',
    )
  }
  return verifier.verify({ headers, body: await readStream(request, options) })
}

function isRaw(body: unknown): body is RawBody {
  return typeof body === 'string' || body instanceof Uint8Array || body instanceof ArrayBuffer
}

async function readStream(request: NodeRequest, options: ReadOptions): Promise<Uint8Array> {
  const { maxBodyBytes = defaultMaxBodyBytes } = options
  if (Number(request.headers['content-length']) > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes)
  // Leaving the loop would otherwise destroy the connection, and the sender would never see the 413.
  const stream = request.iterator?.({ destroyOnReturn: false }) ?? request
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    if (!(chunk instanceof Uint8Array)) {
      throw new VerifierUsageError('body_not_raw', 'the request’s stream gives text; leave out setEncoding()')
    }
    length += chunk.length
    if (length > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes)
    chunks.push(chunk)
  }
  return joinBytes(...chunks)
}
