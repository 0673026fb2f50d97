/** Reads the JSON of a filter, once, when it is saved or loaded: what can never be meant is refused and names its place. */
import { OuthookError } from '../errors.ts'
import { memberPath } from '../member-path.ts'
import { isPlainObject } from '../plain-object.ts'
import type {
  Comparison,
  Condition,
  Contained,
  FilterJson,
  Json,
  Member,
  Scalar,
  Wanted,
} from './condition.ts'

/** Of the whole as JSON. */
export const maxFilterBytes = 8192
/** Objects and lists within each other. */
export const maxFilterDepth = 12
/** Names, values and operators in all. */
export const maxFilterConditions = 200

export const filterOperators = [
  '$eq',
  '$neq',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$in',
  '$nin',
  '$exist',
  '$startsWith',
  '$endsWith',
  '$contains',
  '$or',
  '$and',
  '$not',
] as const
export type FilterOperator = (typeof filterOperators)[number]

type LogicalOperator = Extract<FilterOperator, '$or' | '$and' | '$not'>
type ValueOperator = Exclude<FilterOperator, LogicalOperator>

export interface ParsedFilter {
  /** A copy, which the caller's changes do not reach. */
  readonly json: FilterJson
  readonly condition: Condition
}

/** Null and `{}`, which lets everything through, are no filter. Throws `unprocessable`, which names the place. */
export function parseFilter(input: unknown, member = 'filter'): ParsedFilter | null {
  if (input === undefined || input === null) return null
  if (typeof input !== 'object' || !isPlainObject(input)) {
    throw refused(member, 'must be an object such as {"amount": {"$gte": 100}}, or null for none')
  }
  const reader = new FilterReader()
  const condition = reader.read(input, { path: member, depth: 1 })
  const text = JSON.stringify(input)
  if (Buffer.byteLength(text) > maxFilterBytes) {
    throw refused(member, `is larger than ${maxFilterBytes} bytes of JSON; give fewer or shorter conditions`)
  }
  return text === '{}' ? null : { json: JSON.parse(text) as FilterJson, condition }
}

interface Place {
  readonly path: string
  readonly depth: number
}

class FilterReader {
  #conditions = 0

  read(input: unknown, place: Place): Condition {
    this.#count(place)
    if (isScalar(input)) return { kind: 'scalar', value: input }
    if (Array.isArray(input)) return this.#readElements(input, place)
    if (typeof input === 'object' && isPlainObject(input as object)) {
      return this.#readObject(input as Readonly<Record<string, unknown>>, place)
    }
    throw refused(place.path, `is ${describe(input)}; give what JSON has, and a date as a string`)
  }

  #count(place: Place): void {
    checkDepth(place)
    if (++this.#conditions > maxFilterConditions)
      throw refused(place.path, `is one condition too many; a filter has at most ${maxFilterConditions}`)
  }

  #readElements(input: readonly unknown[], place: Place): Condition {
    checkLength(input, place.path, 'every list passes an empty one; {"$eq": []} is the empty list')
    return { kind: 'elements', conditions: this.#readEach(input, place) }
  }

  #readEach(input: readonly unknown[], { path, depth }: Place): readonly Condition[] {
    if (input.length > maxFilterConditions)
      throw refused(path, `has more entries than a filter has conditions, which are ${maxFilterConditions}`)
    return Array.from(input, (each, index) =>
      this.read(each, { path: `${path}[${index}]`, depth: depth + 1 }),
    )
  }

  #readObject(input: Readonly<Record<string, unknown>>, { path, depth }: Place): Condition {
    const members: Member[] = []
    const logical: Condition[] = []
    const ofValue: Condition[] = []
    for (const [name, given] of Object.entries(input)) {
      const place = { path: memberPath(path, name, false), depth: depth + 1 }
      if (!name.startsWith('$'))
        members.push({ name, isInherited: isInherited(name), condition: this.read(given, place) })
      else if (isLogical(name)) logical.push(this.#readLogical(name, given, place))
      else ofValue.push(this.#readOperator(name, given, place))
    }
    if (ofValue.length > 0 && members.length > 0) {
      const name = memberPath('', members[0]?.name ?? '', false).replace(/^\./, '')
      throw refused(
        path,
        `has both operators and the member ${name}; operators are about the value itself: write {"$and": [{…}, {…}]} for both`,
      )
    }
    if (ofValue.length === 0 && (members.length > 0 || logical.length === 0)) {
      return { kind: 'members', members, beside: logical }
    }
    const conditions = [...ofValue, ...logical]
    return conditions.length === 1
      ? (conditions[0] as Condition)
      : { kind: 'all', conditions, given: input as Json }
  }

  #readLogical(operator: LogicalOperator, given: unknown, place: Place): Condition {
    this.#count(place)
    if (operator === '$not') {
      const condition = this.read(given, place)
      return { kind: 'not', condition, given: { $not: given as Json } }
    }
    if (!Array.isArray(given)) throw refused(place.path, 'must be a list of conditions')
    checkLength(given, place.path, 'give at least one condition')
    const conditions = this.#readEach(given, place)
    const shown = { [operator]: given as Json }
    return { kind: operator === '$or' ? 'any' : 'all', conditions, given: shown }
  }

  #readOperator(name: string, given: unknown, place: Place): Condition {
    this.#count(place)
    const operator = filterOperators.find((known): known is ValueOperator => known === name)
    if (operator === undefined) {
      throw refused(place.path, `is no operator; operators are ${filterOperators.join(', ')}`)
    }
    return readValueOperator(operator, this.#readJson(given, place), place.path)
  }

  /** What a payload is compared with. */
  #readJson(given: unknown, place: Place): Json {
    if (isScalar(given)) return given
    if (typeof given !== 'object' || !(Array.isArray(given) || isPlainObject(given as object)))
      throw refused(place.path, `is ${describe(given)}; give what JSON has, and a date as a string`)
    if (Array.isArray(given) && given.length > maxFilterBytes)
      throw refused(place.path, `has more entries than fit into a filter of ${maxFilterBytes} bytes`)
    const entries: readonly (readonly [string, unknown])[] = Array.isArray(given)
      ? Array.from(given, (each, index) => [String(index), each] as const)
      : Object.entries(given as object)
    for (const [name, each] of entries) {
      const inner = { path: memberPath(place.path, name, Array.isArray(given)), depth: place.depth + 1 }
      checkDepth(inner)
      this.#readJson(each, inner)
    }
    return given as Json
  }
}

function readValueOperator(operator: ValueOperator, operand: Json, path: string): Condition {
  switch (operator) {
    case '$eq':
    case '$neq':
      return { kind: 'equal', wanted: toWanted(operand), isNegated: operator === '$neq', given: operand }
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return { kind: 'compare', operator, operand: readComparable(operand, operator, path) }
    case '$in':
    case '$nin':
      return readIn(operator, operand, path)
    case '$contains':
      return readContains(operand, path)
    case '$startsWith':
    case '$endsWith': {
      const operands = readTexts(operand, path)
      return { kind: operator === '$startsWith' ? 'begins' : 'ends', operands, given: operand }
    }
    case '$exist':
      if (typeof operand === 'boolean') return { kind: 'exist', operand }
      throw refused(path, 'must be true or false')
  }
}

function readComparable(operand: Json, operator: Comparison, path: string): number | string {
  if (typeof operand === 'number' || typeof operand === 'string') return operand
  throw refused(path, `must be a number, or a text such as a date, to compare with ${operator}`)
}

/** A list: the value is one of it. Anything else: the value contains it. */
function readIn(operator: '$in' | '$nin', operand: Json, path: string): Condition {
  if (!Array.isArray(operand)) {
    if (isScalar(operand))
      return { kind: 'contains', operator, operands: [contained(operand)], given: operand }
    throw refused(path, 'must be a list of values, or one value that a text or a list contains')
  }
  const list = operand as readonly Json[]
  checkLength(list, path, 'nothing is in an empty list')
  const index = list.findIndex((each) => !isScalar(each))
  if (index >= 0) throw refused(`${path}[${index}]`, 'must be a string, a number, true, false or null')
  return { kind: 'one_of', operands: new Set(list as readonly Scalar[]), isNegated: operator === '$nin' }
}

function readContains(operand: Json, path: string): Condition {
  const list = Array.isArray(operand) ? (operand as readonly Json[]) : [operand as Json]
  checkLength(list, path, 'everything contains nothing')
  return { kind: 'contains', operator: '$contains', operands: list.map(contained), given: operand }
}

function readTexts(operand: Json, path: string): readonly string[] {
  if (typeof operand === 'string') return [operand]
  if (!Array.isArray(operand)) throw refused(path, 'must be a text, or a list of texts of which one will do')
  const list = operand as readonly Json[]
  checkLength(list, path, 'give at least one text')
  const index = list.findIndex((each) => typeof each !== 'string')
  if (index >= 0) throw refused(`${path}[${index}]`, 'must be a text')
  return list as readonly string[]
}

/** From the most common letter of texts and of JSON's values on; what is not here is rarer than all of these. */
const commonLetters = 'e taoinsrhldcumfpgwybv0123456789k-_./:,'

function contained(value: Json): Contained {
  const wanted = toWanted(value)
  if (typeof value !== 'string') return { wanted, text: null, rarestAt: 0 }
  let rarestAt = 0
  let rank = -1
  for (let at = 0; at < value.length; at++) {
    const found = commonLetters.indexOf(value[at] as string)
    const rankHere = found === -1 ? commonLetters.length : found
    if (rankHere > rank) [rarestAt, rank] = [at, rankHere]
  }
  return { wanted, text: value, rarestAt }
}

function toWanted(value: Json): Wanted {
  if (isScalar(value)) return { kind: 'scalar', value }
  if (Array.isArray(value)) return { kind: 'list', items: value.map(toWanted) }
  const members = Object.entries(value).map(([name, each]) => ({
    name,
    isInherited: isInherited(name),
    value: toWanted(each),
  }))
  return { kind: 'object', members }
}

function isInherited(name: string): boolean {
  return name in Object.prototype
}

function checkDepth({ path, depth }: Place): void {
  if (depth > maxFilterDepth)
    throw refused(path, `lies deeper than ${maxFilterDepth} objects and lists; make the filter flatter`)
}

function checkLength(list: readonly unknown[], path: string, whyNotEmpty: string): void {
  if (list.length === 0) throw refused(path, `must not be empty: ${whyNotEmpty}`)
}

function isLogical(name: string): name is LogicalOperator {
  return name === '$or' || name === '$and' || name === '$not'
}

function isScalar(value: unknown): value is Scalar {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value)
    default:
      return value === null
  }
}

function describe(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`
  return value instanceof Date ? 'a Date' : 'an object of a class'
}

function refused(path: string, problem: string): OuthookError {
  return new OuthookError('unprocessable', `${path} ${problem}`)
}
