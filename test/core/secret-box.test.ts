import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkMasterKey, createSecretBox, parseMasterKey } from '../../src/core/secret-box.ts'

const key = Buffer.alloc(32, 1)
const otherKey = Buffer.alloc(32, 2)
const aBox = (masterKey: Uint8Array = key) => createSecretBox(masterKey, randomBytes)

describe('a secret box', () => {
  it('opens what it sealed, for any text', () => {
    const box = aBox()
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
        expect(box.open(box.seal(text, context), context)).toBe(text)
      }),
    )
  })

  it('opens a view into a larger buffer', () => {
    const box = aBox()
    const larger = Buffer.concat([Buffer.from('before'), box.seal('whsec_x', 'sec_1'), Buffer.from('after')])
    expect(box.open(larger.subarray(6, larger.length - 5), 'sec_1')).toBe('whsec_x')
  })

  it('never holds the secret in clear and never seals alike twice', () => {
    const box = aBox()
    const [first, second] = [box.seal('whsec_clear', 'c'), box.seal('whsec_clear', 'c')]
    expect(Buffer.from(first).includes('clear')).toBe(false)
    expect(Buffer.from(first).equals(second)).toBe(false)
  })

  it('keeps its layout: version, fingerprint, nonce, tag, ciphertext', () => {
    const box = createSecretBox(key, (size) => Buffer.alloc(size, 9))
    const sealed = Buffer.from(box.seal('hello', 'c'))
    expect(sealed[0]).toBe(1)
    expect(sealed.subarray(1, 5).toString('hex')).toBe(box.fingerprint)
    expect(sealed.subarray(5, 17)).toEqual(Buffer.alloc(12, 9))
    expect(sealed.length).toBe(1 + 4 + 12 + 16 + 5)
    // Stores hold values of this layout: a change here must go with a new version byte.
    expect(sealed.toString('hex')).toMatchInlineSnapshot(
      `"0103f170ea090909090909090909090909ffcd53fab7e3dd8630844994a5456fcaac6a4ba2a1"`,
    )
  })

  it('notices a change of any single bit', () => {
    const box = aBox()
    const sealed = box.seal('whsec_secret', 'sec_1')
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(() => box.open(changed, 'sec_1')).toThrow()
    }
  })

  it('does not open a value that was moved elsewhere or cut short', () => {
    const box = aBox()
    const sealed = box.seal('whsec_secret', 'sec_1')
    expect(() => box.open(sealed, 'sec_2')).toThrow(expect.objectContaining({ code: 'internal' }))
    for (const length of [0, 1, 32, sealed.length - 1]) {
      expect(() => box.open(sealed.subarray(0, length), 'sec_1')).toThrow(
        expect.objectContaining({ code: 'internal' }),
      )
    }
  })

  it('names both fingerprints when the value was sealed under another key', () => {
    const sealed = aBox(otherKey).seal('x', 'c')
    expect(() => aBox().open(sealed, 'c')).toThrow(
      expect.objectContaining({
        code: 'wrong_master_key',
        message: expect.stringMatching(new RegExp(`${aBox(otherKey).fingerprint}.*${aBox().fingerprint}`)),
      }),
    )
  })
})

describe('the check value', () => {
  it('lets the same key start', () => {
    expect(() => checkMasterKey(aBox(), aBox().checkValue)).not.toThrow()
  })

  it('stops another key, with both fingerprints', () => {
    expect(() => checkMasterKey(aBox(), aBox(otherKey).checkValue)).toThrow(
      expect.objectContaining({
        code: 'wrong_master_key',
        message: expect.stringMatching(new RegExp(`${aBox(otherKey).fingerprint}.*${aBox().fingerprint}`)),
      }),
    )
  })

  it('is more than the fingerprint', () => {
    const { fingerprint, checkValue } = aBox()
    expect(fingerprint).toMatch(/^[0-9a-f]{8}$/)
    expect(() => checkMasterKey(aBox(), `${fingerprint}.${'0'.repeat(64)}`)).toThrow()
    expect(checkValue).not.toContain(key.toString('hex'))
  })
})

describe('parseMasterKey', () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index))

  it.each([
    ['hex', bytes.toString('hex')],
    ['upper-case hex', bytes.toString('hex').toUpperCase()],
    ['base64', bytes.toString('base64')],
    ['base64url', bytes.toString('base64url')],
    ['a line of a file', `${bytes.toString('hex')}\n`],
  ])('reads %s', (_name, text) => {
    expect(Buffer.from(parseMasterKey(text)).equals(bytes)).toBe(true)
  })

  it.each([
    ['nothing', ''],
    ['hex of 31 bytes', 'ab'.repeat(31)],
    ['hex of 33 bytes', 'ab'.repeat(33)],
    ['base64 of 31 bytes', Buffer.alloc(31, 5).toString('base64')],
    ['base64 of 33 bytes', Buffer.alloc(33, 5).toString('base64')],
    ['a pass phrase', 'correct horse battery staple'],
  ])('refuses %s, says what to give and does not repeat it', (_name, text) => {
    try {
      parseMasterKey(text)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid_config' })
      expect((error as Error).message).toContain('64 hex digits')
      if (text !== '') expect((error as Error).message).not.toContain(text)
    }
  })

  it('is the only size a box takes', () => {
    expect(() => createSecretBox(new Uint8Array(16), randomBytes)).toThrow(/16 bytes/)
  })
})
