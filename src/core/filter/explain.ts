/** Why a payload does not pass a filter: the first condition that it fails, and what stands there. For people, at leisure. */
import { memberPath } from '../member-path.ts'
import type { Condition, Json } from './condition.ts'
import { holds, type Value } from './evaluate.ts'
import { createMeter } from './meter.ts'

export interface FailedCondition {
  /** Of the value in the payload, such as `order.items`; empty for the payload itself. */
  readonly path: string
  /** As the filter has it at that place. */
  readonly condition: Json
  /** The value's JSON, at most 200 characters; null: there is none. */
  readonly found: string | null
}

const maxFoundChars = 200

/** @param payload of which `evaluateFilter` says that it fails */
export function explainFailure(condition: Condition, payload: Json): FailedCondition {
  const [path, failed, value] = findFailed(condition, payload, '')
  return { path: path.replace(/^\./, ''), condition: showCondition(failed), found: showValue(value) }
}

type Failed = readonly [path: string, condition: Condition, value: Value]

function findFailed(condition: Condition, value: Value, path: string): Failed {
  switch (condition.kind) {
    case 'all':
      return firstOf(condition.conditions, value, path) ?? [path, condition, value]
    case 'members': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path, condition, value]
      const object = value as { readonly [name: string]: Json }
      for (const member of condition.members) {
        const found = Object.hasOwn(object, member.name) ? object[member.name] : undefined
        if (!isHeld(member.condition, found))
          return findFailed(member.condition, found, memberPath(path, member.name, false))
      }
      return firstOf(condition.beside, value, path) ?? [path, condition, value]
    }
    case 'elements': {
      const failed = condition.conditions.find(
        (each) => !Array.isArray(value) || !value.some((element: Json) => isHeld(each, element)),
      )
      return [path, failed === undefined ? condition : { kind: 'elements', conditions: [failed] }, value]
    }
    default:
      return [path, condition, value]
  }
}

function firstOf(conditions: readonly Condition[], value: Value, path: string): Failed | null {
  const failed = conditions.find((each) => !isHeld(each, value))
  return failed === undefined ? null : findFailed(failed, value, path)
}

function isHeld(condition: Condition, value: Value): boolean {
  return holds(condition, value, createMeter(Number.POSITIVE_INFINITY))
}

/** The JSON that says the same. */
export function showCondition(condition: Condition): Json {
  switch (condition.kind) {
    case 'scalar':
      return condition.value
    case 'members': {
      const members = condition.members.map(({ name, condition: each }) => [name, showCondition(each)])
      const beside = condition.beside.flatMap((each) => Object.entries(showCondition(each) as object))
      return Object.fromEntries([...members, ...beside])
    }
    case 'elements':
      return condition.conditions.map(showCondition)
    case 'all':
    case 'any':
    case 'not':
      return condition.given
    case 'equal':
      return { [condition.isNegated ? '$neq' : '$eq']: condition.given }
    case 'compare':
      return { [condition.operator]: condition.operand }
    case 'one_of':
      return { [condition.isNegated ? '$nin' : '$in']: Array.from(condition.operands) }
    case 'contains':
      return { [condition.operator]: condition.given }
    case 'begins':
      return { $startsWith: condition.given }
    case 'ends':
      return { $endsWith: condition.given }
    case 'exist':
      return { $exist: condition.operand }
  }
}

function showValue(value: Value): string | null {
  if (value === undefined) return null
  const text = JSON.stringify(value)
  return text.length <= maxFoundChars ? text : `${text.slice(0, maxFoundChars - 1).toWellFormed()}…`
}
