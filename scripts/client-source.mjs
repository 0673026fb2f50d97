// Writes the client's types and calls from the OpenAPI document, which is made from the schemas that the server validates with.

const heading = '// Written from the OpenAPI document by "npm run docs:reference"; do not edit.\n'

/** Operations whose answer is not JSON to be parsed but bytes to be kept. */
const bytesOperations = ['getEventPayload']
/** For load balancers and scrapers, not for programs. */
const leftOutTag = 'operations'

/** The text of `src/client/generated/types.ts`. */
export function renderClientTypes(document) {
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
  return [heading, ...types, ...queries].join('\n')
}

/** The text of `src/client/generated/resources.ts`. */
export function renderClientResources(document) {
  const operations = operationsOf(document)
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
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => !operation.tags?.includes(leftOutTag))
      .map(([method, operation]) => toOperation({ path, method, operation, taken, document })),
  )
}

function toOperation({ path, method, operation, taken, document }) {
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
    body: operation.requestBody?.content['application/json']?.schema,
    isBodyNeeded: operation.requestBody?.required === true,
    isBytes: bytesOperations.includes(operation.operationId),
    item: method === 'get' ? pageItem(schema, document) : null,
    result: schemas.length === 0 ? 'void' : [...new Set(schemas.map(typeOf))].join(' | '),
  }
}

/** `rotateEndpointSecret` of `endpoints` is `rotateSecret`, `publishEvents` of `events` is `publishMany`. */
function methodName(operationId, resource) {
  const plural = `${resource[0].toUpperCase()}${resource.slice(1)}`
  const singular = plural.replace(/ies$/, 'y').replace(/s$/, '')
  if (operationId.includes(plural)) {
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

function renderMethod(operation) {
  const { path, method, pathParameters, query, takesTenant, takesKey, body, isBodyNeeded } = operation
  const parameters = pathParameters.map((name) => `${camelCase(name)}: string`)
  const members = [`method: '${method}'`, `path: ${pathExpression(path)}`]
  if (body !== undefined) {
    parameters.push(`body: ${typeOf(body)}${isBodyNeeded ? '' : ' = {}'}`)
    members.push('body')
  }
  if (query.length > 0) {
    const isNeeded = query.some((one) => one.required)
    parameters.push(`query: ${operation.queryType}${isNeeded ? '' : ' = {}'}`)
    members.push('query: { ...query }')
  }
  parameters.push('options?: CallOptions')
  if (takesTenant) members.push('takesTenant: true')
  if (takesKey) members.push('takesKey: true')
  members.push('options')
  const { kind, type } = answerOf(operation)
  return `    /** ${operation.summary.replaceAll('*/', '* /')}. */
    ${operation.name}: (${parameters.join(', ')}): ${type} =>
      requester.${kind}({ ${members.join(', ')} }),
`
}

function answerOf({ isBytes, item, result }) {
  if (isBytes) return { kind: 'bytes', type: 'Promise<Uint8Array>' }
  if (item !== null) return { kind: 'pages', type: `PagePromise<${item}, Page<${item}>>` }
  return { kind: 'json', type: `Promise<${result}>` }
}

function typesUsed({ item, result, body, queryType, query, isBytes }) {
  const texts = [isBytes ? '' : (item ?? result), body === undefined ? '' : typeOf(body)]
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
  return `${docComment(description, '  ')}  readonly ${name}${optional}: ${typeOf(schema)}${required ? '' : ' | undefined'}\n`
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
    const key = /^\w+$/.test(name) ? name : `'${name}'`
    const type = isNeeded ? typeOf(schema) : `${typeOf(schema)} | undefined`
    return `${docComment(schema.description, '  ')}  readonly ${key}${isNeeded ? '' : '?'}: ${type}\n`
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
