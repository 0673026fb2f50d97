/**
 * The idempotency key and the ordering key of one event. Either may come as a header or as a member of the body; a
 * producer that sends both has to mean the same, because a key that were ignored would double its events.
 */
import type { FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { fromHeaderValue } from '../core/header-value.ts'
import { effectiveOrderingKey, hookrailOrderingHeader, orderingKeyConflict } from '../core/idempotency.ts'

const idempotencyHeader = 'idempotency-key'
/** Our own name first; the other one is what hookrail's clients send. */
const orderingHeaders: readonly string[] = ['Outhook-Ordering-Key', hookrailOrderingHeader]

type Members = Readonly<Record<string, unknown>>

/** Null when neither header nor body has one. */
export function idempotencyKeyOf(request: FastifyRequest, members: Members): string | null {
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
export function orderingKeyOf(request: FastifyRequest, members: Members): string | null {
  const inBody = textMember(members.ordering_key, 'ordering_key')
  const given = orderingHeaders
    .map((name) => ({ name, key: headerText(request, name.toLowerCase()) }))
    .concat({ name: 'ordering_key', key: inBody })
    .filter(({ key }) => key !== null)
  const [first] = given
  const other = given.find(({ key }) => key !== first?.key)
  if (first !== undefined && other !== undefined) throw orderingKeyConflict(first.name, other.name)
  return effectiveOrderingKey(first?.key, members.payload, first?.name ?? 'ordering_key')
}

/** One key for many events says of none of them what it is for. */
export function refuseKeyHeaders(request: FastifyRequest): void {
  for (const [header, member] of [
    [idempotencyHeader, 'idempotency_key'] as const,
    ...orderingHeaders.map((name) => [name.toLowerCase(), 'ordering_key'] as const),
  ]) {
    if (headerText(request, header) === null) continue
    throw new OuthookError(
      'invalid_request',
      `the header ${header} is one event's; in a batch give each event its own ${member}`,
    )
  }
}

const otherSpellings: Readonly<Record<string, string>> = {
  idempotencyKey: 'idempotency_key',
  'idempotency-key': 'idempotency_key',
  'Idempotency-Key': 'idempotency_key',
  orderingKey: 'ordering_key',
  'ordering-key': 'ordering_key',
}

/** Unknown members of an event are ignored, but not those that mean to be a key. */
export function refuseMisspelledKeys(members: Members): void {
  for (const [spelling, name] of Object.entries(otherSpellings)) {
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
function headerText(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name]
  if (typeof value !== 'string' || value === '') return null
  if (value.includes(',') && (request.raw.headersDistinct[name]?.length ?? 1) > 1) {
    throw new OuthookError('invalid_request', `the header ${name} is given more than once; give it once`)
  }
  const text = fromHeaderValue(value)
  if (text !== null) return text
  throw new OuthookError('invalid_request', `the header ${name} is not UTF-8; send its text encoded as UTF-8`)
}
