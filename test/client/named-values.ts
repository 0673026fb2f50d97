/**
 * Values of the document's schemas, each as JSON says it and as the client does: made side by side from the schema, so that
 * neither form is made from the other. What the caller made has names that look like both.
 */
import fc from 'fast-check'

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly patternProperties?: Readonly<Record<string, Schema>>
}

export type Schemas = Readonly<Record<string, Schema>>

/** JSON's text, which holds `__proto__` like any other member. */
export interface Named {
  readonly wire: string
  readonly camel: string
}

const callersName = fc.constantFrom(
  '__proto__',
  'constructor',
  'toJSON',
  'a_b',
  'aB',
  'event_id',
  'eventId',
  'A',
  '_a',
  'a__b',
  'x-a_b',
  'ключ_б',
  '*',
  '',
)

const callersValue: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom('null', '1', '"event_id"', '"a"'),
    fc.array(tie('value'), { maxLength: 2 }).map((items) => `[${items.join(',')}]`),
    fc
      .uniqueArray(fc.tuple(callersName, tie('value')), { maxLength: 4, selector: ([name]) => name })
      .map((members) => objectText(members)),
  ),
})).value

const objectText = (members: readonly (readonly [string, string])[]): string =>
  `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`

const same = (text: string): Named => ({ wire: text, camel: text })

export function namedValue(schema: Schema, schemas: Schemas): fc.Arbitrary<Named> {
  if (schema.$ref !== undefined)
    return namedValue(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, schemas)
  if (schema.properties !== undefined) return objectOf(schema, schemas)
  if (schema.const !== undefined) return fc.constant(same(JSON.stringify(schema.const)))
  if (schema.enum !== undefined)
    return fc.constantFrom(...schema.enum).map((one) => same(JSON.stringify(one)))
  if (schema.anyOf !== undefined && schema.type === undefined) {
    const said = schema.anyOf.filter((one) => !isFree(one))
    return fc.oneof(...said.map((one) => namedValue(one, schemas)))
  }
  if (isFree(schema)) return callersValue.map(same)
  return fc.oneof(...[schema.type ?? []].flat().map((type) => simpleValue(type, schema, schemas)))
}

function isFree({ $ref, type, properties, const: constant, enum: values, anyOf }: Schema): boolean {
  return [$ref, type, properties, constant, values, anyOf].every((one) => one === undefined)
}

function simpleValue(type: string, schema: Schema, schemas: Schemas): fc.Arbitrary<Named> {
  switch (type) {
    case 'array':
      return fc.array(namedValue(schema.items ?? {}, schemas), { maxLength: 2 }).map((items) => ({
        wire: `[${items.map(({ wire }) => wire).join(',')}]`,
        camel: `[${items.map(({ camel }) => camel).join(',')}]`,
      }))
    case 'object':
      return recordOf(schema, schemas)
    case 'string':
      return fc
        .constantFrom('event_id', 'eventId', '__proto__', 'ä')
        .map((text) => same(JSON.stringify(text)))
    case 'null':
      return fc.constant(same('null'))
    case 'boolean':
      return fc.boolean().map((value) => same(String(value)))
    default:
      return fc.nat(9).map((value) => same(String(value)))
  }
}

function recordOf(schema: Schema, schemas: Schemas): fc.Arbitrary<Named> {
  const values =
    typeof schema.additionalProperties === 'object'
      ? schema.additionalProperties
      : Object.values(schema.patternProperties ?? {})[0]
  const member = fc.tuple(callersName, namedValue(values ?? {}, schemas))
  return fc.uniqueArray(member, { maxLength: 4, selector: ([name]) => name }).map((members) => ({
    wire: objectText(members.map(([name, { wire }]) => [name, wire])),
    camel: objectText(members.map(([name, { camel }]) => [name, camel])),
  }))
}

function objectOf({ properties = {}, required = [] }: Schema, schemas: Schemas): fc.Arbitrary<Named> {
  const members = Object.entries(properties).map(([name, schema]) =>
    fc
      .option(namedValue(schema, schemas), required.includes(name) ? { freq: 1000 } : {})
      .map((value) => ({ name, value })),
  )
  return fc.tuple(...members).map((all) => {
    const given = all.flatMap(({ name, value }) => (value === null ? [] : [{ name, value }]))
    return {
      wire: objectText(given.map(({ name, value }) => [name, value.wire])),
      camel: objectText(given.map(({ name, value }) => [camelOf(name), value.camel])),
    }
  })
}

/** As English has it: each word after the first begins with a capital. */
export function camelOf(name: string): string {
  const [first = '', ...others] = name.split('_')
  return [first, ...others.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`)].join('')
}
