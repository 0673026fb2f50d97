/** What a filter means, as plainly as it can be said: no compiling, no costs. For properties and nothing else. */
import { isDeepStrictEqual } from 'node:util'

type Value = unknown

export function naivelyPasses(filter: unknown, value: Value): boolean {
  if (filter === null || typeof filter !== 'object') {
    return Array.isArray(value)
      ? value.some((each) => (isList(each) ? naivelyPasses(filter, each) : each === filter))
      : value === filter
  }
  if (Array.isArray(filter)) {
    return (
      Array.isArray(value) && filter.every((each) => value.some((element) => naivelyPasses(each, element)))
    )
  }
  const entries = Object.entries(filter)
  const isOfMembers = entries.length === 0 || entries.some(([name]) => !name.startsWith('$'))
  if (isOfMembers && Array.isArray(value))
    return value.some((each) => isObject(each) && naivelyPasses(filter, each))
  if (isOfMembers && !isObject(value)) return false
  return entries.every(([name, given]) =>
    name.startsWith('$')
      ? passesOperator(name, given, value)
      : naivelyPasses(
          given,
          Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined,
        ),
  )
}

function passesOperator(name: string, given: unknown, value: Value): boolean {
  const list = given as readonly unknown[]
  if (name === '$or') return list.some((each) => naivelyPasses(each, value))
  if (name === '$and') return list.every((each) => naivelyPasses(each, value))
  if (name === '$not') return !naivelyPasses(given, value)
  if (name === '$exist') return (value !== undefined) === given
  if (value === undefined) return false
  switch (name) {
    case '$eq':
      return isDeepStrictEqual(value, given)
    case '$neq':
      return !isDeepStrictEqual(value, given)
    case '$in':
      return isIn(given, value)
    case '$nin':
      return !isIn(given, value)
    case '$contains':
      return (isList(given) ? given : [given]).every((each) => contains(value, each))
    case '$startsWith':
      return typeof value === 'string' && [given].flat().some((each) => value.startsWith(each as string))
    case '$endsWith':
      return typeof value === 'string' && [given].flat().some((each) => value.endsWith(each as string))
    default:
      return typeof value === typeof given && compares(name, value as string, given as string)
  }
}

function compares(name: string, value: string, given: string): boolean {
  if (name === '$gt') return value > given
  if (name === '$gte') return value >= given
  return name === '$lt' ? value < given : value <= given
}

function isIn(given: unknown, value: Value): boolean {
  if (!isList(given)) return contains(value, given)
  return isList(value) ? value.some((each) => given.includes(each)) : given.includes(value)
}

function contains(value: Value, part: unknown): boolean {
  if (typeof value === 'string') return typeof part === 'string' && value.includes(part)
  return isList(value) && value.some((each) => isDeepStrictEqual(each, part))
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
