import type { Static } from 'typebox'
import { Type } from '../../bundled/typebox.ts'
import { type EventTypeMode, eventTypeLimits, eventTypeModes } from '../../core/event-type.ts'
import { AnyJson, Closed, Id, Nullable, PageOf, pageQuery, Time } from './shapes.ts'
import { linesPattern, namePattern, Topic } from './text-limits.ts'
import { Version } from './versions.ts'

const mode = {
  type: 'string',
  enum: [...eventTypeModes],
  description:
    '`enforce`: an event whose payload is not as the schema says is refused with 422; `warn`: it is accepted, and the answer says so; `off`: payloads are not looked at',
}
const Mode = modeWith({})

function modeWith(given: object) {
  return Type.Unsafe<EventTypeMode>({ ...mode, ...given })
}

const Group = Type.String({
  minLength: 1,
  maxLength: eventTypeLimits.maxGroupChars,
  pattern: namePattern,
  description: 'what it is listed under',
  examples: ['Orders'],
})

const Schema = Type.Unsafe<unknown>({
  anyOf: [{ type: ['boolean', 'null'] }, { type: 'object', additionalProperties: true }],
  description:
    'JSON Schema 2020-12 of the payload, at most 64 KiB and 500 parts. References stay within it (`#/$defs/…`); `format` says something to people alone; patterns cannot look ahead, look behind or refer back. null: the payload may be anything',
  examples: [{ type: 'object', required: ['id'], properties: { id: { type: 'string' } } }],
})

const Example = Type.Unknown({
  description: 'a payload, for people, which has to be as the schema says; null: there is none',
  examples: [{ id: 'o_1' }],
})

const settings = {
  description: Type.Optional(
    Type.String({
      maxLength: eventTypeLimits.maxDescriptionChars,
      pattern: linesPattern,
      description: 'for the developers of those who receive it',
    }),
  ),
  group: Type.Optional(Nullable(Group)),
  schema: Type.Optional(Schema),
  example: Type.Optional(Example),
  deprecated: Type.Optional(Type.Boolean({ description: 'default false' })),
  mode: Type.Optional(modeWith({ default: 'off' })),
}

export const EventTypeParams = Type.Object({ name: Topic })

export const EventTypeCreateBody = Closed({ name: Topic, ...settings }, { title: 'EventTypeCreate' })

export const EventTypeChangeBody = Closed(
  { ...settings, mode: Type.Optional(Mode) },
  { title: 'EventTypeChange' },
)

export const EventTypeBody = Type.Object(
  {
    name: Topic,
    tenant_id: Nullable({
      ...Id,
      description: 'null: of the server’s catalogue, which holds for every tenant',
    }),
    description: Type.String(),
    group: Nullable(Type.String()),
    schema: AnyJson,
    example: AnyJson,
    deprecated: Type.Boolean(),
    mode: Mode,
    created_at: Time,
    updated_at: Time,
    version: Version,
  },
  { title: 'EventType' },
)
export const EventTypePage = PageOf(EventTypeBody)

export const EventTypeQuery = Closed({
  ...pageQuery,
  cursor: Type.Optional(
    Type.String({ pattern: '^(?:[A-Za-z0-9_-]{20,382})?$', description: '`next_cursor` of the page before' }),
  ),
  group: Type.Optional({ ...Group, description: 'exact' }),
  deprecated: Type.Optional(Type.Boolean()),
  own: Type.Optional(
    Type.Boolean({ description: 'of a tenant: only its own types, without those of the server' }),
  ),
})

export const EventTypeImportBody = Closed(
  {
    document: Type.Record(Type.String(), AnyJson, {
      allOf: [{ required: ['openapi'] }],
      description: 'an OpenAPI 3.1 document, whose `webhooks` are taken; references within it are followed',
    }),
    mode: Type.Optional(modeWith({ default: 'off', description: 'of types that are new' })),
    dry_run: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'true: nothing is done, and the answer says what would be',
      }),
    ),
  },
  { title: 'EventTypeImport' },
)

export const EventTypeImportAnswer = Type.Object(
  {
    dry_run: Type.Boolean(),
    created: Type.Integer(),
    changed: Type.Integer(),
    unchanged: Type.Integer(),
    items: Type.Array(
      Type.Object({
        name: Topic,
        result: Type.String({ enum: ['created', 'changed', 'unchanged'] }),
        note: Type.Optional(
          Type.String({ description: 'what was not taken of it, and why; only where there is something' }),
        ),
      }),
      { description: 'in the order of the document' },
    ),
  },
  { title: 'EventTypeImportReport' },
)
export type EventTypeImportAnswer = Static<typeof EventTypeImportAnswer>
