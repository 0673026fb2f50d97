/** How both databases keep the fields of an event: text as it is, JSON as text, a time in milliseconds, a flag as 1 or null, an id as the adapter keeps ids. */
import {
  type EventFieldColumn,
  type EventFieldName,
  type EventFields,
  eventFieldNames,
  eventFields,
} from '../core/event-fields.ts'
import { bytesToId } from '../core/ids.ts'

/** As it is read: ids as 16 bytes, a flag as PostgreSQL's `true` or SQLite's 1. */
export type EventFieldRow = Readonly<Record<EventFieldColumn, KeptField>>

type KeptField = string | number | boolean | Uint8Array | null

export function isId(name: EventFieldName): boolean {
  return typeof eventFields[name].kind === 'object'
}

export function toColumn<Id>(
  value: EventFields[EventFieldName],
  name: EventFieldName,
  keepId: (id: string) => Id,
): string | number | Id | null {
  if (value === null || typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : null
  if (typeof value === 'object') return JSON.stringify(value)
  return isId(name) ? keepId(value) : value
}

export function toEventFields(row: EventFieldRow): EventFields {
  const fields = eventFieldNames.map((name) => [name, fromColumn(name, row[eventFields[name].column])])
  return Object.fromEntries(fields) as unknown as EventFields
}

function fromColumn(name: EventFieldName, kept: KeptField): unknown {
  const { kind } = eventFields[name]
  if (kind === 'flag') return kept !== null
  if (kept === null) return null
  if (kind === 'json') return JSON.parse(kept as string)
  return typeof kind === 'object' ? bytesToId(kind.id, kept as Uint8Array) : kept
}
