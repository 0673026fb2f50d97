/** The keywords of JSON Schema 2020-12 that a check goes by, and what each holds; references are read for themselves. */

/**
 * `schema`: one; `schemas`: a list; `members`: schemas by names; `patterns`: schemas by regular expressions; `value`: JSON
 * that is compared with; `limit`: whatever the meta-schema says. Others say nothing to a check and are left out of it.
 */
export type KeywordForm = 'schema' | 'schemas' | 'members' | 'patterns' | 'value' | 'limit'

export const keywords: Readonly<Record<string, KeywordForm>> = {
  $defs: 'members',
  // What 2020-12 calls $defs; documents that are older than it have these.
  definitions: 'members',
  additionalProperties: 'schema',
  allOf: 'schemas',
  anyOf: 'schemas',
  const: 'value',
  contains: 'schema',
  dependentRequired: 'limit',
  dependentSchemas: 'members',
  else: 'schema',
  enum: 'value',
  exclusiveMaximum: 'limit',
  exclusiveMinimum: 'limit',
  if: 'schema',
  items: 'schema',
  maxContains: 'limit',
  maxItems: 'limit',
  maxLength: 'limit',
  maxProperties: 'limit',
  maximum: 'limit',
  minContains: 'limit',
  minItems: 'limit',
  minLength: 'limit',
  minProperties: 'limit',
  minimum: 'limit',
  multipleOf: 'limit',
  not: 'schema',
  oneOf: 'schemas',
  pattern: 'limit',
  patternProperties: 'patterns',
  prefixItems: 'schemas',
  properties: 'members',
  propertyNames: 'schema',
  required: 'limit',
  // biome-ignore lint/suspicious/noThenProperty: a keyword, and nobody waits for the table.
  then: 'schema',
  type: 'limit',
  unevaluatedItems: 'schema',
  unevaluatedProperties: 'schema',
  uniqueItems: 'limit',
}
