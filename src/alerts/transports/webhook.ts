import { Webhook } from '../../sender/webhook.ts'
import type { WebhookOptions } from '../../sender/webhook-options.ts'
import { type AlertMessage, type AlertTransport, type TransportOptions, toResult } from '../transport.ts'
import { WebhooksByTries } from '../webhooks-by-tries.ts'

export type WebhookTransportOptions = TransportOptions & Pick<WebhookOptions, 'signing' | 'headers'>

/** Any receiver of JSON: `{channel, severity, title, description, text, fields, color, timestamp, footer, username}`. */
export function webhookTransport(url: string | URL, options: WebhookTransportOptions = {}): AlertTransport {
  const { signing, headers, ...rest } = options
  const extra = {
    ...(signing === undefined ? {} : { signing }),
    ...(headers === undefined ? {} : { headers }),
  }
  const webhooks = new WebhooksByTries(rest, (own) => new Webhook(url, { ...own, ...extra }))
  return {
    kind: 'webhook',
    async send(message, { maxAttempts, ...sendOptions }) {
      return toResult(await webhooks.for(maxAttempts).send(toJson(message), sendOptions))
    },
    close: () => webhooks.close(),
  }
}

function toJson({ channel, severity, embed, text, mention, username }: AlertMessage): object {
  return {
    channel,
    severity,
    title: embed?.title ?? null,
    description: embed?.description ?? null,
    text: text === '' ? null : text,
    fields: (embed?.fields ?? []).map(({ name, value }) => ({ name, value })),
    color: embed?.color ?? null,
    timestamp: embed?.timestamp ?? null,
    footer: embed?.footer?.text ?? null,
    mention,
    username,
  }
}
