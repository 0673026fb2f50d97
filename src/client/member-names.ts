/** Members are in camel case here and in snake case in the API's JSON; what the caller made keeps the names that are in it. */
import { keptNames } from './generated/kept-names.ts'

/**
 * What keeps its names: true is all of it, a text is the type of that name, an object has the members that hold such, by
 * their names in JSON; its `*` stands for every member of an object whose names are the caller's.
 */
export type Shape = true | string | { readonly [member: string]: Shape }

/** What the server said, as programs read it. */
export function toCamelCase(value: unknown, shape?: Shape): unknown {
  return renameMembers(value, shape, (wire) => [
    wire.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    wire,
  ])
}

/** What a program says, as the server reads it; a name in snake case stays. */
export function toSnakeCase(value: unknown, shape?: Shape): unknown {
  return renameMembers(value, shape, (name) => {
    const wire = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    return [wire, wire]
  })
}

/** The new name, and that in JSON. */
type Rename = (name: string) => readonly [string, string]

function renameMembers(value: unknown, shape: Shape | undefined, rename: Rename): unknown {
  if (typeof shape === 'string') return renameMembers(value, shapes[shape], rename)
  if (shape === true || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => renameMembers(item, shape, rename))
  // Such as a Date: what it is in JSON.
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return renameMembers(value.toJSON(), shape, rename)
  }
  const anyMember = shape?.['*']
  // Defined member by member, so that `__proto__` is one like any other.
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (anyMember !== undefined) return [name, renameMembers(inner, anyMember, rename)]
      const [renamed, wire] = rename(name)
      const held = shape !== undefined && Object.hasOwn(shape, wire) ? shape[wire] : undefined
      return [renamed, renameMembers(inner, held, rename)]
    }),
  )
}

const shapes: Readonly<Record<string, Shape>> = keptNames
