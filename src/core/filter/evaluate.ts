/**
 * Whether a payload passes a filter. Each step costs what it takes, in nanoseconds or so, and when the allowance of the
 * payload's size is spent the filter is stopped: so none can run away, whatever it and the payload are made of. What it
 * decides depends on the two alone, never on a clock.
 */
import type { Condition, Contained, Json, Member, Scalar, Wanted } from './condition.ts'

export type FilterVerdict = 'passes' | 'fails' | 'too_costly'

/** One look at a condition, at a member by its name, at an element of a list, at one place of a text. */
const conditionCost = 7
const memberCost = 11
const elementCost = 2
const candidateCost = 14
const charCost = 3
/** By shifts, so that what is left stays a whole number: characters that are looked through for one letter, or hashed. */
const searchedShift = 5
const hashedShift = 2

/** 20 µs for 10 kB, and some for those that are small. */
const costPerByte = 1.4
const leastAllowance = 4000
/** Lists directly within lists: deeper ones are no data that anybody filters by, and would use up the stack. */
const maxNestedLists = 32

/** Of a member that is not there. */
export type Value = Json | undefined

/** What is left to pay with. */
export interface Meter {
  left: number
}

export function createMeter(payloadBytes: number): Meter {
  return { left: Math.max(leastAllowance, Math.ceil(payloadBytes * costPerByte)) }
}

/** @param payloadBytes of the payload as JSON */
export function evaluateFilter(condition: Condition, payload: Json, payloadBytes: number): FilterVerdict {
  const meter = createMeter(payloadBytes)
  const passes = holds(condition, payload, meter)
  // What was stopped is no answer, however it would have been turned by a `$not`.
  if (meter.left < 0) return 'too_costly'
  return passes ? 'passes' : 'fails'
}

export function holds(condition: Condition, value: Value, meter: Meter): boolean {
  meter.left -= conditionCost
  if (meter.left < 0) return false
  switch (condition.kind) {
    case 'scalar':
      return holdsScalar(condition.value, value, meter, 0)
    case 'members':
      return holdsMembers(condition, value, meter, 0)
    case 'elements':
      return (
        Array.isArray(value) &&
        condition.conditions.every((each) => isPassedByElement(each, value as readonly Json[], meter))
      )
    case 'all':
      for (const each of condition.conditions) if (!holds(each, value, meter)) return false
      return true
    case 'any':
      for (const each of condition.conditions) if (holds(each, value, meter)) return true
      return false
    case 'not':
      return !holds(condition.condition, value, meter)
    case 'exist':
      return (value !== undefined) === condition.operand
    default:
      return value !== undefined && holdsOfValue(condition, value, meter)
  }
}

function holdsScalar(wanted: Scalar, value: Value, meter: Meter, nested: number): boolean {
  if (!Array.isArray(value)) return isSame(wanted, value, meter)
  const list = value as readonly Json[]
  if (!entersList(list, meter, nested)) return false
  for (const element of list) {
    if (element === wanted) return isSame(wanted, element, meter)
    if (Array.isArray(element) && holdsScalar(wanted, element, meter, nested + 1)) return true
  }
  return false
}

type Members = Extract<Condition, { readonly kind: 'members' }>

function holdsMembers(condition: Members, value: Value, meter: Meter, nested: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (!Array.isArray(value)) return hasMembers(condition, value as JsonObject, meter)
  const list = value as readonly Json[]
  if (!entersList(list, meter, nested)) return false
  for (const element of list) {
    if (meter.left < 0) return false
    if (typeof element !== 'object' || element === null) continue
    const passes = Array.isArray(element)
      ? holdsMembers(condition, element, meter, nested + 1)
      : hasMembers(condition, element as JsonObject, meter)
    if (passes) return true
  }
  return false
}

type JsonObject = { readonly [name: string]: Json }

function hasMembers({ members, beside }: Members, object: JsonObject, meter: Meter): boolean {
  for (const member of members) {
    meter.left -= memberCost
    if (meter.left < 0 || !holds(member.condition, ownMember(object, member), meter)) return false
  }
  for (const each of beside) if (!holds(each, object, meter)) return false
  return true
}

/** No payload has `constructor` unless its JSON says so. To ask that of every name takes as long as to look for it. */
function ownMember(object: JsonObject, { name, isInherited }: Pick<Member, 'name' | 'isInherited'>): Value {
  return isInherited && !Object.hasOwn(object, name) ? undefined : object[name]
}

function isPassedByElement(condition: Condition, list: readonly Json[], meter: Meter): boolean {
  for (const element of list) {
    meter.left -= memberCost
    if (holds(condition, element, meter)) return true
    if (meter.left < 0) return false
  }
  return false
}

/** False: it is not looked at. */
function entersList(list: readonly Json[], meter: Meter, nested: number): boolean {
  return pays(meter, nested > maxNestedLists ? Number.POSITIVE_INFINITY : list.length * elementCost)
}

/** False: the meter is spent. */
function pays(meter: Meter, cost: number): boolean {
  meter.left -= cost
  return meter.left >= 0
}

type OfValue = Exclude<
  Condition,
  { readonly kind: 'scalar' | 'members' | 'elements' | 'all' | 'any' | 'not' | 'exist' }
>

function holdsOfValue(condition: OfValue, value: Json, meter: Meter): boolean {
  switch (condition.kind) {
    case 'equal':
      return isEqual(condition.wanted, value, meter) !== condition.isNegated
    case 'compare':
      return isOrdered(condition, value)
    case 'one_of':
      return isOneOf(condition.operands, value, meter) !== condition.isNegated
    case 'contains': {
      const isIn = condition.operands.every((each) => isContained(each, value, meter))
      return isIn !== (condition.operator === '$nin')
    }
    case 'begins':
      return typeof value === 'string' && condition.operands.some((each) => value.startsWith(each))
    case 'ends':
      return typeof value === 'string' && condition.operands.some((each) => value.endsWith(each))
  }
}

function isSame(wanted: Scalar, value: Value, meter: Meter): boolean {
  if (wanted !== value) return false
  return typeof value !== 'string' || pays(meter, value.length >> searchedShift)
}

function isEqual(wanted: Wanted, value: Json, meter: Meter): boolean {
  switch (wanted.kind) {
    case 'scalar':
      return isSame(wanted.value, value, meter)
    case 'list':
      if (!Array.isArray(value) || value.length !== wanted.items.length) return false
      if (!pays(meter, value.length * memberCost)) return false
      return wanted.items.every((each, index) => isEqual(each, value[index], meter))
    case 'object':
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
      return hasExactly(wanted.members, value as JsonObject, meter)
  }
}

type WantedMembers = Extract<Wanted, { readonly kind: 'object' }>['members']

function hasExactly(members: WantedMembers, object: JsonObject, meter: Meter): boolean {
  for (const member of members) {
    if (!pays(meter, memberCost)) return false
    const found = ownMember(object, member)
    if (found === undefined || !isEqual(member.value, found, meter)) return false
  }
  // At last, because it takes as long as the object has members.
  const { length } = Object.keys(object)
  return pays(meter, length * memberCost) && length === members.length
}

type Compare = Extract<Condition, { readonly kind: 'compare' }>

/** Numbers with numbers and texts with texts, these by their code units: dates of one form and zone are in order so. */
function isOrdered({ operator, operand }: Compare, value: Json): boolean {
  if (typeof value !== typeof operand) return false
  const found = value as number | string
  switch (operator) {
    case '$gt':
      return found > operand
    case '$gte':
      return found >= operand
    case '$lt':
      return found < operand
    case '$lte':
      return found <= operand
  }
}

/** Of a list one element, which Hookdeck's matcher does not look for. */
function isOneOf(wanted: ReadonlySet<Scalar>, value: Json, meter: Meter): boolean {
  if (!Array.isArray(value)) return hasScalar(wanted, value, meter)
  for (const element of value) {
    if (hasScalar(wanted, element, meter)) return true
    if (meter.left < 0) return false
  }
  return false
}

/** A set finds a text by a hash of the whole of it. */
function hasScalar(wanted: ReadonlySet<Scalar>, value: Json, meter: Meter): boolean {
  meter.left -= memberCost + (typeof value === 'string' ? value.length >> hashedShift : 0)
  return meter.left >= 0 && wanted.has(value as Scalar)
}

function isContained({ wanted, text, rarestAt }: Contained, value: Json, meter: Meter): boolean {
  if (typeof value === 'string') return text !== null && hasText(value, text, { meter, rarestAt })
  if (!Array.isArray(value)) return false
  if (wanted.kind === 'scalar') {
    return pays(meter, value.length * elementCost) && value.includes(wanted.value)
  }
  for (const element of value) {
    meter.left -= memberCost
    if (meter.left < 0) return false
    if (isEqual(wanted, element, meter)) return true
  }
  return false
}

interface TextLook {
  readonly meter: Meter
  readonly rarestAt: number
}

/**
 * Where the rarest letter of the wanted text stands, the whole of it is compared. `includes` takes 120 µs for 10 kB
 * where a text is made for that, and nobody can count along: here each place that is looked at is paid for.
 */
function hasText(text: string, wanted: string, { meter, rarestAt }: TextLook): boolean {
  if (wanted === '') return true
  const letter = wanted[rarestAt] as string
  const last = text.length - wanted.length + rarestAt
  if (last < rarestAt || !pays(meter, text.length >> searchedShift)) return false
  for (let at = text.indexOf(letter, rarestAt); at !== -1 && at <= last; at = text.indexOf(letter, at + 1)) {
    let same = 0
    while (same < wanted.length && text.charCodeAt(at - rarestAt + same) === wanted.charCodeAt(same)) same++
    if (same === wanted.length) return true
    if (!pays(meter, candidateCost + same * charCost)) return false
  }
  return false
}
