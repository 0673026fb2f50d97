import { BodyTooLargeError } from '../errors.ts'
import { rememberVerified } from '../verified-requests.ts'
import { createVerifier, type Verifier } from '../verifier.ts'
import { defaultMaxBodyBytes, type ReceiverOptions, refusalOf } from './receiver.ts'

/** What of Hono's `Context` is used. */
interface HonoContext {
  readonly req: {
    readonly raw: object & { readonly headers: { get(name: string): string | null } }
    /** Hono keeps the bytes, so a route can read the body again. */
    arrayBuffer(): Promise<ArrayBuffer>
  }
}

/**
 * Middleware for Hono 4. Nothing may have read the body before. The route then has `webhookOf(c.req.raw)`; what does not
 * verify is answered with 401. Secrets are looked at when the first request comes, because a Worker has none before.
 *
 * @example
 * app.post('/webhooks', honoWebhook({ secrets: process.env.WEBHOOK_SECRET ?? '' }), (c) => {
 *   console.log(webhookOf(c.req.raw).json())
 *   return c.body(null, 204)
 * })
 */
export function honoWebhook(options: ReceiverOptions) {
  let verifier: Verifier | null = null
  const { maxBodyBytes = defaultMaxBodyBytes } = options
  return async ({ req }: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    try {
      verifier ??= createVerifier(options)
      const { headers } = req.raw
      if (Number(headers.get('content-length')) > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes)
      const body = await req.arrayBuffer()
      if (body.byteLength > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes)
      rememberVerified(req.raw, await verifier.verify({ headers, body }))
    } catch (error) {
      const { status, body } = refusalOf(error)
      return Response.json(body, { status })
    }
    await next()
    return undefined
  }
}
