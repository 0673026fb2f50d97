/**
 * A schema that somebody gave, made into the one that payloads are checked by: keywords that are known and nothing else,
 * within bounds, with no reference that leads out of it, and in each of its parts what that part costs.
 */
import { Pattern, PatternRefused } from './pattern.ts'
import { type KeywordForm, keywords } from './schema-keywords.ts'

export const draft = 'https://json-schema.org/draft/2020-12/schema'
/** Of its JSON. */
export const maxSchemaBytes = 64 * 1024
const maxDepth = 32
/** The compiler takes a fifth of a millisecond for each. */
export const maxSchemas = 500
/** The keyword that the compiler has besides those of JSON Schema: what a look at this part costs. */
export const costKeyword = 'x-cost'

type Members = Readonly<Record<string, unknown>>

/** What is wrong with it, as a sentence that begins with the place, such as `schema.properties.id`. */
export class SchemaRefused extends Error {}

/** Throws a `SchemaRefused`. Whether keywords hold what they may hold is for the meta-schema to say. */
export function readSchema(schema: unknown): Members | boolean {
  if (Buffer.byteLength(JSON.stringify(schema) ?? '') > maxSchemaBytes) {
    throw new SchemaRefused(`schema is larger than ${maxSchemaBytes} bytes of JSON`)
  }
  const walk = new Walk()
  const read = walk.read(schema, { pointer: '', path: 'schema', depth: 0 })
  walk.resolveReferences()
  return read
}

interface Place {
  /** A JSON Pointer. */
  readonly pointer: string
  /** As people write it. */
  readonly path: string
  readonly depth: number
}

interface Named {
  readonly place: Place
  /** What is made of the part. */
  readonly holder: Record<string, unknown>
}

interface Reference extends Pick<Named, 'holder'> {
  readonly path: string
  readonly to: string
}

class Walk {
  readonly #pointers = new Set<string>()
  /** With the pointer of the part that each names. */
  readonly #anchors = new Map<string, string>()
  readonly #references: Reference[] = []

  read(schema: unknown, place: Place): Members | boolean {
    const { pointer, path, depth } = place
    this.#pointers.add(pointer)
    if (this.#pointers.size > maxSchemas) throw new SchemaRefused(`schema has more than ${maxSchemas} parts`)
    if (depth > maxDepth) throw new SchemaRefused(`schema is nested deeper than ${maxDepth} at ${path}`)
    if (typeof schema === 'boolean') return schema
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
      throw new SchemaRefused(`${path} must be an object, or true or false`)
    }
    const given = schema as Members
    const read: Record<string, unknown> = { [costKeyword]: costOf(given) }
    this.#readNames(given, { place, holder: read })
    for (const [name, value] of Object.entries(given)) {
      const form = Object.hasOwn(keywords, name) ? (keywords[name] as KeywordForm) : null
      if (form === null) continue
      const inner = {
        pointer: `${pointer}/${escapePointer(name)}`,
        path: memberOf(path, name),
        depth: depth + 1,
      }
      if (name === 'pattern' && typeof value === 'string') checkPattern(value, inner.path)
      read[name] = this.#readKeyword(form, value, inner)
    }
    return read
  }

  /**
   * By pointers from the outermost schema, all of them. A schema is one resource here, because none of its parts may have
   * an id, and there a dynamic reference means what a plain one does. Of both in one part the second holds too.
   */
  resolveReferences(): void {
    for (const { path, to, holder } of this.#references) {
      const target = unescapeUri(to.slice(1))
      const pointer = target === '' || target.startsWith('/') ? target : this.#anchors.get(target)
      if (pointer === undefined || !this.#pointers.has(pointer)) {
        throw new SchemaRefused(`${path} refers to ${JSON.stringify(to)}, and no schema is there`)
      }
      const $ref = `#${pointer.split('/').map(encodeURIComponent).join('/')}`
      if (holder.$ref === undefined) holder.$ref = $ref
      else
        holder.allOf = [
          ...((holder.allOf as readonly unknown[] | undefined) ?? []),
          { [costKeyword]: 2, $ref },
        ]
    }
  }

  #readNames(given: Members, { place: { path, pointer, depth }, holder }: Named): void {
    const { $schema, $id, $anchor, $dynamicAnchor, $ref, $dynamicRef } = given
    if (
      $schema !== undefined &&
      (depth > 0 || typeof $schema !== 'string' || $schema.replace(/#$/, '') !== draft)
    ) {
      throw new SchemaRefused(`${path}.$schema must be ${draft}, in the outermost schema alone, or absent`)
    }
    // It would change what the references below it mean.
    if ($id !== undefined && depth > 0) {
      throw new SchemaRefused(`${path}.$id: only the outermost schema may have one`)
    }
    for (const anchor of new Set([$anchor, $dynamicAnchor])) {
      if (typeof anchor !== 'string') continue
      if (this.#anchors.has(anchor))
        throw new SchemaRefused(`${path} has an anchor that another part has too`)
      this.#anchors.set(anchor, pointer)
    }
    for (const [name, to] of Object.entries({ $ref, $dynamicRef })) {
      if (typeof to !== 'string') continue
      if (!to.startsWith('#')) {
        throw new SchemaRefused(
          `${path}.${name} refers to ${JSON.stringify(to.slice(0, 200))}, which is another document; nothing is fetched: write what it holds into $defs, and refer to it by "#/$defs/…"`,
        )
      }
      this.#references.push({ path: `${path}.${name}`, to, holder })
    }
  }

  #readKeyword(form: KeywordForm, value: unknown, place: Place): unknown {
    switch (form) {
      case 'schema':
        return this.read(value, place)
      case 'schemas':
        if (!Array.isArray(value)) throw new SchemaRefused(`${place.path} must be a list of schemas`)
        return value.map((each, index) =>
          this.read(each, {
            ...place,
            pointer: `${place.pointer}/${index}`,
            path: `${place.path}[${index}]`,
          }),
        )
      case 'members':
      case 'patterns':
        return this.#readMembers(form, value, place)
      case 'value':
      case 'limit':
        return value
    }
  }

  #readMembers(form: KeywordForm, value: unknown, place: Place): Members {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new SchemaRefused(`${place.path} must be an object of schemas by their names`)
    }
    const entries = Object.entries(value).map(([name, each]) => {
      const path = memberOf(place.path, name)
      if (form === 'patterns') checkPattern(name, path)
      return [name, this.read(each, { ...place, pointer: `${place.pointer}/${escapePointer(name)}`, path })]
    })
    return Object.fromEntries(entries)
  }
}

/** Of what is looked at whatever the payload is: values that are compared with, names that are looked for. */
function costOf(given: Members): number {
  let cost = 2 + Object.keys(given).length
  for (const name of ['enum', 'const'] as const) {
    if (given[name] !== undefined) cost += Math.ceil(JSON.stringify(given[name]).length / 16)
  }
  for (const name of [
    'properties',
    'required',
    'dependentRequired',
    'dependentSchemas',
    'patternProperties',
  ]) {
    const value = given[name]
    if (typeof value === 'object' && value !== null) cost += Object.keys(value).length
  }
  return cost
}

const unpaid = { spend: () => {} }

function checkPattern(source: string, path: string): void {
  try {
    new Pattern(source, unpaid)
  } catch (error) {
    if (error instanceof PatternRefused) throw new SchemaRefused(`${path}: the expression ${error.message}`)
    throw error
  }
}

function memberOf(path: string, name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name)
    ? `${path}.${name}`
    : `${path}[${JSON.stringify(name.slice(0, 100))}]`
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function unescapeUri(pointer: string): string {
  try {
    return decodeURIComponent(pointer)
  } catch {
    return pointer
  }
}
