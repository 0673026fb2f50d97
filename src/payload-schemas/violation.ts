/** Where a payload is not as its schema says, and what would be right there. Never what stands there: it may be a secret. */
import type { ErrorObject } from '../bundled/ajv.ts'

export interface Violation {
  /** A JSON Pointer into the payload; empty: the payload as a whole. */
  readonly path: string
  /** The end of a sentence that names the place. */
  readonly message: string
}

/** Of what a validator that ends at the first error gathered: the branches that failed, and last what failed for them. */
export function describeViolation(errors: readonly ErrorObject[]): Violation {
  const error = errors.at(-1)
  if (error === undefined) return { path: '', message: 'is not as the schema says' }
  const { instancePath: path, params, keyword, message = 'is not as the schema says' } = error
  switch (keyword) {
    case 'required':
      return { path: join(path, params.missingProperty as string), message: 'is missing' }
    case 'additionalProperties':
      return { path: join(path, params.additionalProperty as string), message: 'is not a known member' }
    case 'unevaluatedProperties':
      return { path: join(path, params.unevaluatedProperty as string), message: 'is not a known member' }
    case 'enum':
      return { path, message: `must be one of ${listed(params.allowedValues as readonly unknown[])}` }
    case 'const':
      return { path, message: `must be ${shortened(JSON.stringify(params.allowedValue))}` }
    case 'propertyNames':
      return { path: join(path, params.propertyName as string), message: 'has a name that is not allowed' }
    case 'false schema':
      return { path, message: 'must not be there' }
    default:
      return { path, message: shortened(message) }
  }
}

function join(path: string, name: string): string {
  return `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function listed(values: readonly unknown[]): string {
  return shortened(values.map((value) => JSON.stringify(value)).join(', '))
}

function shortened(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 299)}…`
}

/** The place as people write it: `payload.items[0]["odd name"]`. */
export function placeOf({ path }: Pick<Violation, 'path'>): string {
  const names = path
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  return shortened(
    names.reduce((place, name) => {
      if (/^(?:0|[1-9]\d*)$/.test(name)) return `${place}[${name}]`
      return /^[A-Za-z_$][\w$]*$/.test(name) ? `${place}.${name}` : `${place}[${JSON.stringify(name)}]`
    }, 'payload'),
  )
}
