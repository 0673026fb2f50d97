import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/core/filter/condition.ts'
import { evaluateFilter } from '../../../src/core/filter/evaluate.ts'
import { explainFailure } from '../../../src/core/filter/explain.ts'
import {
  filterOperators,
  maxFilterConditions,
  maxFilterDepth,
  parseFilter,
} from '../../../src/core/filter/parse-filter.ts'
import { filterCases } from './cases.ts'
import { hostileCases } from './hostile-cases.ts'
import { naivelyPasses } from './naive-filter.ts'

function evaluate(filter: unknown, payload: unknown) {
  const json = JSON.stringify(payload)
  const parsed = parseFilter(filter)
  return parsed === null
    ? 'passes'
    : evaluateFilter(parsed.condition, JSON.parse(json), Buffer.byteLength(json))
}

test.each(filterCases)('of the payload %j the filter %j says %s', (payload, filter, passes) => {
  expect(evaluate(filter, payload)).toBe(passes ? 'passes' : 'fails')
  expect(evaluate({ $not: filter }, payload)).toBe(passes ? 'fails' : 'passes')
})

const name = fc.constantFrom('a', 'b', 'constructor', '__proto__', 'length')
const scalar = fc.oneof(
  fc.constantFrom('', 'a', 'ab', 'ba', 'abab', 'aab', 'ä', '2026-01-01', 'b'),
  fc.constantFrom(0, -0, 1, 2, 1.5, -1),
  fc.boolean(),
  fc.constant(null),
)
const { value: payloads } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((entries) => ownMembers(entries)),
  ),
}))
const text = fc.constantFrom('', 'a', 'ab', 'b', 'bab')
const listOf = <T>(each: fc.Arbitrary<T>) => fc.array(each, { minLength: 1, maxLength: 3 })
const operators: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  $eq: payloads,
  $neq: payloads,
  $gt: fc.oneof(fc.constantFrom(0, 1, 1.5), text),
  $gte: fc.oneof(fc.constantFrom(0, 1, 1.5), text),
  $lt: fc.oneof(fc.constantFrom(0, 1, 1.5), text),
  $lte: fc.oneof(fc.constantFrom(0, 1, 1.5), text),
  $in: fc.oneof(scalar, listOf(scalar)),
  $nin: fc.oneof(scalar, listOf(scalar)),
  $exist: fc.boolean(),
  $startsWith: fc.oneof(text, listOf(text)),
  $endsWith: fc.oneof(text, listOf(text)),
  $contains: fc.oneof(scalar, listOf(payloads)),
}
const { object: filters } = fc.letrec((tie) => {
  const condition = fc.oneof({ depthSize: 'small' }, scalar, tie('object'), listOf(tie('condition')))
  const logical = fc.oneof(
    fc.tuple(fc.constantFrom('$or', '$and'), listOf(tie('condition'))),
    fc.tuple(fc.constant('$not'), tie('condition')),
  )
  const operator = fc.oneof(
    ...Object.entries(operators).map(([each, operand]) => fc.tuple(fc.constant(each), operand)),
  )
  const many = <T>(each: fc.Arbitrary<T>) => fc.array(each, { maxLength: 3 })
  return {
    condition,
    object: fc
      .tuple(
        fc.oneof(many(fc.tuple(name, tie('condition'))), many(operator)),
        fc.array(logical, { maxLength: 1 }),
      )
      .map((entries) => ownMembers(entries.flat() as [string, unknown][])),
  }
})

/** Neither too deep nor without a condition. */
function isTaken(filter: object): boolean {
  try {
    return parseFilter(filter) !== null
  } catch {
    return false
  }
}

/** Also `__proto__`, as a parser of JSON makes it. */
function ownMembers(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [each, value] of entries) {
    Object.defineProperty(object, each, { value, enumerable: true, writable: true, configurable: true })
  }
  return object
}

const taken = (filters as fc.Arbitrary<object>).filter(isTaken)

test('any filter says of any payload what the plain reading of it says', () => {
  let passed = 0
  fc.assert(
    fc.property(taken, payloads, (filter, payload) => {
      const wanted = naivelyPasses(JSON.parse(JSON.stringify(filter)), JSON.parse(JSON.stringify(payload)))
      if (wanted) passed++
      expect(evaluate(filter, payload)).toBe(wanted ? 'passes' : 'fails')
    }),
    { numRuns: 3000, seed: Number(process.env.OUTHOOK_TEST_SEED ?? Math.trunc(Math.random() * 2 ** 31)) },
  )
  // Both answers were asked for.
  expect(passed).toBeGreaterThan(200)
})

test('why a payload does not pass any filter is a condition that it does not pass', () => {
  fc.assert(
    fc.property(taken, payloads, (filter, payload) => {
      const parsed = parseFilter(filter)
      const value = JSON.parse(JSON.stringify(payload)) as Json
      if (parsed === null || evaluateFilter(parsed.condition, value, 1_000_000) === 'passes') return
      const { condition, found } = explainFailure(parsed.condition, value)
      if (found?.endsWith('…')) return
      expect(naivelyPasses(condition, found === null ? undefined : JSON.parse(found))).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test.each([
  [{ order: { amount: { $gte: 100 } } }, { path: 'order.amount', condition: { $gte: 100 }, found: '42' }],
  [
    { type: 'x', order: 1 },
    { path: 'type', condition: 'x', found: '"order"' },
  ],
  [{ missing: { $exist: true } }, { path: 'missing', condition: { $exist: true }, found: null }],
  [{ tags: ['a', 'z'] }, { path: 'tags', condition: ['z'], found: '["a","b"]' }],
  [{ tags: { $in: ['y', 'z'] } }, { path: 'tags', condition: { $in: ['y', 'z'] }, found: '["a","b"]' }],
  [{ 'odd name': 2 }, { path: '["odd name"]', condition: 2, found: '1' }],
  [
    { $or: [{ type: 'x' }, { type: 'y' }] },
    {
      path: '',
      condition: { $or: [{ type: 'x' }, { type: 'y' }] },
      found: '{"type":"order","order":{"amount":42},"tags":["a","b"],"odd name":1}',
    },
  ],
  [
    { $not: { type: 'order' }, order: {} },
    { path: '', condition: { $not: { type: 'order' } } },
  ],
])('of the filter %j it is said what does not hold, and where', (filter, said) => {
  const payload = { type: 'order', order: { amount: 42 }, tags: ['a', 'b'], 'odd name': 1 }
  const parsed = parseFilter(filter)
  expect(explainFailure(parsed?.condition as never, payload)).toMatchObject(said)
})

const tooDeep = JSON.parse(`${'{"a":'.repeat(maxFilterDepth)}1${'}'.repeat(maxFilterDepth)}`)
const cyclic: Record<string, unknown> = {}
cyclic.a = cyclic

test.each<readonly [unknown, string]>([
  ['text', 'filter must be an object'],
  [[], 'filter must be an object'],
  [5, 'filter must be an object'],
  [new Map(), 'filter must be an object'],
  [{ a: { $regex: 'x' } }, 'filter.a.$regex is no operator; operators are $eq, $neq'],
  [{ a: { $ref: 'b' } }, 'filter.a.$ref is no operator'],
  [{ $where: 'x' }, 'filter.$where is no operator'],
  [{ a: { $gt: true } }, 'filter.a.$gt must be a number, or a text'],
  [{ a: { $lte: [1] } }, 'filter.a.$lte must be a number, or a text'],
  [{ a: { $in: [] } }, 'filter.a.$in must not be empty'],
  [{ a: { $in: [1, { b: 1 }] } }, 'filter.a.$in[1] must be a string, a number'],
  [{ a: { $nin: { b: 1 } } }, 'filter.a.$nin must be a list of values'],
  [{ a: { $contains: [] } }, 'filter.a.$contains must not be empty'],
  [{ a: { $startsWith: 5 } }, 'filter.a.$startsWith must be a text'],
  [{ a: { $endsWith: ['x', 5] } }, 'filter.a.$endsWith[1] must be a text'],
  [{ a: { $exist: 'yes' } }, 'filter.a.$exist must be true or false'],
  [{ $or: { a: 1 } }, 'filter.$or must be a list of conditions'],
  [{ $and: [] }, 'filter.$and must not be empty'],
  [{ a: [] }, 'filter.a must not be empty'],
  [{ a: { $gt: 1, b: 2 } }, 'filter.a has both operators and the member b'],
  [{ 'a b': { $gt: null } }, 'filter["a b"].$gt must be'],
  [{ a: undefined }, 'filter.a is undefined'],
  [{ a: Number.NaN }, 'filter.a is NaN'],
  [{ a: { $eq: [new Date(0)] } }, 'filter.a.$eq[0] is a Date'],
  [{ a: () => 1 }, 'filter.a is a function'],
  [{ a: 5n }, 'filter.a is a bigint'],
  [tooDeep, 'lies deeper than 12 objects and lists'],
  [cyclic, 'lies deeper than 12 objects and lists'],
  [
    { a: Array.from({ length: maxFilterConditions + 1 }, (_, index) => index) },
    'filter.a has more entries than',
  ],
  [{ a: { $in: new Array(1e9) } }, 'filter.a.$in has more entries than'],
  [{ $or: Array.from({ length: 120 }, (_, index) => ({ a: index })) }, 'is one condition too many'],
  [{ a: 'x'.repeat(8200) }, 'filter is larger than 8192 bytes'],
])('filter %# is refused, and the place is named: $1', (filter, message) => {
  expect(() => parseFilter(filter)).toThrow(expect.objectContaining({ code: 'unprocessable' }))
  expect(() => parseFilter(filter)).toThrow(message)
})

test('null and {} are no filter', () => {
  expect([parseFilter(null), parseFilter(undefined), parseFilter({})]).toEqual([null, null, null])
})

test('a filter is a copy: what its maker changes afterwards changes nothing', () => {
  const given = { a: { $in: [1] } }
  const parsed = parseFilter(given)
  given.a.$in.push(2)
  expect(parsed?.json).toEqual({ a: { $in: [1] } })
})

describe('a filter that would run away is stopped, and lets nothing through', () => {
  test.each(hostileCases)('%s', (_name, filter, json, verdict) => {
    const parsed = parseFilter(filter)
    const payload = JSON.parse(json) as Json
    expect(evaluateFilter(parsed?.condition as never, payload, json.length)).toBe(verdict)
    if (verdict !== 'too_costly') return
    const turned = parseFilter({ $not: filter })
    expect(evaluateFilter(turned?.condition as never, payload, json.length)).toBe('too_costly')
  })
})

test('every operator has a case of its own, that it passes and that it fails', () => {
  for (const operator of filterOperators) {
    const cases = filterCases.filter(([, filter]) => JSON.stringify(filter).includes(`"${operator}"`))
    expect(new Set(cases.map(([, , passes]) => passes)), operator).toEqual(new Set([true, false]))
  }
})
