// The client's members are in camel case and those of the API's JSON in snake case. What the caller made, such as a payload,
// metadata or headers, keeps the names that are in it: which members hold such is read from the schemas.

/** `max_in_flight` is `maxInFlight`. Other characters stay, so that the way back leads to the same name. */
export function camelMember(name) {
  if (!/^[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*$/.test(name)) {
    throw new Error(
      `the member "${name}" has no name in camel case that leads back to it; name it like "max_in_flight"`,
    )
  }
  return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())
}

/**
 * What keeps its names in a value, as the client's `Shape`: true is all of it, a text is the type of that name, an object
 * has the members that hold such, and its `*` stands for every member of an object whose names are the caller's.
 * Undefined: every name changes.
 */
export function createShapes(document) {
  const { schemas } = document.components
  const holding = new Set()
  const shapeOf = (schema) => readShape(schema, { schemas, holding })
  // A type may hold itself, so types are added for as long as one is found.
  for (let before = -1; before !== holding.size; ) {
    before = holding.size
    for (const [name, schema] of Object.entries(schemas)) {
      if (shapeOf(schema) !== undefined) holding.add(name)
    }
  }
  const named = Object.fromEntries([...holding].sort().map((name) => [name, shapeOf(schemas[name])]))
  return { named, shapeOf }
}

function readShape(schema, types) {
  if (schema.$ref !== undefined) return types.holding.has(nameOf(schema)) ? nameOf(schema) : undefined
  if (schema.properties !== undefined) return membersShape(schema.properties, types)
  const alternatives = alternativesOf(schema)
  if (alternatives !== undefined) return mergeShapes(alternatives, types)
  if (isFree(schema)) return true
  const kinds = [schema.type].flat()
  if (kinds.includes('array')) return readShape(schema.items ?? {}, types)
  return kinds.includes('object') ? recordShape(schema, types) : undefined
}

function membersShape(properties, types) {
  const shapes = Object.entries(properties).flatMap(([name, schema]) => {
    const shape = readShape(schema, types)
    return shape === undefined ? [] : [[name, shape]]
  })
  return shapes.length === 0 ? undefined : Object.fromEntries(shapes)
}

/** The names of a record are the caller's; what they stand for may have names of ours. */
function recordShape({ additionalProperties, patternProperties }, types) {
  const values =
    typeof additionalProperties === 'object'
      ? additionalProperties
      : Object.values(patternProperties ?? {})[0]
  if (values === undefined || !hasNames(values, types)) return true
  return { '*': readShape(values, types) ?? {} }
}

/** One of several, of which nobody knows which it is: no member may be ours in one and the caller's in another. */
function mergeShapes(alternatives, types) {
  const shapes = alternatives.map((one) => readShape(one, types)).filter((shape) => shape !== undefined)
  const merged = shapes.reduce((all, shape) => mergeTwo(all, shape, types), shapes[0])
  for (const one of alternatives) checkNames(one, merged, types)
  return merged
}

function mergeTwo(one, other, types) {
  if (JSON.stringify(one) === JSON.stringify(other)) return one
  if (one === true || other === true) refuseNames(other === true ? one : other)
  const all = { ...resolveShape(one, types) }
  for (const [name, shape] of Object.entries(resolveShape(other, types))) {
    all[name] = all[name] === undefined ? shape : mergeTwo(all[name], shape, types)
  }
  return all
}

/** @throws where the schema names members of what keeps its names. */
function checkNames(schema, shape, types) {
  if (shape === undefined || (schema.$ref !== undefined && nameOf(schema) === shape)) return
  const kept = resolveShape(shape, types)
  const { properties = {}, items } = resolve(schema, types)
  if (kept === true && hasNames(schema, types)) refuseNames(schema)
  for (const inner of [items ?? {}, ...(alternativesOf(schema) ?? [])]) {
    if (!isFree(inner)) checkNames(inner, kept, types)
  }
  for (const [name, member] of Object.entries(properties)) checkNames(member, kept[name], types)
}

function refuseNames(where) {
  throw new Error(
    `one of several forms names members where in another they are the caller's: ${JSON.stringify(where)}`,
  )
}

function resolveShape(shape, types) {
  return typeof shape === 'string' ? readShape(types.schemas[shape], types) : shape
}

/** Whether the schema itself names members of objects in it. */
function hasNames(schema, types, seen = new Set()) {
  if (seen.has(schema)) return false
  seen.add(schema)
  const { properties, items, additionalProperties, patternProperties = {} } = resolve(schema, types)
  const inner = [
    items,
    additionalProperties,
    ...Object.values(patternProperties),
    ...(alternativesOf(schema) ?? []),
  ]
  return (
    properties !== undefined ||
    inner.some((one) => typeof one === 'object' && hasNames(one, types, seen)) ||
    (schema.$ref !== undefined && hasNames(resolve(schema, types), types, seen))
  )
}

/** Any value at all among other forms says nothing, as in the types. */
function alternativesOf(schema) {
  const alternatives = schema.type === undefined ? (schema.anyOf ?? schema.oneOf) : undefined
  const said = alternatives?.filter((one) => !isFree(one))
  return said?.length === 0 ? undefined : said
}

/** Any value at all. */
function isFree({ $ref, type, properties, const: constant, enum: values, anyOf, oneOf }) {
  return [$ref, type, properties, constant, values, anyOf, oneOf].every((one) => one === undefined)
}

function resolve(schema, { schemas }) {
  return schema.$ref === undefined ? schema : schemas[nameOf(schema)]
}

function nameOf(schema) {
  return schema.$ref.split('/').at(-1)
}
