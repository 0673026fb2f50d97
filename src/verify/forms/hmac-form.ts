/**
 * HMAC-SHA256 in whatever form a receiver knows: which header holds it, how it is written, and what it is over. Sender
 * and verifier read it from the same description.
 */
export interface HmacForm {
  /** Of the signature, in lower case. */
  readonly header: string
  /** Before the signature. May hold `{id}` and `{timestamp}`. */
  readonly prefix: string
  /** Before each further signature while a secret is rotated; null: the header has room for one. */
  readonly next: string | null
  readonly encoding: 'hex' | 'base64'
  /** What is signed: `{body}` once, and perhaps `{id}` and `{timestamp}`. */
  readonly message: string
  /** Sent besides, names in lower case. Values may hold `{id}` and `{timestamp}`. */
  readonly headers: Readonly<Record<string, string>>
}

/** Each as its maker publishes it; the key is the whole text of the secret. */
export const hmacForms = {
  /** pyfly's callbacks: over the canonical form of the JSON, which is then the body that is sent. */
  pyfly: ofBody({ header: 'x-pyfly-signature', prefix: 'sha256=', encoding: 'hex' }),
  /** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
  github: ofBody({ header: 'x-hub-signature-256', prefix: 'sha256=', encoding: 'hex' }),
  /** https://docs.stripe.com/webhooks#verify-manually. There are several `v1` while a secret is rolled. */
  stripe: {
    header: 'stripe-signature',
    prefix: 't={timestamp},v1=',
    next: ',v1=',
    encoding: 'hex',
    message: '{timestamp}.{body}',
    headers: {},
  },
  /** https://shopify.dev/docs/apps/build/webhooks/subscribe/https */
  shopify: ofBody({ header: 'x-shopify-hmac-sha256', prefix: '', encoding: 'base64' }),
  /** https://docs.slack.dev/authentication/verifying-requests-from-slack */
  slack: {
    header: 'x-slack-signature',
    prefix: 'v0=',
    next: null,
    encoding: 'hex',
    message: 'v0:{timestamp}:{body}',
    headers: { 'x-slack-request-timestamp': '{timestamp}' },
  },
} as const satisfies Readonly<Record<string, HmacForm>>

export type HmacFormName = keyof typeof hmacForms

export interface FormValues {
  readonly id: string
  readonly timestamp: string
}

/** The template with its values in it. */
export function fillTemplate(template: string, values: FormValues): string {
  if (!template.includes('{')) return template
  return template.replace(/\{(id|timestamp)\}/g, (_match, name: keyof FormValues) => values[name])
}

/** What is signed before the body and after it. */
export function messageParts({ message }: HmacForm): { readonly head: string; readonly tail: string } {
  const at = message.indexOf('{body}')
  return { head: message.slice(0, at), tail: message.slice(at + '{body}'.length) }
}

function ofBody(form: Pick<HmacForm, 'header' | 'prefix' | 'encoding'>): HmacForm {
  return { ...form, next: null, message: '{body}', headers: {} }
}
