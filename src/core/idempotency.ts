/** What makes two publishes the same one, and the keys that callers name them by. */
import { createHash } from 'node:crypto'
import { OuthookError } from './errors.ts'
import { limits } from './model.ts'
import { checkText, textProblem } from './text.ts'

const separator = '\0'

/** Of keys that Outhook makes itself, apart from those of publishers: no producer key has one of these as its id. */
export const ownKeyScopes = { outboxRow: 'outbox', operational: 'outhook' } as const

/** Whether it is of a key that the publisher gave. */
export function isPublishersKey({ scope }: { readonly scope: string }): boolean {
  return scope !== ownKeyScopes.outboxRow && scope !== ownKeyScopes.operational
}

/**
 * SHA-256 over topic, NUL, the exact payload bytes, NUL, ordering key: 32 bytes. The same key with another hash is
 * a conflict. The envelope's own spacing and member order do not count; each byte of the payload does.
 */
export function idempotencyHash(topic: string, payload: Uint8Array, orderingKey: string | null): Uint8Array {
  return createHash('sha256')
    .update(topic + separator)
    .update(payload)
    .update(separator + (orderingKey ?? ''))
    .digest()
}

/** Of a direct send, over what it asks for and the exact payload bytes. No topic has a space, so no event has the same. */
export function sendHash(asked: string, payload: Uint8Array): Uint8Array {
  return createHash('sha256').update(`direct send ${asked}${separator}`).update(payload).digest()
}

/**
 * The event's ordering key: the caller's own (over HTTP a header, as text: see `fromHeaderValue`) or the text member
 * `ordering_key` of an object payload. Empty means none. `name` is what the caller's own is called where it came from.
 * Throws `invalid_request` for what is no text, `ordering_key_conflict` when both are there and differ,
 * `ordering_key_too_long` beyond 256 bytes.
 */
export function effectiveOrderingKey(
  given: string | null | undefined,
  payload: unknown,
  name: string,
): string | null {
  const inPayload = payloadOrderingKey(payload)
  checkText(given, name)
  checkText(inPayload, 'payload.ordering_key')
  if (given && inPayload && given !== inPayload) {
    throw orderingKeyConflict(name, 'payload.ordering_key')
  }
  const key = given || inPayload
  if (!key) return null
  if (Buffer.byteLength(key) > limits.maxOrderingKeyBytes) {
    throw orderingKeyTooLong(given ? name : 'payload.ordering_key')
  }
  return key
}

/** The name of hookrail's header. Its clients know errors about it word by word. */
export const hookrailOrderingHeader = 'X-Hookrail-Ordering-Key'

export function orderingKeyConflict(name: string, other: string): OuthookError {
  const message =
    name === hookrailOrderingHeader
      ? `${name} and body.ordering_key differ`
      : `${name} and ${other} differ; give one of them, or the same text twice`
  return new OuthookError('ordering_key_conflict', message)
}

function orderingKeyTooLong(name: string): OuthookError {
  const message =
    name === hookrailOrderingHeader
      ? 'ordering_key exceeds 256 characters'
      : `${name} exceeds ${limits.maxOrderingKeyBytes} bytes; give a shorter one, such as the id of the order`
  return new OuthookError('ordering_key_too_long', message)
}

function payloadOrderingKey(payload: unknown): string | null {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return null
  if (!Object.hasOwn(payload, 'ordering_key')) return null
  const key = (payload as { readonly ordering_key: unknown }).ordering_key
  return typeof key === 'string' ? key : null
}

/** Checks an idempotency key: 1 to 255 bytes of UTF-8 without control characters. Throws `invalid_request`. */
export function validateIdempotencyKey(key: unknown): string {
  const bytes = typeof key === 'string' ? Buffer.byteLength(key) : 0
  const printable = typeof key === 'string' && textProblem(key) === null
  if (printable && bytes >= 1 && bytes <= limits.maxIdempotencyKeyBytes) return key
  throw new OuthookError(
    'invalid_request',
    `the idempotency key must be 1 to ${limits.maxIdempotencyKeyBytes} bytes of printable text`,
  )
}
