// A route of the App Router: POST /webhooks.
import { webhookHandler } from 'outhook/verify'

export const POST = webhookHandler({ secrets: () => process.env.WEBHOOK_SECRET ?? '' }, (webhook) =>
  Response.json({ received: webhook.id, event: webhook.json() }),
)
