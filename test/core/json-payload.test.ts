import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringifyPayload } from '../../src/core/json-payload.ts'

const write = (value: unknown) => Buffer.from(stringifyPayload(value)).toString()

/** Whatever way the writer takes, the answer must be the same: a `toJSON` beside the value forces the careful one. */
const carefully = (value: unknown) => write({ date: new Date(0), value })

describe('stringifyPayload', () => {
  it('writes what JSON.stringify writes for every value that JSON has', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(write(value)).toBe(JSON.stringify(value))
        expect(carefully(value)).toBe(`{"date":"1970-01-01T00:00:00.000Z","value":${JSON.stringify(value)}}`)
      }),
    )
  })

  it.each<[string, unknown, string]>([
    ['members that are undefined', { a: undefined, b: 1 }, '{"b":1}'],
    ['dates', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    ['toJSON', { money: { toJSON: () => '1.00 EUR' } }, '{"money":"1.00 EUR"}'],
    ['toJSON at the top', { toJSON: () => [1] }, '[1]'],
    ['a member left out by its toJSON', { a: { toJSON: () => undefined }, b: 1 }, '{"b":1}'],
    [
      'instances of classes',
      new (class Point {
        x = 1
      })(),
      '{"x":1}',
    ],
    ['objects without a prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ['half surrogates as escapes', '\ud800', '"\\ud800"'],
    ['text in UTF-8', 'é😀', '"é😀"'],
    ['empty objects and lists', { a: {}, b: [], c: Object.create(null) }, '{"a":{},"b":[],"c":{}}'],
    ['empty objects of another context', { a: runInNewContext('({})') }, '{"a":{}}'],
    ['boxed text, numbers and booleans', [Object(''), Object(0), Object(false)], '["",0,false]'],
    ['an error with a toJSON', Object.assign(new Error('x'), { toJSON: () => 'x' }), '"x"'],
    ['symbols as names beside others', { a: 1, [Symbol('b')]: 2 }, '{"a":1}'],
    ['null', null, 'null'],
    ['-0', -0, '0'],
  ])('takes %s', (_name, value, expected) => {
    expect(write(value)).toBe(expected)
  })

  it('writes an object twice that stands in two places', () => {
    const shared = { a: new Date(0) }
    expect(write([shared, shared])).toBe(
      '[{"a":"1970-01-01T00:00:00.000Z"},{"a":"1970-01-01T00:00:00.000Z"}]',
    )
  })

  it('is not changed by what the caller does to the object afterwards', () => {
    const order = { id: 1 }
    const frozen = stringifyPayload(order)
    order.id = 2
    expect(Buffer.from(frozen).toString()).toBe('{"id":1}')
  })

  const cyclic: Record<string, unknown> = { name: 'a' }
  cyclic.child = { parent: cyclic }

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'payload is undefined'],
    ['a function', () => 1, 'payload is a function'],
    ['a symbol', Symbol('x'), 'payload is a symbol'],
    ['a BigInt', 5n, 'payload is a BigInt'],
    ['NaN', Number.NaN, 'payload is NaN'],
    ['a nested NaN', { a: { b: [1, Number.NaN] } }, 'payload.a.b[1] is NaN'],
    ['-Infinity', { a: -Infinity }, 'payload.a is -Infinity'],
    ['a nested BigInt', { list: [{ id: 1n }] }, 'payload.list[0].id is a BigInt'],
    ['a function as member', { f() {} }, 'payload.f is a function'],
    ['a symbol as member', { s: Symbol('x') }, 'payload.s is a symbol'],
    ['undefined in a list', { list: [1, undefined] }, 'payload.list[1] is undefined'],
    // biome-ignore lint/suspicious/noSparseArray: holes are what is tested.
    ['a hole in a list', [1, , 3], 'payload[1] is undefined'],
    ['an invalid date', { at: new Date(Number.NaN) }, 'payload.at is an invalid date'],
    ['NaN from a toJSON', { m: { toJSON: () => Number.NaN } }, 'payload.m is NaN'],
    ['NaN from a list’s toJSON', Object.assign([1], { toJSON: () => [Number.NaN] }), 'payload[0] is NaN'],
    ['undefined from a toJSON at the top', { toJSON: () => undefined }, 'payload is undefined'],
    ['a boxed NaN', { n: Object(Number.NaN) }, 'payload.n is NaN'],
    ['an error', new Error('lost'), 'payload is an Error, whose message JSON would leave out'],
    ['an error of a class of its own', { e: new TypeError('lost') }, 'payload.e is a TypeError'],
    ['an error with members', Object.assign(new Error('lost'), { status: 500 }), 'payload is an Error'],
    [
      'an error of another context',
      { e: runInNewContext('new Error("lost")') },
      'payload.e is an Error, of which',
    ],
    ['a set at the top', new Set([1]), 'payload is a Map or Set'],
    ['a weak map', [new WeakMap()], 'payload[0] is a WeakMap, of which JSON would show nothing'],
    ['a regular expression', { r: /x/ }, 'payload.r is a RegExp, of which'],
    ['an array buffer', new ArrayBuffer(8), 'payload is an ArrayBuffer, of which'],
    ['search parameters', { q: new URLSearchParams('a=1') }, 'payload.q is a URLSearchParams, of which'],
    ['headers of a request', new Headers({ a: '1' }), 'payload is a Headers, of which'],
    ['an iterator', { i: [1].values() }, 'payload.i is an Iterator, of which'],
    ['a boxed symbol', { s: Object(Symbol('x')) }, 'payload.s is a Symbol, of which'],
    [
      'an instance with private fields only',
      new (class Secret {
        readonly #a = 1
        get a() {
          return this.#a
        }
      })(),
      'payload is a Secret, of which JSON would show nothing',
    ],
    ['an object whose members are inherited', Object.create({ a: 1 }), 'payload is an object, of which'],
    ['an object with symbols as names', { [Symbol('a')]: 1 }, 'payload is an object, of which'],
    [
      'a nested object with hidden members',
      { o: Object.defineProperty({}, 'a', { value: 1 }) },
      'payload.o is an object',
    ],
    ['a map', { m: new Map([[1, 2]]) }, 'payload.m is a Map or Set'],
    ['a promise', { p: Promise.resolve(1) }, 'payload.p is a promise'],
    ['an odd name', { 'a b': { c: Number.NaN } }, 'payload["a b"].c is NaN'],
    ['a cycle', cyclic, 'payload.child.parent refers back'],
    [
      'a toJSON that throws',
      {
        a: {
          toJSON: () => {
            throw new Error('no')
          },
        },
      },
      'payload cannot be written: no',
    ],
  ])('refuses %s and says where', (_name, value, message) => {
    expect(() => write(value)).toThrow(
      expect.objectContaining({ code: 'invalid_payload', message: expect.stringContaining(message) }),
    )
  })

  it('refuses nesting that no stack can hold, as an error of its own', () => {
    let deep: unknown = 1
    for (let level = 0; level < 200_000; level++) deep = { deep }
    expect(() => write(deep)).toThrow(expect.objectContaining({ code: 'invalid_payload' }))
  })
})
