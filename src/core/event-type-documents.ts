/** A catalogue of event types as documents that tools read: OpenAPI 3.1 with `webhooks`, and AsyncAPI 3. */
import type { EventType } from './event-type.ts'

type Members = Readonly<Record<string, unknown>>

/** What a document says besides the types. */
export interface DocumentInfo {
  readonly title: string
  /** Another one after each change of the catalogue. */
  readonly version: string
}

const description =
  'The events that you can receive as webhooks. Each is a request with the payload as its body, signed as https://www.standardwebhooks.com says unless your endpoint has another scheme. Answer with a status from 200 to 299; anything else is tried again.'

/** What the default signing scheme sends with each. */
const headers: readonly (readonly [name: string, description: string])[] = [
  ['webhook-id', 'the same whenever the same event is sent again'],
  ['webhook-timestamp', 'seconds since 1970, of this attempt'],
  ['webhook-signature', 'signatures of id, timestamp and body, separated by spaces'],
]

export function toOpenApi(types: readonly EventType[], info: DocumentInfo): Members {
  const names = componentNames(types)
  const parameters = headers.map(([name, text]) => [
    name,
    { name, in: 'header', required: true, description: text, schema: { type: 'string' } },
  ])
  const schemas = types
    .filter(({ schema }) => schema !== null)
    .map((type) => {
      const name = names.get(type.name) as string
      return [name, schemaOf(type, `#/components/schemas/${name}`)]
    })
  return {
    openapi: '3.1.0',
    info: { ...info, description },
    tags: groupsOf(types).map((name) => ({ name })),
    webhooks: Object.fromEntries(types.map((type) => [type.name, { post: operationOf(type, names) }])),
    components: { parameters: Object.fromEntries(parameters), schemas: Object.fromEntries(schemas) },
  }
}

function operationOf(type: EventType, names: ReadonlyMap<string, string>): Members {
  const { example } = type
  const schema = type.schema === null ? {} : { $ref: `#/components/schemas/${names.get(type.name)}` }
  return {
    ...wordsOf(type),
    ...(type.group !== null && { tags: [type.group] }),
    ...(type.deprecated && { deprecated: true }),
    parameters: headers.map(([header]) => ({ $ref: `#/components/parameters/${header}` })),
    requestBody: {
      required: true,
      content: { 'application/json': { schema, ...(example !== null && { example }) } },
    },
    responses: {
      '2XX': { description: 'it was received' },
      '410': { description: 'nothing more is wanted: the endpoint is disabled' },
      default: { description: 'it is tried again' },
    },
  }
}

export function toAsyncApi(types: readonly EventType[], info: DocumentInfo): Members {
  const names = componentNames(types)
  const byName = (make: (type: EventType, name: string) => Members) =>
    Object.fromEntries(
      types.map((type) => {
        const name = names.get(type.name) as string
        return [name, make(type, name)]
      }),
    )
  return {
    asyncapi: '3.0.0',
    info: { ...info, description },
    defaultContentType: 'application/json',
    channels: byName((type, name) => ({
      address: type.name,
      messages: { [name]: { $ref: `#/components/messages/${name}` } },
    })),
    operations: byName((_type, name) => ({ action: 'send', channel: { $ref: `#/channels/${name}` } })),
    components: { messages: byName(messageOf) },
  }
}

function messageOf(type: EventType, name: string): Members {
  const { group, deprecated, schema, example } = type
  const tags = [...(group === null ? [] : [group]), ...(deprecated ? ['deprecated'] : [])]
  const schemaFormat = 'application/schema+json;version=draft-2020-12'
  return {
    name: type.name,
    ...wordsOf(type),
    ...(tags.length > 0 && { tags: tags.map((tag) => ({ name: tag })) }),
    ...(schema !== null && {
      payload: { schemaFormat, schema: schemaOf(type, `#/components/messages/${name}/payload/schema`) },
    }),
    ...(example !== null && { examples: [{ payload: example }] }),
  }
}

function wordsOf({ name, description: text }: EventType): Members {
  const [summary = ''] = text.split('\n', 1)
  return { summary: summary === '' ? name : summary, ...(text !== '' && { description: text }) }
}

/**
 * A schema that stands within a document. Its own references count from the document's root there, so they are written
 * anew. One with anchors gets an id instead, by which it stays a resource of its own in which they mean what they did.
 */
function schemaOf({ name, schema }: EventType, at: string): unknown {
  if (!isMembers(schema)) return schema
  const { $schema: _draft, ...rest } = schema
  if (rest.$id !== undefined) return rest
  if (hasAnchors(rest)) return { $id: `urn:outhook:event-type:${encodeURIComponent(name)}`, ...rest }
  return withReferences(rest, at)
}

/** What a schema compares with or shows is no schema. */
const values: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples', 'example'])

function withReferences(value: unknown, at: string): unknown {
  if (Array.isArray(value)) return value.map((each) => withReferences(each, at))
  if (!isMembers(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      if (name === '$ref' && typeof part === 'string') return [name, at + part.slice(1)]
      return [name, values.has(name) ? part : withReferences(part, at)]
    }),
  )
}

function hasAnchors(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasAnchors)
  if (!isMembers(value)) return false
  if (value.$anchor !== undefined || value.$dynamicAnchor !== undefined) return true
  return Object.values(value).some(hasAnchors)
}

/** Names as components may have them, each once. */
function componentNames(types: readonly EventType[]): ReadonlyMap<string, string> {
  const taken = new Set<string>()
  const names = new Map<string, string>()
  for (const { name } of types) {
    const plain = name.replace(/[^a-zA-Z0-9._-]/g, '_')
    let free = plain
    for (let count = 2; taken.has(free); count++) free = `${plain}_${count}`
    taken.add(free)
    names.set(name, free)
  }
  return names
}

export function groupsOf(types: readonly EventType[]): readonly string[] {
  return [...new Set(types.flatMap(({ group }) => (group === null ? [] : [group])))].sort()
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
