import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { effectiveOrderingKey, idempotencyHash, validateIdempotencyKey } from '../../src/core/idempotency.ts'

const payload = Buffer.from('{"a":1}')
const hex = (...args: Parameters<typeof idempotencyHash>) =>
  Buffer.from(idempotencyHash(...args)).toString('hex')

describe('idempotencyHash', () => {
  it('is SHA-256 over topic, NUL, payload, NUL, ordering key', () => {
    const expected = createHash('sha256').update('orders.created\0{"a":1}\0k').digest('hex')
    expect(hex('orders.created', payload, 'k')).toBe(expected)
  })

  it('changes with each of the three, and with a space inside the payload', () => {
    const hashes = [
      hex('t', payload, null),
      hex('u', payload, null),
      hex('t', Buffer.from('{"a": 1}'), null),
      hex('t', payload, 'k'),
    ]
    expect(new Set(hashes).size).toBe(4)
  })
})

describe('effectiveOrderingKey', () => {
  it.each<[string, string | null | undefined, unknown, string | null]>([
    ['neither', null, { a: 1 }, null],
    ['no header at all', undefined, { a: 1 }, null],
    ['the header', 'k', { a: 1 }, 'k'],
    ['the payload', null, { ordering_key: 'k' }, 'k'],
    ['both alike', 'k', { ordering_key: 'k' }, 'k'],
    ['an empty header', '', { ordering_key: 'k' }, 'k'],
    ['an empty member', 'k', { ordering_key: '' }, 'k'],
    ['both empty', '', { ordering_key: '' }, null],
    ['a member that is no text', 'k', { ordering_key: 5 }, 'k'],
    ['a payload that is a list', null, [{ ordering_key: 'k' }], null],
    ['a payload that is null', null, null, null],
    ['a payload that is text', null, 'ordering_key', null],
    ['256 bytes', 'é'.repeat(128), {}, 'é'.repeat(128)],
  ])('with %s', (_name, given, value, expected) => {
    expect(effectiveOrderingKey(given, value, 'X-Hookrail-Ordering-Key')).toBe(expected)
  })

  it('refuses two that differ', () => {
    expect(() => effectiveOrderingKey('a', { ordering_key: 'b' }, 'X-Hookrail-Ordering-Key')).toThrow(
      expect.objectContaining({
        status: 400,
        title: 'ordering_key conflict',
        message: 'X-Hookrail-Ordering-Key and body.ordering_key differ',
      }),
    )
  })

  it.each([
    ['header', 'k'.repeat(257), {}],
    ['header in bytes', 'é'.repeat(129), {}],
  ])('refuses more than 256 bytes in the %s', (_name, given, value) => {
    expect(() => effectiveOrderingKey(given, value, 'X-Hookrail-Ordering-Key')).toThrow(
      expect.objectContaining({
        status: 400,
        title: 'ordering_key too long',
        message: 'ordering_key exceeds 256 characters',
      }),
    )
  })
})

describe('errors about ordering keys name them as their caller does', () => {
  it.each([
    ['orderingKey', 'a', { ordering_key: 'b' }, 'orderingKey and payload.ordering_key differ; give one'],
    ['Outhook-Ordering-Key', 'k'.repeat(257), {}, 'Outhook-Ordering-Key exceeds 256 bytes; give a shorter'],
    ['orderingKey', null, { ordering_key: 'k'.repeat(257) }, 'payload.ordering_key exceeds 256 bytes'],
  ])('%s', (name, given, value, message) => {
    expect(() => effectiveOrderingKey(given, value, name)).toThrow(
      expect.objectContaining({ status: 400, message: expect.stringContaining(message) }),
    )
  })
})

describe('validateIdempotencyKey', () => {
  it.each(['a', 'k'.repeat(255), 'order 5', 'ключ', '0b4f5c1e-7a2d-4f7e-9d55-1d6a5a3f9e10'])(
    'accepts %j',
    (key) => {
      expect(validateIdempotencyKey(key)).toBe(key)
    },
  )

  it.each(['', 'k'.repeat(256), 'é'.repeat(128), 'a\nb', 'a\u0000', '\u007f', '\ud800', 5, null, undefined])(
    'refuses %j',
    (key) => {
      expect(() => validateIdempotencyKey(key)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    },
  )
})
