import { createHmac, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { HmacKey } from '../../src/core/hmac.ts'

/** RFC 4231, 4.2 to 4.8: key, data, HMAC-SHA-256. */
const vectors = [
  ['0b'.repeat(20), '4869205468657265', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    '4a656665',
    '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  ['aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    'aa'.repeat(131),
    Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
] as const

describe('HmacKey', () => {
  it.each(vectors)('signs as RFC 4231 has it, key %s', (key, data, expected) => {
    const body = Buffer.from(data, 'hex')
    expect(new HmacKey(Buffer.from(key, 'hex')).sign('', body, 'hex')).toBe(expected)
  })

  it.each([0, 1, 63, 64, 65, 500, 16_300, 16_384, 20_000, 300_000])(
    'signs a head and %i bytes like node:crypto, one signature after the other',
    (length) => {
      const secret = randomBytes(32)
      const key = new HmacKey(secret)
      for (const head of ['evt_1.1700000000.', '', 'Ü€😀.']) {
        const body = randomBytes(length)
        const expected = createHmac('sha256', secret).update(head).update(body).digest('base64')
        expect(key.sign(head, body, 'base64')).toBe(expected)
      }
    },
  )
})
