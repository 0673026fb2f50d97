/**
 * Whether a payload passes a filter. Each step costs what it takes, in nanoseconds or so, and when the allowance of the
 * payload's size is spent the filter is stopped: so none can run away, whatever it and the payload are made of. What it
 * decides depends on the two alone, never on a clock.
 */
import type { Comparison, Condition, Contained, Json, Member, Scalar, Wanted } from './condition.ts'
import { hasText } from './find-text.ts'
import {
  comparedShift,
  conditionCost,
  createMeter,
  edgeCost,
  elementCost,
  exactCost,
  hashedShift,
  listCost,
  lookCost,
  type Meter,
  memberCost,
  pays,
  searchedShift,
  textCost,
} from './meter.ts'

export type FilterVerdict = 'passes' | 'fails' | 'too_costly'

/** An object is wide that has so many. */
const wideMembers = 128
/** Lists directly within lists: deeper ones are no data that anybody filters by, and would use up the stack. */
const maxNestedLists = 32

/** Of a member that is not there. */
export type Value = Json | undefined

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
  if (!entersList(list, meter, nested) || !entersFor(wanted, list, meter)) return false
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
    if (meter.left < 0) return false
    const { condition } = member
    const value = ownMember(object, member)
    // What most members are asked for, and most elements of a list do not have: no call is made for it.
    if (condition.kind === 'scalar' && condition.value !== value && typeof value !== 'object') {
      meter.left -= conditionCost
      return false
    }
    if (!holds(condition, value, meter)) return false
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
    meter.left -= lookCost
    if (holds(condition, element, meter)) return true
    if (meter.left < 0) return false
  }
  return false
}

/** False: it is not looked at. */
function entersList(list: readonly Json[], meter: Meter, nested: number): boolean {
  return pays(
    meter,
    nested > maxNestedLists ? Number.POSITIVE_INFINITY : listCost + list.length * elementCost,
  )
}

/** Texts of one length are compared letter by letter, which is paid for before. */
function entersFor(wanted: Scalar, list: readonly Json[], meter: Meter): boolean {
  return (
    typeof wanted !== 'string' || pays(meter, list.length * (textCost + (wanted.length >> searchedShift)))
  )
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
      return isOrdered(condition, value, meter)
    case 'one_of':
      return isOneOf(condition.operands, value, meter) !== condition.isNegated
    case 'contains': {
      const isIn = condition.operands.every((each) => isContained(each, value, meter))
      return isIn !== (condition.operator === '$nin')
    }
    case 'begins':
    case 'ends':
      return typeof value === 'string' && hasEdge(condition, value, meter)
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
    if (!pays(meter, exactCost)) return false
    const found = ownMember(object, member)
    if (found === undefined || !isEqual(member.value, found, meter)) return false
  }
  // At last, because it takes as long as the object has members.
  return hasSize(object, members.length, meter)
}

/**
 * How many members an object has is told by gathering all their names: 25 µs for a thousand. For objects of so many it is
 * done once for each payload, like reading it, and not for each filter.
 */
function hasSize(object: JsonObject, wanted: number, meter: Meter): boolean {
  const known = wideSizes.get(object)
  if (known !== undefined) return pays(meter, lookCost) && known === wanted
  const { length } = Object.keys(object)
  if (length >= wideMembers) wideSizes.set(object, length)
  return pays(meter, Math.min(length, wideMembers) * memberCost) && length === wanted
}

const wideSizes = new WeakMap<object, number>()

type Edge = Extract<Condition, { readonly kind: 'begins' | 'ends' }>

function hasEdge({ kind, operands }: Edge, value: string, meter: Meter): boolean {
  for (const each of operands) {
    if (each.length > value.length) {
      if (!pays(meter, conditionCost)) return false
    } else {
      if (!pays(meter, edgeCost + (each.length >> comparedShift))) return false
      if (kind === 'begins' ? value.startsWith(each) : value.endsWith(each)) return true
    }
  }
  return false
}

type Compare = Extract<Condition, { readonly kind: 'compare' }>

/** Numbers with numbers and texts with texts, these by their code units: dates of one form and zone are in order so. */
function isOrdered({ operator, operand }: Compare, value: Json, meter: Meter): boolean {
  if (typeof value === 'number' && typeof operand === 'number') return isInOrder(operator, value - operand)
  if (typeof value !== 'string' || typeof operand !== 'string') return false
  if (!pays(meter, lookCost + (Math.min(value.length, operand.length) >> searchedShift))) return false
  if (value === operand) return isInOrder(operator, 0)
  return isInOrder(operator, value < operand ? -1 : 1)
}

function isInOrder(operator: Comparison, difference: number): boolean {
  switch (operator) {
    case '$gt':
      return difference > 0
    case '$gte':
      return difference >= 0
    case '$lt':
      return difference < 0
    case '$lte':
      return difference <= 0
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
    const { value: scalar } = wanted
    // Twice, because elements of any kind are compared here.
    if (!entersFor(scalar, value, meter) || !entersFor(scalar, value, meter)) return false
    if (typeof scalar !== 'string') return pays(meter, value.length * elementCost) && value.includes(scalar)
    for (const element of value) if (element === scalar) return true
    return false
  }
  for (const element of value) {
    meter.left -= lookCost
    if (meter.left < 0) return false
    if (isEqual(wanted, element, meter)) return true
  }
  return false
}
