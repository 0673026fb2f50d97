/** Requests made from the OpenAPI document, as fast-check arbitraries: such as it allows, and such as it forbids. */
import fc from 'fast-check'

export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly examples?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
}

export type Schemas = Readonly<Record<string, Schema>>

/** What no member of a request was made for, or only just. */
export const hostileValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  1e300,
  Number.MAX_SAFE_INTEGER + 2,
  '',
  ' ',
  'a',
  '0',
  '-1s',
  '1d',
  '99999999999d',
  '\u0000',
  'caf\u00e9 \ud83d\ude00',
  '\ud800',
  'x'.repeat(300),
  '2026-02-30T00:00:00Z',
  '9999-12-31T23:59:60Z',
  '../..',
  '__proto__',
  [],
  [null],
  [[]],
  Array.from({ length: 300 }, (_, number) => `t${number}`),
  {},
  { a: null },
  { constructor: { prototype: 1 } },
]

/** No name that somebody would have to look up. */
const urls = [
  'https://127.0.0.1:8443/hooks',
  'https://127.0.0.1:8443',
  'http://127.0.0.1/',
  'https://[::1',
  '//x',
]

/** What the schema describes, roughly: bounds are met and just missed. */
export function valueFrom(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return valueFrom(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, schemas)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (choices !== undefined && schema.properties === undefined) {
    return fc.oneof(...choices.map((choice) => valueFrom(choice, schemas)))
  }
  if (schema.type === 'object' && schema.properties !== undefined) return objectOf(schema, schemas)
  if (schema.type === 'array') return fc.array(valueFrom(schema.items ?? {}, schemas), { maxLength: 3 })
  return plainValueFrom(schema)
}

function objectOf(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  const members = Object.entries(schema.properties ?? {}).map(
    ([name, part]): [string, fc.Arbitrary<unknown>] => [
      name,
      name === 'url' ? fc.constantFrom(...urls) : valueFrom(part, schemas),
    ],
  )
  const shape: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(members)
  return fc.record(shape, { requiredKeys: [...(schema.required ?? [])] })
}

function plainValueFrom(schema: Schema): fc.Arbitrary<unknown> {
  const values: unknown[] = [...(schema.examples ?? [])]
  if (schema.type === 'string') {
    for (const length of [schema.minLength, schema.maxLength]) {
      if (length !== undefined) values.push('a'.repeat(length), 'a'.repeat(length + 1))
    }
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    for (const bound of [schema.minimum, schema.maximum]) {
      if (bound !== undefined) values.push(bound, bound - 1, bound + 1)
    }
  }
  if (schema.type === 'boolean') values.push(true, false)
  return values.length === 0 ? fc.constantFrom(...hostileValues) : fc.constantFrom(...values)
}

/** The same with one part put into something else, taken out, or added. */
export function spoiled(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(value, fc.nat(), fc.constantFrom('replace', 'remove', 'add'), fc.constantFrom(...hostileValues))
    .map(([whole, place, how, hostile]) => {
      const copy: unknown = structuredClone(whole)
      const holders = holdersIn(copy)
      const holder = holders[place % Math.max(1, holders.length)]
      if (holder === undefined || how === 'add') {
        if (typeof copy !== 'object' || copy === null || Array.isArray(copy)) return hostile
        return { ...copy, unknown_member: hostile }
      }
      if (how === 'remove') delete holder.of[holder.at]
      else holder.of[holder.at] = hostile
      return copy
    })
}

interface Holder {
  readonly of: Record<string, unknown>
  readonly at: string
}

function holdersIn(value: unknown): readonly Holder[] {
  if (typeof value !== 'object' || value === null) return []
  const of = value as Record<string, unknown>
  return Object.keys(of).flatMap((at) => [{ of, at }, ...holdersIn(of[at])])
}
