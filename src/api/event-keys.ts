/**
 * The idempotency key and the ordering key of one event. Either may come as a header or as a member of the body; a
 * producer that sends both has to mean the same, because a key that were ignored would double its events.
 */
import type { IncomingMessage } from 'node:http'
import { OuthookError } from '../core/errors.ts'
import { fromHeaderValue } from '../core/header-value.ts'
import { effectiveOrderingKey, hookrailOrderingHeader, orderingKeyConflict } from '../core/idempotency.ts'

const idempotencyHeader = 'idempotency-key'
/** Our own name first; the other one is what hookrail's clients send. */
const orderingHeaders = ['Outhook-Ordering-Key', hookrailOrderingHeader].map((name) => ({
  name,
  lower: name.toLowerCase(),
}))

type Members = Readonly<Record<string, unknown>>

/** Null when neither header nor body has one. */
export function idempotencyKeyOf(request: IncomingMessage, members: Members): string | null {
  const inHeader = headerText(request, idempotencyHeader)
  const inBody = idempotencyMember(members.idempotency_key, 'idempotency_key')
  if (inHeader !== null && inBody !== null && inHeader !== inBody) {
    throw new OuthookError(
      'invalid_request',
      'the header Idempotency-Key and the body’s idempotency_key differ; give one of them, or the same text twice',
    )
  }
  return inHeader ?? inBody
}

/** Null when neither header, body nor payload has one. */
export function orderingKeyOf(request: IncomingMessage, members: Members): string | null {
  const inBody = textMember(members.ordering_key, 'ordering_key')
  let first: NamedKey | null = null
  for (const { name, lower } of orderingHeaders) first = join(first, name, headerText(request, lower))
  first = join(first, 'ordering_key', inBody)
  return effectiveOrderingKey(first?.key, members.payload, first?.name ?? 'ordering_key')
}

interface NamedKey {
  readonly name: string
  readonly key: string
}

function join(first: NamedKey | null, name: string, key: string | null): NamedKey | null {
  if (key === null) return first
  if (first !== null && first.key !== key) throw orderingKeyConflict(first.name, name)
  return first ?? { name, key }
}

/** One key for many events says of none of them what it is for. */
export function refuseKeyHeaders(request: IncomingMessage): void {
  for (const [header, member] of [
    [idempotencyHeader, 'idempotency_key'] as const,
    ...orderingHeaders.map(({ lower }) => [lower, 'ordering_key'] as const),
  ]) {
    if (headerText(request, header) === null) continue
    throw new OuthookError(
      'invalid_request',
      `the header ${header} is one event's; in a batch give each event its own ${member}`,
    )
  }
}

const otherSpellings = Object.entries({
  idempotencyKey: 'idempotency_key',
  'idempotency-key': 'idempotency_key',
  'Idempotency-Key': 'idempotency_key',
  orderingKey: 'ordering_key',
  'ordering-key': 'ordering_key',
})

/** Unknown members of an event are ignored, but not those that mean to be a key. */
export function refuseMisspelledKeys(members: Members): void {
  for (const [spelling, name] of otherSpellings) {
    if (Object.hasOwn(members, spelling)) {
      throw new OuthookError('invalid_body', `${spelling} is not known; the member is ${name}`)
    }
  }
}

/** Null when absent. Empty is a key, and refused as one: a variable that was not set must not publish twice. */
export function idempotencyMember(value: unknown, path: string): string | null {
  return value === '' ? '' : textMember(value, path)
}

/** Null when absent or empty. */
export function textMember(value: unknown, path: string): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string') return value
  throw new OuthookError('invalid_body', `${path} must be a string`)
}

/** Null when absent or empty. Twice is refused: which of the two was meant nobody can say. */
function headerText(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  if (typeof value !== 'string' || value === '') return null
  if (value.includes(',') && (request.headersDistinct[name]?.length ?? 1) > 1) {
    throw new OuthookError('invalid_request', `the header ${name} is given more than once; give it once`)
  }
  const text = fromHeaderValue(value)
  if (text !== null) return text
  throw new OuthookError('invalid_request', `the header ${name} is not UTF-8; send its text encoded as UTF-8`)
}
