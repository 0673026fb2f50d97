import { rememberVerified } from '../verified-requests.ts'
import { createVerifier } from '../verifier.ts'
import { type NodeRequest, verifyNodeRequest } from './node.ts'
import { type ReceiverOptions, refusalOf } from './receiver.ts'

interface ExpressResponse {
  status(code: number): { json(body: unknown): unknown }
}

/**
 * Middleware for Express 4 and 5. It reads the body itself, so it comes before `express.json()` or on a route without
 * it; `express.raw({ type: '*\/*' })` before it does no harm. The route then has `webhookOf(request)`; what does not
 * verify is answered with 401.
 *
 * @example
 * app.post('/webhooks', expressWebhook({ secrets: process.env.WEBHOOK_SECRET ?? '' }), (request, response) => {
 *   console.log(webhookOf(request).json())
 *   response.sendStatus(204)
 * })
 */
export function expressWebhook(options: ReceiverOptions) {
  const verifier = createVerifier(options)
  return async (
    request: NodeRequest,
    response: ExpressResponse,
    next: (error?: unknown) => void,
  ): Promise<void> => {
    try {
      rememberVerified(request, await verifyNodeRequest(request, verifier, options))
    } catch (error) {
      try {
        const { status, body } = refusalOf(error)
        response.status(status).json(body)
      } catch (mistake) {
        next(mistake)
      }
      return
    }
    next()
  }
}
