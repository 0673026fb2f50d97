/** What a caller says of an event type. Each check throws `unprocessable`, and `invalid_request` for what is no text. */
import { type ErrorCode, OuthookError } from '../core/errors.ts'
import { documentNames, type EventTypeMode, eventTypeLimits, eventTypeModes } from '../core/event-type.ts'
import { isWithin } from '../core/model.ts'
import { checkText } from '../core/text.ts'
import { checkProducerTopic } from '../core/topics.ts'

const { maxDescriptionChars, maxGroupChars, maxExampleBytes } = eventTypeLimits

export interface EventTypeInput {
  /** A topic such as `orders.created`, which no other type of the catalogue has. */
  readonly name: string
  /** Up to 4000 characters, Markdown if you like; default none. */
  readonly description?: string
  /** What it is listed under, up to 100 characters; null, the default: nothing. */
  readonly group?: string | null
  /** JSON Schema 2020-12 of the payload; null, the default: it may be anything. */
  readonly schema?: unknown
  /** A payload, for people; null, the default: there is none. Where there is a schema it has to be as that says. */
  readonly example?: unknown
  /** Default false. */
  readonly deprecated?: boolean
  /** `enforce`: payloads that are not as the schema says are refused; `warn`: the answer says so; `off`, the default: they are not looked at. */
  readonly mode?: EventTypeMode
}

export type EventTypeChange = Partial<Omit<EventTypeInput, 'name'>>

export const eventTypeChangeMembers = {
  description: true,
  group: true,
  schema: true,
  example: true,
  deprecated: true,
  mode: true,
} satisfies Record<keyof EventTypeChange, true>

export const eventTypeMembers = { name: true, ...eventTypeChangeMembers } satisfies Record<
  keyof EventTypeInput,
  true
>

export function checkEventTypeName(name: unknown, code: ErrorCode = 'unprocessable'): string {
  checkText(name, 'name')
  if (documentNames.some((taken) => taken === name)) {
    throw new OuthookError(code, `name: ${name} is where the catalogue itself is shown; choose another`)
  }
  try {
    return checkProducerTopic(name, code)
  } catch (error) {
    if (!(error instanceof OuthookError)) throw error
    throw new OuthookError(code, `name: ${error.message}`)
  }
}

export function checkTypeDescription(description: unknown): string {
  checkText(description, 'description', 'lines')
  if (typeof description === 'string' && isWithin(description, maxDescriptionChars)) return description
  throw unprocessable(`description must be a text of up to ${maxDescriptionChars} characters`)
}

export function checkGroup(group: unknown, code: ErrorCode = 'unprocessable'): string | null {
  checkText(group, 'group')
  if (group === null) return null
  if (typeof group === 'string' && group.trim() !== '' && isWithin(group, maxGroupChars)) return group.trim()
  throw new OuthookError(code, `group must be 1 to ${maxGroupChars} characters, or null`)
}

export function checkDeprecated(deprecated: unknown): boolean {
  if (typeof deprecated === 'boolean') return deprecated
  throw unprocessable('deprecated must be true or false')
}

export function checkMode(mode: unknown): EventTypeMode {
  const known = eventTypeModes.find((each) => each === mode)
  if (known !== undefined) return known
  throw unprocessable(`mode must be one of ${eventTypeModes.join(', ')}`)
}

/** Its JSON; null: there is none. */
export function checkExample(example: unknown): string | null {
  const text = toText(example, 'example')
  if (text === null || Buffer.byteLength(text) <= maxExampleBytes) return text
  throw unprocessable(`example is larger than ${maxExampleBytes} bytes of JSON`)
}

export function toText(value: unknown, member: string): string | null {
  if (value === null) return null
  try {
    const text = JSON.stringify(value)
    // JSON can say half of a surrogate pair, by an escape, and so can what is kept.
    if (text !== undefined) return text
  } catch {}
  throw unprocessable(`${member} must be something that JSON can say`)
}

export function unprocessable(message: string): OuthookError {
  return new OuthookError('unprocessable', message)
}
