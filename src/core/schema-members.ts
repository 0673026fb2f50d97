/** The members that a JSON Schema describes, as rows that people read. */
type Members = Readonly<Record<string, unknown>>

export interface MemberRow {
  /** Such as `items[].price`. */
  readonly path: string
  /** Such as `string or null`; empty: any. */
  readonly type: string
  readonly isRequired: boolean
  readonly description: string
}

const maxRows = 200
const maxDepth = 6

/** In the order of the schema; what lies deeper or beyond is left to the schema itself. */
export function listMembers(schema: unknown): readonly MemberRow[] {
  const rows: MemberRow[] = []
  addMembers(schema, { root: schema, path: '', depth: 0, rows })
  return rows
}

interface Walk {
  readonly root: unknown
  readonly path: string
  readonly depth: number
  readonly rows: MemberRow[]
}

function addMembers(given: unknown, walk: Walk): void {
  const schema = resolve(given, walk.root)
  if (schema === null || walk.depth > maxDepth) return
  for (const part of listOf(schema.allOf)) addMembers(part, { ...walk, depth: walk.depth + 1 })
  if (schema.items !== undefined)
    addMembers(schema.items, { ...walk, path: `${walk.path}[]`, depth: walk.depth + 1 })
  const required = listOf(schema.required)
  for (const [name, part] of Object.entries(isMembers(schema.properties) ? schema.properties : {})) {
    if (walk.rows.length >= maxRows) return
    const path = walk.path === '' ? name : `${walk.path}.${name}`
    const member = resolve(part, walk.root)
    const description = typeof member?.description === 'string' ? member.description : ''
    walk.rows.push({ path, type: typeOf(member), isRequired: required.includes(name), description })
    addMembers(part, { ...walk, path, depth: walk.depth + 1 })
  }
}

function typeOf(schema: Members | null): string {
  if (schema === null) return ''
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (Array.isArray(schema.enum))
    return shortened(schema.enum.map((value) => JSON.stringify(value)).join(' or '))
  const types = [schema.type].flat().filter((type) => typeof type === 'string')
  const format = typeof schema.format === 'string' ? ` (${schema.format})` : ''
  return types.length === 0 ? '' : types.join(' or ') + format
}

/** A part of the schema; null: it says nothing of members. */
function resolve(given: unknown, root: unknown): Members | null {
  let schema = given
  for (let hop = 0; hop < 10 && isMembers(schema) && typeof schema.$ref === 'string'; hop++) {
    const { $ref, ...beside } = schema
    const target = find(root, $ref as string)
    schema = isMembers(target) ? { ...target, ...beside } : beside
  }
  return isMembers(schema) ? schema : null
}

function find(root: unknown, reference: string): unknown {
  if (reference !== '#' && !reference.startsWith('#/')) return null
  let value = root
  for (const name of reference.split('/').slice(1)) {
    const plain = decode(name).replaceAll('~1', '/').replaceAll('~0', '~')
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, plain)
        ? (value as Members)[plain]
        : null
  }
  return value
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function shortened(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 119)}…`
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
