/** What an adapter has verified, found again by the framework's own request. */
import { VerifierUsageError } from './errors.ts'
import type { VerifiedWebhook } from './verifier.ts'

const verifiedRequests = new WeakMap<object, VerifiedWebhook>()

export function rememberVerified(request: object, webhook: VerifiedWebhook): void {
  verifiedRequests.set(request, webhook)
}

/**
 * The verified webhook of a request that passed `expressWebhook`, `fastifyWebhook` or `honoWebhook` (there: of
 * `c.req.raw`). Throws for any other, so a route that lacks its adapter handles nothing that was not verified.
 *
 * @example
 * app.post('/webhooks', expressWebhook({ secrets }), (request, response) => {
 *   console.log(webhookOf(request).json())
 *   response.sendStatus(204)
 * })
 */
export function webhookOf(request: object): VerifiedWebhook {
  const webhook = verifiedRequests.get(request)
  if (webhook !== undefined) return webhook
  throw new VerifierUsageError('invalid_option', 'this request was not verified; its route needs the adapter')
}
