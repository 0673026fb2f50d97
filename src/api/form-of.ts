/**
 * A schema without what the engine says better. The form (which members there are, and their types) is a 400 before
 * anything is looked up. Lengths, patterns and what excludes each other are in the schema for those who read the OpenAPI
 * document; the engine enforces them for every face, with its own codes and words.
 */
import type { TSchema } from 'typebox'

const ofTheEngine: ReadonlySet<string> = new Set([
  'allOf',
  'anyOf',
  'dependentRequired',
  'examples',
  'format',
  'maxItems',
  'maxLength',
  'maxProperties',
  'minItems',
  'minLength',
  'not',
  'pattern',
  'propertyNames',
  'uniqueItems',
])

export function formOf(schema: TSchema): TSchema {
  return strip(schema) as TSchema
}

function strip(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema
  const node = schema as Readonly<Record<string, unknown>>
  const kept = Object.entries(node).filter(
    ([keyword]) => !ofTheEngine.has(keyword) && !isOfDuration(node, keyword),
  )
  return Object.fromEntries(
    kept.map(([keyword, value]) => {
      if (keyword === 'items' || keyword === 'additionalProperties') return [keyword, strip(value)]
      if (keyword !== 'properties') return [keyword, value]
      const members = Object.entries(value as object).map(([name, member]) => [name, strip(member)])
      return [keyword, Object.fromEntries(members)]
    }),
  )
}

/** A number's range is form; that of a duration, which may be text as well, is not. */
function isOfDuration({ type }: Readonly<Record<string, unknown>>, keyword: string): boolean {
  return Array.isArray(type) && (keyword === 'minimum' || keyword === 'maximum')
}
