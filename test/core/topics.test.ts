import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkTopic,
  checkTopicPatterns,
  compileTopicPatterns,
  topicMatches,
  topicProblem,
} from '../../src/core/topics.ts'

describe('S1.12 topicMatches', () => {
  it.each([
    ['*', 'orders', true],
    ['*', 'orders.created', true],
    ['orders.*', 'orders.a', true],
    ['orders.*', 'orders.a.b', true],
    ['orders.*', 'orders', false],
    ['orders.*', 'orders2.a', false],
    ['a.b.*', 'a.b.c', true],
    ['a.b.*', 'a.c', false],
    ['a', 'a', true],
    ['a', 'a.b', false],
    ['a', 'A', false],
    ['ord*', 'orders', false],
    ['ord*', 'ord*', true],
    ['a.*.b', 'a.x.b', false],
    ['a.*.b', 'a.*.b', true],
    ['*.b', 'a.b', false],
    ['**', 'a', false],
    ['a?', 'ab', false],
    ['', 'a', false],
    ['', '', false],
    ['*', 'endpoint.disabled', false],
    ['endpoint.*', 'endpoint.recovered', false],
    ['delivery.*', 'delivery.failing', false],
    ['delivery.*', 'delivery.shipped', true],
    ['delivery.dead_lettered', 'delivery.dead_lettered', true],
  ])('pattern %j and topic %j: %s', (pattern, topic, expected) => {
    expect(topicMatches(pattern, topic)).toBe(expected)
  })
})

describe('compileTopicPatterns', () => {
  const segment = fc.constantFrom('a', 'b', 'ab', '*', 'c*', '')
  const dotted = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))
  const pattern = fc.oneof(
    dotted,
    dotted.map((text) => `${text}.*`),
    fc.constant('*'),
  )

  it('finds exactly what testing every pattern finds, each value once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(pattern, { maxLength: 4 }), { maxLength: 12 }),
        dotted,
        (lists, topic) => {
          const index = compileTopicPatterns(lists.map((patterns, value) => ({ patterns, value })))
          const naive = lists.flatMap((patterns, value) =>
            patterns.some((one) => topicMatches(one, topic)) ? [value] : [],
          )
          expect(index.match(topic).sort((a, b) => a - b)).toEqual(naive)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('gives a fresh list on every call', () => {
    const index = compileTopicPatterns([{ patterns: ['*'], value: 1 }])
    index.match('a').push(2)
    expect(index.match('a')).toEqual([1])
  })

  it('matches nothing when it is empty', () => {
    expect(compileTopicPatterns([]).match('a.b')).toEqual([])
    expect(compileTopicPatterns([]).size).toBe(0)
  })
})

describe('checking topics', () => {
  it.each(['a', 'orders.created', 'ünïcode', 'a'.repeat(255), 'a..b', '.'])('accepts %j', (topic) => {
    expect(checkTopic(topic)).toBe(topic)
  })

  it.each([
    ['', 'empty'],
    ['a b', 'spaces'],
    ['a\tb', 'control'],
    ['a\nb', 'control'],
    ['a\u0000', 'control'],
    ['a\u007f', 'control'],
    ['a'.repeat(256), '255 bytes'],
    ['é'.repeat(128), '255 bytes'],
    ['a\ud800', 'Unicode'],
    ['tp.*', 'must not hold "*"'],
    ['*', 'must not hold "*"'],
    ['x*y', 'must not hold "*"'],
  ])('refuses %j', (topic, reason) => {
    expect(topicProblem(topic)).toContain(reason)
    expect(() => checkTopic(topic)).toThrow(expect.objectContaining({ code: 'invalid_body' }))
  })

  it('refuses what is not text', () => {
    for (const topic of [undefined, null, 1, {}, ['a']])
      expect(() => checkTopic(topic)).toThrow(/must be a string/)
  })
})

describe('checking patterns', () => {
  it('drops repeated patterns and keeps the order', () => {
    expect(checkTopicPatterns(['b', '*', 'b', 'a.*'])).toEqual(['b', '*', 'a.*'])
  })

  it.each(['a', '*', 'a.*', 'a.b.*', 'ü.*', `${'a'.repeat(253)}.*`, 'a'.repeat(255), '..*'])(
    'accepts %j, which a topic can match',
    (pattern) => {
      expect(checkTopicPatterns([pattern])).toEqual([pattern])
    },
  )

  it.each(['**', '*.created', 'a.*.b', '*.*', 'a.**', 'ord*', '*a', 'a*.b', 'a.*.*', '.*', '*.'])(
    'refuses %j, which no topic can match, and says what a pattern is',
    (pattern) => {
      expect(() => checkTopicPatterns(['a', pattern], 'topics')).toThrow(
        expect.objectContaining({
          code: 'unprocessable',
          message:
            'topics[1] can never match; a pattern is a topic such as "orders.created", "orders.*" for all below orders, or "*" for all',
        }),
      )
    },
  )

  it('accepts no pattern that no topic matches', () => {
    const part = fc.constantFrom('a', '*', '.', 'ü')
    const pattern = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(pattern, (text) => {
        let accepted = true
        try {
          checkTopicPatterns([text])
        } catch {
          accepted = false
        }
        const topic = text.replace(/\*$/, 'x')
        expect(accepted).toBe(topicProblem(topic) === null && topicMatches(text, topic) && text !== '.*')
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['nothing', undefined, 'topics must be a list'],
    ['text', 'a', 'topics must be a list'],
    ['an empty list', [], 'topics must be a list'],
    ['too many', Array.from({ length: 101 }, (_, i) => `t${i}`), '1 to 100'],
    ['a number', ['a', 5], 'topics[1] must be a string'],
    ['an empty pattern', [''], 'topics[0] must not be empty'],
    ['a prefix that leaves no room', [`${'a'.repeat(254)}.*`], 'topics[0] must be at most 255 bytes'],
    ['a space', ['a', 'b', 'c d'], 'topics[2] must not hold spaces'],
  ])('refuses %s', (_name, patterns, message) => {
    expect(() => checkTopicPatterns(patterns, 'topics')).toThrow(
      expect.objectContaining({ code: 'unprocessable', message: expect.stringContaining(message) }),
    )
  })
})
