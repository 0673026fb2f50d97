/** Requests of the fetch standard: Next.js route handlers, Workers, Deno, Bun, and whoever else gives a `Request`. */
import { joinBytes } from '../bytes.ts'
import { BodyTooLargeError, VerifierUsageError } from '../errors.ts'
import { createVerifier, type VerifiedWebhook, type Verifier } from '../verifier.ts'
import { defaultMaxBodyBytes, type ReadOptions, type ReceiverOptions, refusalOf } from './receiver.ts'

/** What of `Request` is used. */
export interface FetchRequest {
  readonly headers: { get(name: string): string | null }
  readonly bodyUsed: boolean
  readonly body: { getReader(): BodyReader } | null
}

interface BodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  cancel(): Promise<unknown>
}

/**
 * Reads the body, which must not have been read before, and verifies it.
 *
 * @example
 * const webhook = await verifyRequest(request, verifier)
 */
export async function verifyRequest(
  request: FetchRequest,
  verifier: Verifier,
  options: ReadOptions = {},
): Promise<VerifiedWebhook> {
  if (request.bodyUsed) {
    throw new VerifierUsageError(
      'body_not_raw',
      'the request’s body was read before; verify it first, and take text() or json() of what that returns',
    )
  }
  const body = await readBody(request, options.maxBodyBytes ?? defaultMaxBodyBytes)
  return verifier.verify({ headers: request.headers, body })
}

/**
 * A function from request to response, as a Next.js route exports it and as Workers, `Deno.serve` and `Bun.serve` take it.
 * What does not verify is answered with 401 and never reaches yours. Secrets are looked at when the first request comes,
 * not when the module is loaded, because a build has none.
 *
 * @example
 * export const POST = webhookHandler({ secrets: () => process.env.WEBHOOK_SECRET ?? '' }, async (webhook) => {
 *   await store(webhook.id, webhook.json())
 *   return new Response(null, { status: 204 })
 * })
 */
export function webhookHandler<R extends FetchRequest, Rest extends readonly unknown[]>(
  options: ReceiverOptions,
  handle: (webhook: VerifiedWebhook, request: R, ...rest: Rest) => Response | Promise<Response>,
): (request: R, ...rest: Rest) => Promise<Response> {
  let verifier: Verifier | null = null
  return async (request, ...rest) => {
    let webhook: VerifiedWebhook
    try {
      verifier ??= createVerifier(options)
      webhook = await verifyRequest(request, verifier, options)
    } catch (error) {
      const { status, body } = refusalOf(error)
      return Response.json(body, { status })
    }
    return handle(webhook, request, ...rest)
  }
}

async function readBody(request: FetchRequest, maxBodyBytes: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length')) > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes)
  if (request.body === null) return new Uint8Array()
  const reader = request.body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const chunk = next.value ?? new Uint8Array()
    length += chunk.length
    if (length > maxBodyBytes) {
      await reader.cancel()
      throw new BodyTooLargeError(maxBodyBytes)
    }
    chunks.push(chunk)
  }
  return joinBytes(...chunks)
}
