/** What an OpenAPI 3.1 document says of its webhooks, as event types: pure, and with nothing but what stands in it. */
import { OuthookError } from './errors.ts'

type Members = Readonly<Record<string, unknown>>

export interface DescribedEvent {
  readonly name: string
  /** Absent: the document does not say. */
  readonly description?: string
  readonly group?: string
  /** Its references lead to `$defs` of its own. */
  readonly schema?: unknown
  readonly example?: unknown
  readonly deprecated?: boolean
}

const componentPrefix = '#/components/schemas/'
/** What references may lead through, one after the other. */
const maxHops = 20

/** Throws `unprocessable`, which names the place. */
export function readWebhooks(document: unknown): readonly DescribedEvent[] {
  if (!isMembers(document)) throw refused('document', 'must be an object: an OpenAPI document')
  const { openapi, webhooks } = document
  if (typeof openapi !== 'string' || !/^3\.[12]\.\d+/.test(openapi)) {
    throw refused('document.openapi', 'must be a version that has webhooks, such as "3.1.0"')
  }
  if (!isMembers(webhooks) || Object.keys(webhooks).length === 0) {
    throw refused('document.webhooks', 'must be an object of webhooks by their names, with one at least')
  }
  const reader = new DocumentReader(document)
  return Object.entries(webhooks).map(([name, item]) => reader.readWebhook(name, item))
}

class DocumentReader {
  readonly #document: Members

  constructor(document: Members) {
    this.#document = document
  }

  readWebhook(name: string, given: unknown): DescribedEvent {
    const place = `document.webhooks[${JSON.stringify(name.slice(0, 255))}]`
    const item = this.#follow(given, place)
    const methods = ['post', 'put', 'patch', 'get', 'delete']
    const method = methods.find((each) => isMembers(item[each]))
    if (method === undefined) throw refused(place, 'has no operation such as "post"')
    const operation = item[method] as Members
    const { summary = item.summary, description = item.description, tags, deprecated } = operation
    const text = [summary, description].filter((each) => typeof each === 'string' && each !== '').join('\n\n')
    const [group] = Array.isArray(tags) ? (tags as readonly unknown[]) : []
    return {
      name,
      ...(text !== '' && { description: text }),
      ...(typeof group === 'string' && { group }),
      ...(typeof deprecated === 'boolean' && { deprecated }),
      ...this.#readBody(operation.requestBody, `${place}.${method}.requestBody`),
    }
  }

  #readBody(given: unknown, place: string): Pick<DescribedEvent, 'schema' | 'example'> {
    if (given === undefined) return {}
    const { content } = this.#follow(given, place)
    if (!isMembers(content)) throw refused(`${place}.content`, 'must be an object of media types')
    const type = Object.keys(content).find((each) => /^[^/]+\/(?:.*\+)?json\s*(?:;|$)/i.test(each))
    if (type === undefined) return {}
    const media = this.#follow(content[type], `${place}.content[${JSON.stringify(type)}]`)
    const example = this.#readExample(media, place)
    return {
      ...(media.schema !== undefined && { schema: this.#readSchema(media.schema, `${place}.schema`) }),
      ...(example !== undefined && { example }),
    }
  }

  #readExample(media: Members, place: string): unknown {
    if (media.example !== undefined) return media.example
    const [first] = isMembers(media.examples) ? Object.values(media.examples) : []
    if (first !== undefined) return this.#follow(first, `${place}.examples`).value
    if (!isMembers(media.schema)) return undefined
    const schema = this.#follow(media.schema, `${place}.schema`)
    return Array.isArray(schema.examples) ? (schema.examples as readonly unknown[])[0] : schema.example
  }

  /** The schema, with the schemas of the document that it refers to. */
  #readSchema(given: unknown, place: string): unknown {
    const definitions = new Map<string, unknown>()
    const schema = this.#withDefinitions(given, { place, definitions })
    if (definitions.size === 0) return schema
    const own = isMembers(schema) && isMembers(schema.$defs) ? schema.$defs : {}
    const clash = Object.keys(own).find((name) => definitions.has(name))
    if (clash !== undefined)
      throw refused(`${place}.$defs.${clash}`, 'has the name of a schema of the document')
    return { ...(schema as Members), $defs: { ...own, ...Object.fromEntries(definitions) } }
  }

  #withDefinitions(value: unknown, walk: Walk): unknown {
    if (Array.isArray(value)) return value.map((each) => this.#withDefinitions(each, walk))
    if (!isMembers(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [
        name,
        name === '$ref' && typeof part === 'string'
          ? this.#toDefinition(part, walk)
          : this.#withDefinitions(part, walk),
      ]),
    )
  }

  #toDefinition(reference: string, walk: Walk): string {
    if (!reference.startsWith(componentPrefix)) {
      throw refused(
        walk.place,
        `refers to ${JSON.stringify(reference.slice(0, 200))}; a schema may refer to "${componentPrefix}…" of the same document alone`,
      )
    }
    const [escaped = '', ...rest] = reference.slice(componentPrefix.length).split('/')
    const name = unescapePointer(escaped)
    if (!walk.definitions.has(name)) {
      // Before what it refers to, which may be itself.
      walk.definitions.set(name, true)
      walk.definitions.set(
        name,
        this.#withDefinitions(this.#find(componentPrefix + escaped, walk.place), walk),
      )
    }
    return ['#/$defs', escaped, ...rest].join('/')
  }

  #follow(given: unknown, place: string): Members {
    let value = given
    for (let hop = 0; isMembers(value) && typeof value.$ref === 'string'; hop++) {
      if (hop >= maxHops) throw refused(place, 'refers to something that refers on and on')
      value = this.#find(value.$ref, place)
    }
    if (isMembers(value)) return value
    throw refused(place, 'must be an object')
  }

  #find(reference: string, place: string): unknown {
    if (!reference.startsWith('#/')) {
      throw refused(
        place,
        `refers to ${JSON.stringify(reference.slice(0, 200))}, which is another document; nothing is fetched, so bundle them into one`,
      )
    }
    const names = reference.slice(2).split('/').map(unescapePointer)
    let value: unknown = this.#document
    for (const name of names) {
      const has = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      value = has ? (value as Members)[name] : undefined
    }
    if (value !== undefined) return value
    throw refused(place, `refers to ${JSON.stringify(reference.slice(0, 200))}, and there is nothing`)
  }
}

interface Walk {
  readonly place: string
  readonly definitions: Map<string, unknown>
}

function unescapePointer(text: string): string {
  let decoded = text
  try {
    decoded = decodeURIComponent(text)
  } catch {}
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~')
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(place: string, problem: string): OuthookError {
  return new OuthookError('unprocessable', `${place} ${problem}`)
}
