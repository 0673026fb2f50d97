/** Members are in camel case here and in snake case in the API's JSON; what the caller made keeps the names that are in it. */
import { keptNames } from './generated/kept-names.ts'

/**
 * What keeps its names: true is all of it, a text is the type of that name, an object has the members that hold such, by
 * their names in JSON; its `*` stands for every member of an object whose names are the caller's.
 */
export type Shape = true | string | { readonly [member: string]: Shape }

/** What the server said, as programs read it. */
export function toCamelCase(value: unknown, shape?: Shape): unknown {
  return renameMembers(value, shape, camelNames)
}

/** What a program says, as the server reads it; a name in snake case stays. */
export function toSnakeCase(value: unknown, shape?: Shape): unknown {
  return renameMembers(value, shape, snakeNames)
}

interface Renamed {
  readonly name: string
  /** In JSON. */
  readonly wire: string
}

const maxKnownNames = 2000

/** Names come again and again: a page of a thousand deliveries has seventeen. */
class Names {
  readonly #rename: (name: string) => Renamed
  readonly #known = new Map<string, Renamed>()

  constructor(rename: (name: string) => Renamed) {
    this.#rename = rename
  }

  get(name: string): Renamed {
    let renamed = this.#known.get(name)
    if (renamed === undefined) {
      renamed = this.#rename(name)
      if (this.#known.size >= maxKnownNames) this.#known.clear()
      this.#known.set(name, renamed)
    }
    return renamed
  }
}

const camelNames = new Names((wire) => ({
  name: wire.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  wire,
}))

const snakeNames = new Names((camel) => {
  const name = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return { name, wire: name }
})

const shapes: Readonly<Record<string, Shape>> = keptNames

function renameMembers(value: unknown, shape: Shape | undefined, names: Names): unknown {
  if (typeof shape === 'string') return renameMembers(value, shapes[shape], names)
  if (shape === true || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => renameMembers(item, shape, names))
  // Such as a Date: what it is in JSON.
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return renameMembers(value.toJSON(), shape, names)
  }
  const result = {}
  const anyMember = shape?.['*']
  for (const [given, inner] of Object.entries(value)) {
    const { name, wire } = anyMember === undefined ? names.get(given) : { name: given, wire: '*' }
    const held = shape !== undefined && Object.hasOwn(shape, wire) ? shape[wire] : undefined
    setMember(result, name, renameMembers(inner, held, names))
  }
  return result
}

/** `__proto__` is a member like any other. */
function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}
