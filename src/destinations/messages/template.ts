/**
 * Text with placeholders, out of which an event becomes a message: `{{topic}}`, `{{payload.customer.name}}`,
 * `{{payload.items[0].id}}`, `{{metadata.source}}`. No code, no loops, no conditions; what it may cost is bounded when it is
 * saved. After a bar stands what is shown in place of a value that is not there: `{{payload.note|no note}}`. Without one the
 * placeholder itself is shown, so that whoever reads the message sees what is missing.
 */
import { OuthookError } from '../../core/errors.ts'
import type { ValuePath } from '../../core/json-value-at.ts'
import { isWithin } from '../../core/model.ts'
import { textProblem } from '../../core/text.ts'

export const maxTemplateChars = 4000
/** Each looks for its value in the whole payload. */
const maxPlaceholders = 32
const maxSteps = 20

export const placeholderNames = ['topic', 'id', 'delivery_id', 'payload', 'metadata'] as const
export type PlaceholderName = (typeof placeholderNames)[number]

export interface Placeholder {
  /** As it stands in the template, braces included. */
  readonly text: string
  readonly name: PlaceholderName
  /** Into the payload, or the one name of a metadata entry. */
  readonly path: ValuePath
  /** Null: the placeholder itself is shown. */
  readonly fallback: string | null
}

export type TemplatePart = string | Placeholder
export type Template = readonly TemplatePart[]

/** @param member what its caller calls it. Errors: unprocessable, with the place. */
export function compileTemplate(given: unknown, member: string): Template {
  const fault = (problem: string) => new OuthookError('unprocessable', `${member} ${problem}`)
  if (typeof given !== 'string' || given.trim() === '') throw fault('must be text that is not blank')
  if (!isWithin(given, maxTemplateChars)) throw fault(`must be at most ${maxTemplateChars} characters`)
  const problem = textProblem(given, 'lines')
  if (problem !== null) throw fault(problem)
  const parts: TemplatePart[] = []
  let at = 0
  for (let open = given.indexOf('{{'); open >= 0; open = given.indexOf('{{', at)) {
    const close = given.indexOf('}}', open)
    if (close < 0) throw fault(`has {{ without }}: ${shown(given.slice(open))}`)
    if (open > at) parts.push(given.slice(at, open))
    parts.push(readPlaceholder(given.slice(open, close + 2), fault))
    at = close + 2
  }
  if (at < given.length) parts.push(given.slice(at))
  const count = parts.filter((part) => typeof part !== 'string').length
  if (count > maxPlaceholders) throw fault(`has ${count} placeholders, and ${maxPlaceholders} are allowed`)
  return parts
}

const step = /\.([\p{L}\p{N}_$-]+)|\[(\d{1,9})\]|\[("(?:[^"\\]|\\.)*")\]/uy

function readPlaceholder(text: string, fault: (problem: string) => OuthookError): Placeholder {
  const inner = text.slice(2, -2)
  const bar = inner.indexOf('|')
  const reference = (bar < 0 ? inner : inner.slice(0, bar)).trim()
  const fallback = bar < 0 ? null : inner.slice(bar + 1).trim()
  const name = placeholderNames.find((known) => new RegExp(`^${known}(?![\\w-])`).test(reference))
  const path = name === undefined ? null : readPath(reference, name.length)
  if (name === undefined || path === null || !isReachable(name, path)) {
    throw fault(
      `has a placeholder that cannot be read, ${shown(text)}; there are {{topic}}, {{id}}, {{delivery_id}}, {{metadata.NAME}}, {{payload}} and {{payload.a.b[0]}}, each with |TEXT for when there is none`,
    )
  }
  if (path.length > maxSteps) throw fault(`has a path of more than ${maxSteps} steps, ${shown(text)}`)
  return { text, name, path, fallback }
}

/** Null: it is no path. */
function readPath(text: string, from: number): ValuePath | null {
  const path: (string | number)[] = []
  step.lastIndex = from
  while (step.lastIndex < text.length) {
    const match = step.exec(text)
    if (match === null) return null
    const [, name, position, quoted] = match
    if (name !== undefined) path.push(name)
    else if (position !== undefined) path.push(Number(position))
    else path.push(parseName(quoted ?? '""'))
  }
  return path
}

function parseName(quoted: string): string {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted.slice(1, -1)
  }
}

function isReachable(name: PlaceholderName, path: ValuePath): boolean {
  if (name === 'payload') return true
  return name === 'metadata' ? path.length === 1 && typeof path[0] === 'string' : path.length === 0
}

function shown(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`
}
