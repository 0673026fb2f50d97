/** The chunked coding, by RFC 9112, 7.1, however the network cuts it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChunkedBody } from '../../src/sender/chunked-body.ts'

/** In pieces of `size` bytes. */
function decode(text: string, size: number) {
  const body = new ChunkedBody()
  let data = ''
  let rest = ''
  for (let at = 0; at < text.length; at += size) {
    const piece = Buffer.from(text.slice(at, at + size), 'latin1')
    rest += body.push(piece, (some) => (data += some.toString('latin1'))).toString('latin1')
  }
  return { state: body.state, data, rest }
}

const sizes = [1, 2, 3, 1000]

test.each([
  ['3\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['3\r\nabc\r\n00002\r\nde\r\n000\r\n\r\n', 'abcde'],
  ['A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
  ['a;name=value\r\n0123456789\r\n0;last\r\n\r\n', '0123456789'],
  ['3 \t;a="\r"\r\nabc\r\n0 \r\n\r\n', 'abc'],
  ['3;\r\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['2\r\n\r\n\r\n0\r\n\r\n', '\r\n'],
  ['1\r\na\r\n0\r\nx-sum: 1\r\ny : 2\r\n\r\n', 'a'],
])('%j is whole', (text, data) => {
  for (const size of sizes) {
    expect(decode(text, size), `in pieces of ${size}`).toEqual({ state: 'done', data, rest: '' })
    expect(decode(`${text}HTTP`, size)).toMatchObject({ state: 'done', data, rest: 'HTTP' })
  }
})

test.each([
  '\r\n',
  ';a\r\n',
  ' 3\r\nabc\r\n',
  'g\r\n',
  '-1\r\na\r\n',
  '0x1\r\na\r\n',
  '3\nabc\r\n',
  '3;a\nabc\r\n',
  '3\rabc',
  '3 4\r\nabc\r\n',
  '3\r\nabcd\r\n',
  '3\r\nabc\n0\r\n\r\n',
  '10000000000000\r\n',
  '0\r\nno colon\r\n\r\n',
  '0\r\na: b\n\r\n',
])('%j is broken', (text) => {
  for (const size of sizes) expect(decode(text, size).state, `in pieces of ${size}`).toBe('broken')
})

test.each([
  ['chunks of a byte', `${'1\r\nx\r\n'.repeat(4096)}1\r\nx\r\n0\r\n\r\n`],
  ['trailers', `0\r\n${'a: b\r\n'.repeat(3000)}\r\n`],
])('too many %s are a flood', (_what, text) => {
  for (const size of [7, 1000]) expect(decode(text, size).state, `in pieces of ${size}`).toBe('flood')
})

test('4096 chunks are none', () => {
  expect(decode(`${'1\r\nx\r\n'.repeat(4096)}0\r\n\r\n`, 1000)).toMatchObject({ state: 'done' })
})

test('what is encoded comes back, in chunks and pieces of any size', () => {
  const scene = fc.record({
    chunks: fc.array(fc.string({ minLength: 1, maxLength: 40, unit: 'binary-ascii' }), { maxLength: 20 }),
    size: fc.integer({ min: 1, max: 64 }),
  })
  fc.assert(
    fc.property(scene, ({ chunks, size }) => {
      const text = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
      const decoded = decode(`${text}0\r\n\r\n`, size)
      expect(decoded).toEqual({ state: 'done', data: chunks.join(''), rest: '' })
    }),
  )
})
