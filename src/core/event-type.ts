/** What a server, or one of its tenants, says of a topic: the catalogue of event types. */

/**
 * `enforce`: an event whose payload is not as the schema says is refused. `warn`: it is accepted, and the answer says so.
 * `off`: payloads are not looked at.
 */
export const eventTypeModes = ['enforce', 'warn', 'off'] as const
export type EventTypeMode = (typeof eventTypeModes)[number]

/** In place of a tenant's id: the catalogue of the server, which holds for every tenant that has no type of that name. */
export const serverCatalogueId = 'ten_7zzzzzzzzzzzzzzzzzzzzzzzzz'

/** What a catalogue is served as, beside its types and below the same path, so that no type can be called like it. */
export const documentNames = ['openapi.json', 'asyncapi.json', 'index.html'] as const

export const eventTypeLimits = {
  /** Types of one catalogue. */
  maxTypes: 1000,
  /** Schemas and examples of one catalogue together, bytes of JSON. */
  maxCatalogueBytes: 4 * 1024 * 1024,
  maxExampleBytes: 64 * 1024,
  maxDescriptionChars: 4000,
  maxGroupChars: 100,
} as const

export interface EventType {
  /** A topic. */
  readonly name: string
  /** Null: of the server's catalogue. */
  readonly tenantId: string | null
  readonly description: string
  readonly group: string | null
  /** JSON Schema 2020-12; null: the payload may be anything. */
  readonly schema: unknown
  /** A payload; null: there is none. */
  readonly example: unknown
  readonly deprecated: boolean
  readonly mode: EventTypeMode
  readonly createdAt: number
  readonly updatedAt: number
  readonly version: string
}

/** What publishing has to know of a type. */
export interface RoutedEventType {
  readonly name: string
  readonly mode: EventTypeMode
  /** Null: no payload is checked by it. */
  readonly schema: string | null
}
