/** Rows of event types, their pages, and what a change makes of one; written once for both databases. */

import { OuthookError } from '../core/errors.ts'
import {
  type EventTypeMode,
  eventTypeLimits,
  type RoutedEventType,
  serverCatalogueId,
} from '../core/event-type.ts'
import { bytesToId, idPrefixes } from '../core/ids.ts'
import type {
  CatalogueFull,
  EventTypePatch,
  EventTypePut,
  NewEventType,
  Page,
  PageRequest,
  PutResult,
  StoredEventType,
} from './port.ts'
import { versionOfTime } from './row-version.ts'

export interface EventTypeRow {
  readonly tenant_id: Uint8Array
  readonly name: string
  readonly description: string
  readonly type_group: string | null
  readonly schema: string | null
  readonly example: string | null
  readonly deprecated: number | boolean
  readonly mode: EventTypeMode
  readonly created_at: number
  readonly updated_at: number
}

export type RoutedEventTypeRow = Pick<EventTypeRow, 'name' | 'mode' | 'schema'>

/** The row of `meta` that says how often the server's catalogue has changed. */
export const serverVersionName = 'event_types_version'

export function toEventType(row: EventTypeRow): StoredEventType {
  const owner = bytesToId(idPrefixes.tenant, row.tenant_id)
  return {
    name: row.name,
    tenantId: owner === serverCatalogueId ? null : owner,
    description: row.description,
    group: row.type_group,
    schema: row.schema,
    example: row.example,
    deprecated: Boolean(row.deprecated),
    mode: row.mode,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: versionOfTime(row.updated_at),
  }
}

export function toRoutedEventType({ name, mode, schema }: RoutedEventTypeRow): RoutedEventType {
  return { name, mode, schema }
}

/** What a change writes, as both databases keep it. `bytes` is what the bound of a catalogue counts. */
export function eventTypeValues(type: Omit<NewEventType, 'name' | 'deprecated'>) {
  const { description, group, schema, example, mode } = type
  const bytes = Buffer.byteLength(schema ?? '') + Buffer.byteLength(example ?? '')
  return { description, type_group: group, schema, example, mode, bytes }
}

export interface CatalogueSize {
  readonly types: number
  readonly bytes: number
}

/** Null: what it would hold is within the bounds. */
export function catalogueProblem({ types, bytes }: CatalogueSize): CatalogueFull | null {
  if (types > eventTypeLimits.maxTypes) return { kind: 'too_many' }
  return bytes > eventTypeLimits.maxCatalogueBytes ? { kind: 'too_large' } : null
}

export interface PlannedPut {
  readonly result: PutResult
  /** As it is to be. */
  readonly type: NewEventType
}

/** What an import makes of a type; `before` is null where the catalogue has none of that name. */
export function planPut(
  before: StoredEventType | null,
  put: EventTypePut,
  modeOfNew: EventTypeMode,
): PlannedPut {
  if (before === null) {
    const schema = put.schema ?? null
    const type = {
      name: put.name,
      description: put.description ?? '',
      group: put.group ?? null,
      schema,
      example: put.example ?? null,
      deprecated: put.deprecated ?? false,
      mode: schema === null ? 'off' : modeOfNew,
    } as const
    return { result: 'created', type }
  }
  const { tenantId: _owner, createdAt: _created, updatedAt: _updated, version: _version, ...known } = before
  const type = { ...known, ...put }
  const isSame = (Object.keys(put) as (keyof EventTypePut)[]).every((name) => put[name] === before[name])
  return { result: isSame ? 'unchanged' : 'changed', type }
}

export function patched(before: StoredEventType, patch: EventTypePatch): NewEventType {
  const { name, description, group, schema, example, deprecated, mode } = { ...before, ...patch }
  return { name, description, group, schema, example, deprecated, mode }
}

const maxLimit = 200

export interface EventTypeBounds {
  readonly limit: number
  /** The last name of the page before; empty on the first, and before every name. */
  readonly after: string
}

export function readEventTypePage({ limit, cursor }: PageRequest): EventTypeBounds {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw new OuthookError('invalid_request', `limit is ${limit}; give a whole number from 1 to ${maxLimit}`)
  }
  if (cursor === null || cursor === '') return { limit, after: '' }
  const bytes = Buffer.from(cursor, 'base64url')
  const after = bytes.toString()
  if (bytes.toString('base64url') === cursor && Buffer.from(after).equals(bytes) && after !== '') {
    return { limit, after }
  }
  throw new OuthookError(
    'bad_cursor',
    'the cursor cannot be read; give the next_cursor of an earlier page as it was',
  )
}

/** Of rows that were read with `limit + 1`. */
export function toEventTypePage(rows: readonly EventTypeRow[], limit: number): Page<StoredEventType> {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  const nextCursor =
    rows.length > limit && last !== undefined ? Buffer.from(last.name).toString('base64url') : ''
  return { items: kept.map(toEventType), nextCursor }
}
