// Writes the client's types and calls from the OpenAPI document, which is made from the schemas that the server validates with.

import { camelMember, createShapes } from './client-names.mjs'

const heading = '// Written from the OpenAPI document by "npm run docs:reference"; do not edit.\n'

/** Operations whose answer is not JSON to be parsed but bytes to be kept. */
const bytesOperations = ['getEventPayload']
/** Read by a method of its own, because its answer does not end. */
const streamOperations = ['readStream']
/** For load balancers and scrapers, not for programs. */
const leftOutTag = 'operations'

/** The text of `src/client/generated/types.ts`. */
export function renderClientTypes(document) {
  const members = namesOfMembers(document)
  const types = Object.entries(document.components.schemas).map(([name, schema]) => {
    const comment = docComment(schema.description)
    const isObject = schema.type === 'object' && schema.properties !== undefined
    return isObject
      ? `${comment}export interface ${name} ${typeOf(schema)}\n`
      : `${comment}export type ${name} = ${typeOf(schema)}\n`
  })
  const queries = operationsOf(document)
    .filter(({ query }) => query.length > 0)
    .map(({ queryType, query }) => `export interface ${queryType} {\n${query.map(memberOfQuery).join('')}}\n`)
  // Descriptions are written once for all readers, who know the members by their names in JSON.
  return [heading, ...types, ...queries]
    .join('\n')
    .replace(/`(\w+)`/g, (whole, name) => (members.has(name) ? `\`${camelMember(name)}\`` : whole))
}

function namesOfMembers(document) {
  const properties = Object.values(document.components.schemas).flatMap((schema) =>
    Object.keys(schema.properties ?? {}),
  )
  return new Set([
    ...properties,
    ...operationsOf(document).flatMap(({ query }) => query.map(({ name }) => name)),
  ])
}

/** The text of `src/client/generated/endpoint-kinds.ts`. */
export function renderEndpointKinds(kinds) {
  const lines = Object.entries(kinds).map(([name, { title }]) => `  ${name}: '${title}',\n`)
  return `${heading.replace('the OpenAPI document', 'the list of kinds')}
/** What an endpoint can be: the kinds of \`destinations/kinds.ts\`, with what people call one of each. */
export const endpointKinds = {
${lines.join('')}} as const
`
}

/** The text of `src/client/generated/kept-names.ts`. */
export function renderKeptNames(document) {
  const { named } = createShapes(document)
  const types = Object.keys(document.components.schemas)
  return `${heading}
import type * as types from './types.ts'

/** What the caller made, and keeps the names that are in it; names are those of the API's JSON. */
export const keptNames = {
${Object.entries(named)
  .map(([name, shape]) => `  ${name}: ${shapeText(shape)},\n`)
  .join('')}} as const

export interface NamedTypes {
${types.map((name) => `  readonly ${name}: types.${name}\n`).join('')}}
`
}

function shapeText(shape) {
  if (typeof shape === 'string') return `'${shape}'`
  if (shape === true) return 'true'
  const members = Object.entries(shape).map(([name, inner]) => `${quoted(name)}: ${shapeText(inner)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

function quoted(name) {
  return /^\w+$/.test(name) ? name : `'${name}'`
}

/** The text of `src/client/generated/resources.ts`. */
export function renderClientResources(document) {
  const operations = operationsOf(document).filter(({ id }) => !streamOperations.includes(id))
  const resources = Map.groupBy(operations, ({ resource }) => resource)
  const factories = [...resources].map(([resource, own]) => renderResource(resource, own))
  const names = [...resources.keys()]
  const types = new Set(operations.flatMap(typesUsed))
  return `${heading}
import type { Page, PagePromise } from '../pages.ts'
import type { CallOptions, Requester } from '../requester.ts'
import type {
${[...types]
  .sort()
  .map((name) => `  ${name},`)
  .join('\n')}
} from './types.ts'

export function createResources(requester: Requester) {
  return {
${names.map((name) => `    ${name}: ${factoryOf(name)}(requester),`).join('\n')}
  }
}

${factories.join('\n')}`
}

function operationsOf(document) {
  const taken = new Set()
  const { shapeOf } = createShapes(document)
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => !operation.tags?.includes(leftOutTag))
      .map(([method, operation]) => toOperation({ path, method, operation, taken, document, shapeOf })),
  )
}

/** What keeps its names in answers, by status; null: in all. */
function formsOf(answers, shapeOf) {
  const schemas = answers.flatMap(([status, answer]) => {
    const schema = answer.content?.['application/json']?.schema
    return schema === undefined || schema.type === 'null' ? [] : [[status, schema]]
  })
  const forms = schemas
    .map(([status, schema]) => [status, shapeOf(schema)])
    .filter(([, shape]) => shape !== undefined)
  const isSame =
    forms.length === schemas.length && new Set(forms.map((form) => JSON.stringify(form[1]))).size === 1
  return isSame ? [[null, forms[0][1]]] : forms
}

function toOperation({ path, method, operation, taken, document, shapeOf }) {
  const [tag = ''] = operation.tags
  const resource = camelCase(tag)
  const short = methodName(operation.operationId, resource)
  const name = taken.has(`${resource}.${short}`) ? operation.operationId : short
  taken.add(`${resource}.${name}`)
  const parameters = operation.parameters ?? []
  const has = (place, parameter) => parameters.some((one) => one.in === place && one.name === parameter)
  const answers = Object.entries(operation.responses).filter(([status]) => /^2/.test(status))
  const schemas = answers.flatMap(([, answer]) => {
    const schema = answer.content?.['application/json']?.schema
    return schema === undefined || schema.type === 'null' ? [] : [schema]
  })
  const [schema] = schemas
  const body = operation.requestBody?.content['application/json']?.schema
  return {
    path,
    method: method.toUpperCase(),
    id: operation.operationId,
    resource,
    name,
    summary: operation.summary ?? operation.operationId,
    pathParameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter),
    query: parameters.filter((one) => one.in === 'query' && one.name !== 'tenant'),
    queryType: `${operation.operationId[0].toUpperCase()}${operation.operationId.slice(1)}Query`,
    takesTenant: has('query', 'tenant'),
    takesKey: has('header', 'idempotency-key'),
    body,
    takes: body === undefined ? undefined : shapeOf(body),
    gives: formsOf(answers, shapeOf),
    isBodyNeeded: operation.requestBody?.required === true,
    isBytes: bytesOperations.includes(operation.operationId),
    item: method === 'get' ? pageItem(schema, document) : null,
    saysMore: Object.keys(resolve(schema, document)?.properties ?? {}).length > 2,
    result: schemas.length === 0 ? 'void' : [...new Set(schemas.map(typeOf))].join(' | '),
  }
}

/** `rotateEndpointSecret` of `endpoints` is `rotateSecret`, `publishEvents` of `events` is `publishMany`. */
function methodName(operationId, resource) {
  const plural = `${resource[0].toUpperCase()}${resource.slice(1)}`
  const singular = plural.replace(/ies$/, 'y').replace(/s$/, '')
  // What there is one of, such as `system`, has no plural.
  if (plural !== singular && operationId.includes(plural)) {
    const verb = operationId.replace(plural, '')
    return verb === 'list' ? verb : `${verb}Many`
  }
  const rest = operationId.replace(singular, '')
  return rest === '' ? operationId : rest
}

/** What a page of `{items, next_cursor}` holds; null for any other answer. */
function pageItem(schema, document) {
  const { properties } = resolve(schema, document) ?? {}
  return properties?.items?.type === 'array' && properties.next_cursor !== undefined
    ? typeOf(properties.items.items)
    : null
}

function resolve(schema, document) {
  return schema?.$ref === undefined ? schema : document.components.schemas[schema.$ref.split('/').at(-1)]
}

function factoryOf(resource) {
  return `create${resource[0].toUpperCase()}${resource.slice(1)}`
}

function renderResource(resource, operations) {
  return `function ${factoryOf(resource)}(requester: Requester) {
  return {
${operations.map(renderMethod).join('')}  }
}
`
}

/** By status where answers differ. */
function formsText(forms) {
  if (forms[0][0] === null) return `gives: ${shapeText(forms[0][1])}`
  return `givesBy: { ${forms.map(([status, shape]) => `${status}: ${shapeText(shape)}`).join(', ')} }`
}

function renderMethod(operation) {
  const { path, method, pathParameters, query, takesTenant, takesKey, body, isBodyNeeded } = operation
  const { takes, gives, isBytes } = operation
  const parameters = pathParameters.map((name) => `${camelCase(name)}: string`)
  const members = [`method: '${method}'`, `path: ${pathExpression(path)}`]
  if (body !== undefined) {
    parameters.push(`body: ${typeOf(body)}${isBodyNeeded ? '' : ' = {}'}`)
    members.push('body')
    if (takes !== undefined) members.push(`takes: ${shapeText(takes)}`)
  }
  if (query.length > 0) {
    const isNeeded = query.some((one) => one.required)
    parameters.push(`query: ${operation.queryType}${isNeeded ? '' : ' = {}'}`)
    members.push('query: { ...query }')
  }
  parameters.push('options?: CallOptions')
  if (takesTenant) members.push('takesTenant: true')
  if (takesKey) members.push('takesKey: true')
  if (gives.length > 0 && !isBytes) members.push(formsText(gives))
  members.push('options')
  const { kind, type } = answerOf(operation)
  return `    /** ${operation.summary.replaceAll('*/', '* /')}. */
    ${operation.name}: (${parameters.join(', ')}): ${type} =>
      requester.${kind}({ ${members.join(', ')} }),
`
}

function answerOf({ isBytes, item, result, saysMore }) {
  if (isBytes) return { kind: 'bytes', type: 'Promise<Uint8Array>' }
  if (item !== null) {
    // A page that says more than items and cursor has a type of its own.
    return { kind: 'pages', type: `PagePromise<${item}, ${saysMore ? result : `Page<${item}>`}>` }
  }
  return { kind: 'json', type: `Promise<${result}>` }
}

function typesUsed({ item, result, saysMore, body, queryType, query, isBytes }) {
  const answer = item === null || saysMore ? result : ''
  const texts = [...(isBytes ? [] : [item ?? '', answer]), body === undefined ? '' : typeOf(body)]
  const named = texts.flatMap(
    (text) => text.replace(/'[^']*'|readonly \w+\??:/g, '').match(/\b[A-Z]\w*/g) ?? [],
  )
  return [...named, ...(query.length > 0 ? [queryType] : [])].filter((name) => !builtIn.includes(name))
}

const builtIn = ['Readonly', 'Record', 'Promise', 'Page']

function pathExpression(path) {
  if (!path.includes('{')) return `'${path}'`
  return `\`${path.replace(/\{(\w+)\}/g, (_, name) => `\${encodeURIComponent(${camelCase(name)})}`)}\``
}

function memberOfQuery({ name, required, schema, description }) {
  const optional = required ? '' : '?'
  return `${docComment(description, '  ')}  readonly ${camelMember(name)}${optional}: ${typeOf(schema)}${required ? '' : ' | undefined'}\n`
}

function typeOf(schema) {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1)
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ')
  const alternatives = schema.anyOf ?? schema.oneOf
  if (alternatives !== undefined && schema.type === undefined) {
    const types = [...new Set(alternatives.map(typeOf))]
    return types.includes('unknown') && types.length > 1
      ? types.filter((type) => type !== 'unknown').join(' | ')
      : types.join(' | ')
  }
  const types = Array.isArray(schema.type) ? schema.type : [schema.type]
  return [...new Set(types.map((type) => simpleType(type, schema)))].join(' | ')
}

function simpleType(type, schema) {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return `readonly ${wrapUnion(typeOf(schema.items ?? {}))}[]`
    case 'object':
      return objectType(schema)
    default:
      return schema.properties === undefined ? 'unknown' : objectType(schema)
  }
}

function objectType({ properties = {}, required = [], additionalProperties, patternProperties }) {
  const members = Object.entries(properties).map(([name, schema]) => {
    const isNeeded = required.includes(name)
    const type = isNeeded ? typeOf(schema) : `${typeOf(schema)} | undefined`
    return `${docComment(schema.description, '  ')}  readonly ${camelMember(name)}${isNeeded ? '' : '?'}: ${type}\n`
  })
  if (members.length > 0) return `{\n${members.join('')}}`
  const values =
    typeof additionalProperties === 'object'
      ? additionalProperties
      : Object.values(patternProperties ?? {})[0]
  return `Readonly<Record<string, ${values === undefined ? 'unknown' : typeOf(values)}>>`
}

function wrapUnion(type) {
  return /[|\s]/.test(type) && !type.startsWith('{') ? `(${type})` : type
}

function literal(value) {
  return typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : String(value)
}

function docComment(text, indent = '') {
  if (text === undefined) return ''
  const safe = text.replaceAll('*/', '* /').replace(/\s+/g, ' ').trim()
  return `${indent}/** ${safe[0].toUpperCase()}${safe.slice(1)}${/[.!?]$/.test(safe) ? '' : '.'} */\n`
}

function camelCase(text) {
  return text.replace(/[\s_-]+(\w)/g, (_, letter) => letter.toUpperCase())
}
