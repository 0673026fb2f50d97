import { beforeAll, describe, expect, test } from 'vitest'
import { loadSchemaCompiler, type SchemaCompiler } from '../../src/payload-schemas/schema-compiler.ts'
import { placeOf, type Violation } from '../../src/payload-schemas/violation.ts'

let compiler: SchemaCompiler
beforeAll(async () => {
  compiler = await loadSchemaCompiler()
})

function check(schema: unknown, payload: unknown): Violation | null {
  compiler.check(schema)
  return compiler.compile(JSON.stringify(schema))(payload)
}

const tree = {
  $defs: { node: { $anchor: 'node', required: ['v'], properties: { of: { items: { $ref: '#node' } } } } },
}

describe('a payload', () => {
  test.each([
    [{ type: 'object', required: ['a'] }, {}, 'payload.a', 'is missing'],
    [{ required: ['toString'] }, {}, 'payload.toString', 'is missing'],
    [{ additionalProperties: false }, { 'odd name': 1 }, 'payload["odd name"]', 'is not a known member'],
    [
      { unevaluatedProperties: false, allOf: [{ properties: { a: true } }] },
      { a: 1, b: 2 },
      'payload.b',
      'is not a known member',
    ],
    [{ items: { anyOf: [{ type: 'string' }, { type: 'number' }] } }, [1, null], 'payload[1]', 'anyOf'],
    [{ prefixItems: [true, { const: 2 }] }, [1, 3], 'payload[1]', 'must be 2'],
    [{ properties: { a: { enum: ['x', 1] } } }, { a: 2 }, 'payload.a', 'must be one of "x", 1'],
    [{ properties: { a: false } }, { a: 1 }, 'payload.a', 'must not be there'],
    [{ propertyNames: { pattern: '^[a-z]+$' } }, { 'A~/b': 1 }, 'payload["A~/b"]', 'name'],
    [{ patternProperties: { '^n_': { type: 'number' } } }, { n_a: 'x' }, 'payload.n_a', 'must be number'],
    [{ properties: { a: { maxLength: 2 } } }, { a: '😀😀😀' }, 'payload.a', 'is too long'],
    [{ properties: { a: { minLength: 2 } } }, { a: '😀' }, 'payload.a', 'is too short'],
    [
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      'payload',
      'two items',
    ],
    [{ contains: { const: 1 }, maxContains: 1 }, [1, 1], 'payload', 'contain'],
    [{ dependentRequired: { a: ['b'] } }, { a: 1 }, 'payload', 'b'],
    [JSON.parse('{"if":{"required":["a"]},"then":{"required":["b"]}}'), { a: 1 }, 'payload.b', 'is missing'],
    [{ $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': { type: 'null' } } }, 1, 'payload', 'must be null'],
    [{ ...tree, $ref: '#node' }, { v: 1, of: [{ v: 1, of: [{}] }] }, 'payload.of[0].of[0].v', 'is missing'],
    [
      { $dynamicAnchor: 'n', required: ['v'], properties: { of: { $dynamicRef: '#n' } } },
      { v: 1, of: {} },
      'payload.of.v',
      'is missing',
    ],
    [
      {
        $ref: '#/$defs/a',
        $dynamicRef: '#b',
        $defs: { a: { minimum: 1 }, b: { $dynamicAnchor: 'b', maximum: 2 } },
      },
      3,
      'payload',
      '<= 2',
    ],
    [{ properties: { a: { $ref: '#' } }, type: 'object' }, { a: 1 }, 'payload.a', 'must be object'],
    [
      { $id: 'https://a.example/', properties: { a: { $ref: '#/$defs/q' } }, $defs: { q: { type: 'null' } } },
      { a: 2 },
      'payload.a',
      'must be null',
    ],
    [{ definitions: { q: { type: 'null' } }, $ref: '#/definitions/q' }, 2, 'payload', 'must be null'],
  ])('that is not as %j says is told the place', (schema, payload, place, message) => {
    const violation = check(schema, payload)
    expect(violation?.message).toContain(message)
    expect(placeOf(violation as Violation)).toBe(place)
  })

  test.each([
    [true, 1],
    [{ type: 'integer' }, 1.0],
    [{ maxLength: 2 }, '😀😀'],
    [{ uniqueItems: true }, [1, '1', [1], { a: 1 }, { a: '1' }]],
    [{ format: 'email' }, 'not checked'],
    [{ 'x-own': { pattern: '(?=a)' }, examples: [1] }, 2],
    [JSON.parse('{"properties":{"__proto__":{"type":"string"},"constructor":{"type":"null"}}}'), {}],
    [{ required: ['toString'] }, { toString: 1 }],
    [{ $schema: 'https://json-schema.org/draft/2020-12/schema' }, {}],
  ])('that is as %j says passes', (schema, payload) => {
    expect(check(schema, payload)).toBeNull()
  })

  test.each([
    ['a const', { const: `\u2028'"\`\${process.exit(9)}` }],
    ['a name', { required: ["'];process.exit(9);//"] }],
    [
      'a name of a member',
      { properties: { "a'];process.exit(9);//": false }, required: ["a'];process.exit(9);//"] },
    ],
    ['a pattern', { pattern: '`\\];process\\.exit\\(9\\);', type: 'string' }],
    ['an id', { $id: "'];process.exit(9);//", required: ['a'] }],
    ['a keyword that is none', { "a'];process.exit(9);//": 1, required: ['a'] }],
    [
      'a name of a part',
      {
        $defs: { "'`];process.exit(9);//": { required: ['a'] } },
        $ref: `#/$defs/${encodeURIComponent("'`];process.exit(9);//").replace('%2F%2F', '~1~1')}`,
      },
    ],
  ])('is checked by what %s says, which never becomes code', (_what, schema) => {
    expect(check(schema, {})).not.toBeNull()
  })
})

describe('the check of a payload ends soon', () => {
  const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1]))
  const nested = (levels: number): object => {
    let value: object = {}
    for (let level = 0; level < levels; level++) value = { a: value }
    return value
  }
  const level = { anyOf: [0, 1].map(() => ({ properties: { a: { $ref: '#' } }, required: ['never'] })) }

  test.each([
    ['a pattern that others go back over', { pattern: '^(a+)+$' }, `${'a'.repeat(200_000)}b`],
    [
      'a name that is matched by one',
      { patternProperties: { '^(a+)+$': true } },
      { [`${'a'.repeat(200_000)}b`]: 1 },
    ],
    ['two ways at each level', level, nested(60)],
    ['a reference to itself', { allOf: [{ $ref: '#' }] }, {}],
    [
      'many values for many items',
      { items: { enum: Array.from({ length: 3000 }, (_, a) => ({ a })) } },
      Array.from({ length: 30_000 }, () => ({ a: 2999 })),
    ],
    [
      'many looks at a wide object',
      { anyOf: Array.from({ length: 400 }, () => ({ minProperties: 1e6 })) },
      wide,
    ],
    [
      'many looks at a long text',
      { anyOf: Array.from({ length: 400 }, () => ({ maxLength: 130_000 })) },
      '😀'.repeat(120_000),
    ],
    ['items that are compared', { uniqueItems: true }, Array.from({ length: 60_000 }, (_, index) => [index])],
    [
      'a list that is nested as often as it can be',
      { items: { $ref: '#' } },
      JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`),
    ],
  ])('of %s', (_what, schema, payload) => {
    compiler.check(schema)
    const checkPayload = compiler.compile(JSON.stringify(schema))
    const before = process.cpuUsage()
    checkPayload(payload)
    const { user } = process.cpuUsage(before)
    // Some 50 ms of a quiet core; without the budget each takes seconds to centuries.
    expect(user / 1000).toBeLessThan(1500)
  })

  test('and a payload of ordinary size is within it, with room', () => {
    const items = {
      type: 'object',
      required: ['sku'],
      properties: { sku: { type: 'string' }, n: { minimum: 1 } },
      additionalProperties: false,
    }
    const payload = Array.from({ length: 12_000 }, (_, index) => ({ sku: `s${index}`, n: 1 }))
    expect(JSON.stringify(payload).length).toBeGreaterThan(250_000)
    expect(check({ items }, payload)).toBeNull()
  })
})
