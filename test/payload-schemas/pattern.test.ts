import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Pattern, PatternRefused } from '../../src/payload-schemas/pattern.ts'

const unpaid = { spend: () => {} }

const patterns = [
  '^a$',
  'a|b',
  '^(a+)+$',
  '^[a-z0-9._%+-]+@[a-z0-9.-]+\\.[a-z]{2,}$',
  '\\d{3,5}',
  '^(?:x|yz)*?q$',
  '(?<n>ab)+c',
  '\\u{1F600}',
  '\\uD83D\\uDE00',
  '^.$',
  '\\p{Lu}\\b',
  '[^\\]a]',
  '^\\S+$',
  '',
  '^$',
  '()*x',
  '(|a)*b',
  '(a|)+$',
  '^(?:a{2}){3}$',
  'x{0}y',
  '\\x41',
  '\\cA',
  '[\\b]',
  '^\\/v1\\/',
  'a\\{,3\\}',
  '\\Bb',
  '(((){9}){9}){9}a',
]
const texts = [
  '',
  'a',
  'b',
  'ab',
  'aaa',
  'abc',
  'aaaaaa',
  'x',
  'y',
  'xxyzq',
  'q',
  'me@x.example',
  '123',
  '12',
  '😀',
  'A',
  '\n',
  'é',
  'É ',
  ']',
  'ABab',
  'abab c',
  'ababc',
  '/v1/',
  'a{,3}',
  '\u0001',
  '\b',
  'ax',
  'yz',
  '  ',
  '\ud83d',
]

describe('a pattern of a schema', () => {
  test.each(patterns)('/%s/ matches what the engine of JavaScript says', (source) => {
    const [ours, theirs] = [new Pattern(source, unpaid), new RegExp(source, 'u')]
    for (const text of texts) expect([text, ours.test(text)]).toEqual([text, theirs.test(text)])
  })

  test('matches what the engine of JavaScript says, of any parts and any text', () => {
    const part = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '^', '$', '\\b', '(?:a|bb)', '(a|)')
    const sign = fc.constantFrom('', '*', '+', '?', '{2}', '{1,3}', '{0,}', '*?')
    const piece = fc
      .tuple(part, sign)
      .map(([one, repeat]) => (/^(?:\^|\$|\\b)$/.test(one) ? one : one + repeat))
    const source = fc.array(
      fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join('')),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '😀'), maxLength: 8 })
    fc.assert(
      fc.property(source, text, (ways, given) => {
        const written = ways.join('|')
        expect(new Pattern(written, unpaid).test(given)).toBe(new RegExp(written, 'u').test(given))
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['(?=a)', 'looks ahead or behind'],
    ['(?!a)', 'looks ahead or behind'],
    ['(?<=a)b', 'looks ahead or behind'],
    ['(?<!b)a', 'looks ahead or behind'],
    ['(a)\\1', 'refers back'],
    ['(?<x>a)\\k<x>', 'refers back'],
    ['((a{500}){500}){500}', 'repeats too much'],
    ['a{3000}', 'repeats too much'],
    ['(', 'no regular expression'],
    ['a'.repeat(1001), 'longer than 1000 characters'],
  ])('/%s/ is refused: %s', (source, problem) => {
    expect(() => new Pattern(source, unpaid)).toThrow(PatternRefused)
    expect(() => new Pattern(source, unpaid)).toThrow(problem)
  })

  test.each(['^(a+)+$', '^(a|a)*$', '^(a*)*$', '(.*a){20}', '^(a?){30}a{30}$'])(
    '/%s/ takes steps that grow with the text and not with its ways',
    (source) => {
      let steps = 0
      const pattern = new Pattern(source, {
        spend: (units) => {
          steps += units
        },
      })
      const stepsFor = (length: number): number => {
        steps = 0
        pattern.test(`${'a'.repeat(length)}b`)
        return steps
      }
      const short = stepsFor(500)
      expect(stepsFor(5000)).toBeLessThan(short * 11)
    },
  )
})
