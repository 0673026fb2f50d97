import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHeaderValue, toHeaderValue } from '../../src/core/header-value.ts'

describe('text in headers', () => {
  it('becomes one character per byte of its UTF-8', () => {
    expect(toHeaderValue('plain')).toBe('plain')
    expect(toHeaderValue('é')).toBe('\u00c3\u00a9')
  })

  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(toHeaderValue(text)).toMatch(/^[\0-\xff]*$/)
        expect(fromHeaderValue(toHeaderValue(text))).toBe(text)
      }),
    )
  })
})
