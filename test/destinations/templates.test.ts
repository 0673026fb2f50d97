/** Templates of messages: what they show, what they refuse, and how they are cut. */
import { describe, expect, it } from 'vitest'
import { findValueAt } from '../../src/core/json-value-at.ts'
import { type Filling, fillTemplate } from '../../src/destinations/messages/fill-template.ts'
import { compileTemplate } from '../../src/destinations/messages/template.ts'

function aFilling(payload: string, given: Partial<Filling> = {}): Filling {
  return {
    id: 'dlv_1',
    eventId: 'evt_1',
    topic: 'a.b',
    metadata: null,
    payload: Buffer.from(payload),
    ...given,
  }
}

const fill = (template: string, payload: string, maxChars = 2000) =>
  fillTemplate(compileTemplate(template, 'template'), aFilling(payload), { maxChars })

describe('what a template shows', () => {
  it.each([
    ['{{topic}} {{ id }} {{delivery_id}}', '{}', 'a.b evt_1 dlv_1'],
    ['{{payload}}', ' {"a" : 1} ', '{"a" : 1}'],
    ['{{payload.a.b}}', '{"a":{"b":"x\\ny"}}', 'x\ny'],
    ['{{payload.a[1].b}}', '{"a":[0,{"b":true}]}', 'true'],
    ['{{payload.a.1.b}}', '{"a":[0,{"b":true}]}', 'true'],
    ['{{payload["odd \\"name"]}}', '{"odd \\"name":1}', '1'],
    ['{{payload.größe}}', '{"gr\\u00f6\\u00dfe":4}', '4'],
    ['{{payload.a}}', '{"a":1,"a":2}', '2'],
    ['{{payload.n}}', '{"n":12345678901234567890.10}', '12345678901234567890.10'],
    ['{{payload[0]}}', '[7]', '7'],
    ['{{payload}}', '"text"', 'text'],
    ['{{payload.a}} {{payload.a|none}}', '{"a":null}', 'null none'],
    ['{{payload.a}} {{payload.a| none }}', '{"a":"null"}', 'null null'],
    ['{{payload.a}}', '{}', '{{payload.a}}'],
    ['{{payload.a.b|-}}', '{"a":[1]}', '-'],
    ['{{payload.constructor|-}} {{payload.__proto__|-}}', '{}', '- -'],
    ['{{metadata.source|nobody}}', '{}', 'nobody'],
    ['a } b { c }} d', '{}', 'a } b { c }} d'],
    ['{{payload.a}}', '{"a":"{{topic}} \\u0000"}', '{{topic}} \ufffd'],
  ])('%s of %s', (template, payload, expected) => {
    expect(fill(template, payload)).toBe(expected)
  })

  it('an entry of the metadata, and nothing that it inherits', () => {
    const filling = aFilling('{}', { metadata: { source: 'shop' } })
    const template = compileTemplate('{{metadata.source}} {{metadata.toString|-}}', 'template')
    expect(fillTemplate(template, filling, { maxChars: 100 })).toBe('shop -')
  })
})

describe('what is too long', () => {
  const a = (count: number) => JSON.stringify({ a: 'a'.repeat(count), b: 'b'.repeat(count) })

  it.each([
    ['keeps what the template says itself', '<{{payload.a}}>', a(50), 20, `<${'a'.repeat(17)}…>`],
    ['cuts the longest value first', '{{payload.a}} {{topic}}', a(50), 20, `${'a'.repeat(15)}… a.b`],
    ['cuts one after the other', '{{payload.a}}|{{payload.b}}', a(50), 11, `…|bbbbbbbb…`],
    ['cuts the template where that alone is too long', 'x'.repeat(30), '{}', 10, `${'x'.repeat(9)}…`],
    ['counts characters, not UTF-16 units', '{{payload}}', '"😀😀😀"', 3, '😀😀😀'],
    ['splits no character', '{{payload}}', '"😀😀😀😀"', 3, '😀😀…'],
  ])('%s', (_name, template, payload, maxChars, expected) => {
    expect(fill(template, payload, maxChars)).toBe(expected)
  })

  it('fills 32 placeholders from the largest payload in a moment', () => {
    const payload = JSON.stringify({ a: 'x'.repeat(262_000), z: 1 })
    const startedAt = performance.now()
    expect(fill('{{payload.z}}'.repeat(32), payload)).toBe('1'.repeat(32))
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })
})

it.each([
  ['', 'must be text that is not blank'],
  [' \n', 'must be text that is not blank'],
  [7, 'must be text that is not blank'],
  ['x'.repeat(4001), 'must be at most 4000 characters'],
  ['a\0', 'must not hold control characters'],
  ['\ud800', 'half of a surrogate pair'],
  ['{{topic', 'has {{ without }}'],
  ['{{}}', 'cannot be read, {{}}'],
  ['{{topics}}', 'cannot be read, {{topics}}'],
  ['{{topic.a}}', 'cannot be read'],
  ['{{payloads.a}}', 'cannot be read'],
  ['{{payload..a}}', 'cannot be read'],
  ['{{payload.a b}}', 'cannot be read'],
  ['{{payload[a]}}', 'cannot be read'],
  ['{{payload.a + 1}}', 'cannot be read'],
  ['{{metadata}}', 'cannot be read'],
  ['{{metadata.a.b}}', 'cannot be read'],
  ['{{#each payload}}', 'cannot be read'],
  [`{{payload${'.a'.repeat(21)}}}`, 'more than 20 steps'],
  ['{{id}}'.repeat(33), 'has 33 placeholders, and 32 are allowed'],
])('the template %j is refused', (template, problem) => {
  expect(() => compileTemplate(template, 'settings.template')).toThrowError(
    expect.objectContaining({ code: 'unprocessable', message: expect.stringContaining(problem) }),
  )
})

it.each([
  [['a', 0], '{"a":[ 1 , 2]}', '1'],
  [['a', 1], '{"a":[ 1 , 2]}', '2'],
  [['a', 2], '{"a":[1,2]}', null],
  [['a', 'x'], '{"a":[1,2]}', null],
  [['a', 'b'], '{"a":"b"}', null],
  [[], ' 7\n', '7'],
  [['"', '\\'], '{"\\"":{"\\\\":"}]"}}', '"}]"'],
] as const)('at %j of %s stands %s', (path, json, expected) => {
  const found = findValueAt(Buffer.from(json), path)
  expect(found && Buffer.from(found).toString()).toBe(expected)
})
