/** The fields of events as columns, and as parameters of statements under the names of their columns. */
import {
  type EventFieldColumn,
  type EventFieldName,
  type EventFields,
  eventFieldNames,
  eventFields,
  type TransactionalFieldName,
  transactionalFieldNames,
} from '../../../core/event-fields.ts'
import { isId, toColumn } from '../../event-columns.ts'
import { uuidOfId } from './wire-types.ts'

type ColumnOf<Name extends EventFieldName> = (typeof eventFields)[Name]['column']

const listTypes = { uuid: 'uuid[]', text: 'text[]', bigint: 'bigint[]', boolean: 'boolean[]' } as const
type ListType = (typeof listTypes)[keyof typeof listTypes]

/** SQL: of the column. */
function typeOf(name: EventFieldName): keyof typeof listTypes {
  if (isId(name)) return 'uuid'
  const { kind } = eventFields[name]
  if (kind === 'flag') return 'boolean'
  return kind === 'time' || kind === 'count' ? 'bigint' : 'text'
}

/** SQL: the columns, in the order of the table of fields. */
export const fieldColumns = columnsOf(eventFieldNames).join(', ')
/** Each column with its list, as `rowsOf` takes them. */
export const fieldRows = Object.fromEntries(columnsOf(eventFieldNames).map((column) => [column, column]))
export const fieldParameters = Object.fromEntries(
  eventFieldNames.map((name) => [eventFields[name].column, listTypes[typeOf(name)]]),
) as Readonly<Record<EventFieldColumn, ListType>>

export function fieldValues(events: readonly EventFields[]) {
  return valuesOf(events, eventFieldNames)
}

/** SQL: the columns of a row of `outbox`, which has those only that can be given in a transaction, or worked out there. */
export const outboxFields = outboxFieldsWith({})

/** SQL: likewise, with what the fan-out has found out besides. */
export function outboxFieldsWith(found: Readonly<Partial<Record<EventFieldName, string>>>): string {
  return eventFieldNames
    .map((name) => {
      const { column, inTransactions } = eventFields[name]
      return inTransactions !== false ? column : `${found[name] ?? `null::${typeOf(name)}`} as ${column}`
    })
    .join(', ')
}

/** What `accept_event` takes: its arguments have the names of the columns, and JSON is `jsonb`. */
export const acceptedColumns = columnsOf(transactionalFieldNames)
export const acceptedLists = listsOf(transactionalFieldNames)
export const acceptedParameters = Object.fromEntries(
  transactionalFieldNames.map((name) => [
    eventFields[name].column,
    eventFields[name].kind === 'json' ? 'jsonb[]' : listTypes[typeOf(name)],
  ]),
) as Readonly<Record<ColumnOf<TransactionalFieldName>, ListType | 'jsonb[]'>>

export function acceptedValues(events: readonly Pick<EventFields, TransactionalFieldName>[]) {
  return valuesOf(events, transactionalFieldNames)
}

function columnsOf(names: readonly EventFieldName[]): readonly string[] {
  return names.map((name) => eventFields[name].column)
}

function listsOf(names: readonly EventFieldName[]): string {
  return columnsOf(names)
    .map((column) => `$${column}`)
    .join(', ')
}

function valuesOf<Name extends EventFieldName>(
  events: readonly Pick<EventFields, Name>[],
  names: readonly Name[],
): Readonly<Record<ColumnOf<Name>, readonly (string | null)[] | readonly (number | null)[]>> {
  const lists = names.map((name) => [
    eventFields[name].column,
    events.map((event) => toColumn(event[name], name, uuidOfId)),
  ])
  return Object.fromEntries(lists)
}
