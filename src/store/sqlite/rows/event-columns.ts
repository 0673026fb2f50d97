/** The columns of `events` that hold the fields of an event; in place of an id its number in `names`. */
import {
  type EventFieldName,
  type EventFields,
  eventFieldNames,
  eventFields,
} from '../../../core/event-fields.ts'
import { isId, toColumn } from '../../event-columns.ts'
import type { Names } from './names.ts'

export const keptFields = eventFieldNames.map(keptAs)

/** `producer_key` holds the number of what all stores know as `producer_key_id`. */
function keptAs(name: EventFieldName): string {
  const { column } = eventFields[name]
  return isId(name) ? column.replace(/_id$/, '') : column
}

/** In the order of `keptFields`. */
export function fieldValues(event: EventFields, names: Names): (string | number | null)[] {
  const numberOf = (id: string) => names.numberOf(id)
  return eventFieldNames.map((name) => toColumn(event[name], name, numberOf))
}

/** SQL: of the event `e` the fields in the form that all stores know. */
export const readFields = eventFieldNames
  .map((name) => {
    const kept = `e.${keptAs(name)}`
    // primary key
    const read = isId(name) ? `(select id from names where n = ${kept})` : kept
    return `${read} as ${eventFields[name].column}`
  })
  .join(', ')
