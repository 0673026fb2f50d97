import { describe, expect, it } from 'vitest'
import { parseMetadata } from '../../src/core/metadata.ts'

const entries = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, 'x']))

describe('parseMetadata', () => {
  it.each([undefined, null, {}])('is null for %j', (value) => {
    expect(parseMetadata(value)).toBeNull()
  })

  it('keeps up to 16 short strings', () => {
    expect(parseMetadata(entries(16))).toEqual(entries(16))
    const atBounds = { [`${'n'.repeat(60)}_-09`]: 'é'.repeat(128), empty: '' }
    expect(parseMetadata(atBounds)).toEqual(atBounds)
  })

  it.each<[string, unknown, string]>([
    ['a list', ['a'], 'metadata must be an object'],
    ['a Map', new Map([['a', 'b']]), 'metadata must be an object'],
    ['text', 'a', 'metadata must be an object'],
    ['17 members', entries(17), 'metadata has 17 members; at most 16'],
    ['a number', { a: 5 }, 'metadata.a must be a string'],
    ['null', { a: null }, 'metadata.a must be a string'],
    ['a nested object', { a: {} }, 'metadata.a must be a string'],
    ['257 bytes', { a: `${'é'.repeat(128)}x` }, 'metadata.a must be at most 256 bytes'],
    ['a line break', { a: 'x\r\ny' }, 'metadata.a must not hold control characters'],
    ['a NUL', { a: '\0' }, 'metadata.a must not hold control characters'],
    ['half a surrogate pair', { a: '\udc00' }, 'metadata.a must be well-formed Unicode'],
    ['a space at the end', { a: 'x ' }, 'metadata.a must not begin or end with a space'],
    ['an upper-case name', { Name: 'x' }, 'metadata has the name "Name"'],
    ['an empty name', { '': 'x' }, 'metadata has the name ""'],
    ['a name with a dot', { 'a.b': 'x' }, 'metadata has the name "a.b"'],
    ['a name with a line break', { 'a\n': 'x' }, 'metadata has the name "a\\n"'],
    ['a name of 65', { ['n'.repeat(65)]: 'x' }, 'names are 1 to 64'],
  ])('refuses %s', (_name, value, message) => {
    expect(() => parseMetadata(value)).toThrow(
      expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(message) }),
    )
  })
})
