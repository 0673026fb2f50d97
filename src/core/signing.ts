/**
 * Signing: which headers an endpoint's requests carry so that its owner can tell them from forgeries.
 *
 * - `standard`: Standard Webhooks 1.0 (https://www.standardwebhooks.com). `v1` is base64 HMAC-SHA256 over
 *   `<event id>.<unix seconds>.<body>` with the decoded `whsec_` key, `v1a` ed25519 with a `whsk_` key. Every active
 *   secret signs.
 * - `hookrail`: hex HMAC-SHA256 over `<unix seconds>.<delivery id>.<body>`, the key being the ASCII of the whole
 *   secret. Every active secret signs, the primary one last, because hookrail's own verifier takes the last.
 * - `pyfly`, `github`, `stripe`, `shopify`, `slack` and whatever is described as `hmac`: `verify/forms/hmac-form.ts`
 *   has the forms. Where the header has room for one signature it is the primary secret's.
 * - `none`: no signature.
 */
import { type KeyObject, sign } from 'node:crypto'
import { toCanonicalBody } from '../verify/forms/canonical-json.ts'
import { fillTemplate, type HmacForm, hmacForms, messageParts } from '../verify/forms/hmac-form.ts'
import { OuthookError } from './errors.ts'
import { toHeaderValue } from './header-value.ts'
import { HmacKey } from './hmac.ts'
import type { SigningScheme } from './signing-scheme.ts'
import type { PreparedSecret } from './signing-secrets.ts'

export interface SigningSecrets {
  /** All active ones, newest first. */
  readonly active: readonly PreparedSecret[]
  /** One of them: who signs where there is room for one. While a secret is rotated it is the old one until told otherwise. */
  readonly primary: PreparedSecret | undefined
}

export interface SigningInput {
  /** Goes out as `webhook-id`: the same on every retry and replay, so receivers can drop repetitions. */
  readonly eventId: string
  readonly deliveryId: string
  readonly topic: string | null
  /** Of this attempt, whole seconds since the epoch. */
  readonly timestampSeconds: number
  readonly body: Uint8Array
  readonly secrets: SigningSecrets
}

export interface SignedRequest {
  /** What the schemes add, names in lower case. */
  readonly headers: Record<string, string>
  /** What was signed and has to be sent: a scheme may sign a form of its own instead of the bytes that it was given. */
  readonly body: Uint8Array
}

/**
 * One attempt as the schemes want it.
 *
 * @example
 * const secrets = { active: [secret], primary: secret }
 * signRequest(['standard'], { eventId, deliveryId, topic, timestampSeconds, body, secrets })
 * // headers: { 'webhook-id': 'evt_…', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9S…' }
 */
export function signRequest(schemes: readonly SigningScheme[], input: SigningInput): SignedRequest {
  const headers: Record<string, string> = {}
  const signed = schemes.includes('pyfly')
    ? { ...input, body: toCanonicalBody(input.body) ?? input.body }
    : input
  for (const scheme of schemes) {
    if (typeof scheme === 'object') {
      addFormHeaders(headers, signed, scheme)
      continue
    }
    switch (scheme) {
      case 'standard':
        addStandardHeaders(headers, signed)
        break
      case 'hookrail':
        addHookrailHeaders(headers, signed)
        break
      case 'pyfly':
      case 'github':
      case 'stripe':
      case 'shopify':
      case 'slack':
        addFormHeaders(headers, signed, hmacForms[scheme])
        break
      case 'none':
        break
    }
  }
  return { headers, body: signed.body }
}

function addStandardHeaders(headers: Record<string, string>, input: SigningInput): void {
  const { eventId, timestampSeconds, body } = input
  const head = `${eventId}.${timestampSeconds}.`
  let signatures = ''
  for (const { standardKey: key } of activeSecrets(input)) {
    if (signatures !== '') signatures += ' '
    signatures +=
      key instanceof HmacKey
        ? `v1,${key.sign(head, body, 'base64')}`
        : `v1a,${sign(null, Buffer.concat([Buffer.from(head), body]), key as KeyObject).toString('base64')}`
  }
  headers['webhook-id'] = eventId
  headers['webhook-timestamp'] = String(timestampSeconds)
  headers['webhook-signature'] = signatures
}

function addHookrailHeaders(headers: Record<string, string>, input: SigningInput): void {
  const { eventId, deliveryId, topic, timestampSeconds, body } = input
  const head = `${timestampSeconds}.${deliveryId}.`
  let signature = `t=${timestampSeconds}`
  for (const secret of primaryLast(input)) signature += `,v1=${secret.textKey.sign(head, body, 'hex')}`
  headers['hookrail-event-id'] = eventId
  headers['hookrail-delivery-id'] = deliveryId
  if (topic !== null) headers['hookrail-topic'] = toHeaderValue(topic)
  headers['hookrail-signature'] = signature
}

function addFormHeaders(headers: Record<string, string>, input: SigningInput, form: HmacForm): void {
  const values = { id: input.eventId, timestamp: String(input.timestampSeconds) }
  const { head, tail } = messageParts(form)
  const before = fillTemplate(head, values)
  const body = tail === '' ? input.body : Buffer.concat([input.body, Buffer.from(fillTemplate(tail, values))])
  const signatures = (form.next === null ? [primarySecret(input)] : activeSecrets(input)).map(({ textKey }) =>
    textKey.sign(before, body, form.encoding),
  )
  for (const name in form.headers) headers[name] = fillTemplate(form.headers[name] ?? '', values)
  headers[form.header] = fillTemplate(form.prefix, values) + signatures.join(form.next ?? '')
}

function activeSecrets({ secrets }: SigningInput): readonly PreparedSecret[] {
  if (secrets.active.length > 0) return secrets.active
  throw noSecret()
}

function primarySecret({ secrets }: SigningInput): PreparedSecret {
  if (secrets.primary !== undefined) return secrets.primary
  throw noSecret()
}

function primaryLast(input: SigningInput): readonly PreparedSecret[] {
  const active = activeSecrets(input)
  const primary = primarySecret(input)
  return active.length === 1 ? active : [...active.filter((secret) => secret !== primary), primary]
}

function noSecret(): OuthookError {
  return new OuthookError('internal', 'the endpoint has no active secret to sign with; rotate its secret')
}
