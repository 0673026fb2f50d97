/** The catalogues of event types. The rules of `../port.ts` hold. */
import type { EventType, EventTypeMode, RoutedEventType } from '../../core/event-type.ts'
import type { ChangeOptions } from '../../core/version.ts'
import type { TenantDeleted } from './config.ts'
import type { Page, PageRequest } from './reading.ts'

/** JSON stays text: what is in it is the caller's, and nothing here looks into it. */
export interface StoredEventType extends Omit<EventType, 'schema' | 'example'> {
  readonly schema: string | null
  readonly example: string | null
}

export type NewEventType = Omit<StoredEventType, 'tenantId' | 'createdAt' | 'updatedAt' | 'version'>

/** Members that are absent stay as they are. */
export type EventTypePatch = Partial<Omit<NewEventType, 'name'>>

/** Of an import: what it says of a type. A type that is there keeps what is absent, and its mode. */
export interface EventTypePut extends Omit<EventTypePatch, 'mode'> {
  readonly name: string
}

/** Nothing was done: the catalogue would have more types, or more bytes of schemas and examples, than it may. */
export type CatalogueFull = { readonly kind: 'too_many' } | { readonly kind: 'too_large' }

export type EventTypeInsertion =
  | { readonly kind: 'inserted'; readonly eventType: StoredEventType }
  | { readonly kind: 'name_exists' }
  | CatalogueFull
  | TenantDeleted

export type EventTypeUpdate =
  | { readonly kind: 'updated'; readonly eventType: StoredEventType }
  | CatalogueFull

export type PutResult = 'created' | 'changed' | 'unchanged'

export type EventTypesPut =
  /** In the order of what was given. */
  { readonly kind: 'put'; readonly results: readonly PutResult[] } | CatalogueFull | TenantDeleted

export interface EventTypeFilter {
  readonly group?: string
  readonly deprecated?: boolean
  /** Without those of the server. */
  readonly own?: boolean
}

/**
 * `catalogueId` is a tenant's id or `serverCatalogueId`. Each change of a tenant's types raises its routing version in the
 * same transaction, each of the server's the version of its catalogue.
 */
export interface EventTypeStore {
  /** Atomic with the look at the name, the bounds and the tenant. */
  insertEventType(catalogueId: string, input: NewEventType): Promise<EventTypeInsertion>
  /** Atomic with the look at `ifMatch` and the bounds. Null: the catalogue itself has no such type. Errors: version_conflict. */
  updateEventType(
    catalogueId: string,
    name: string,
    patch: EventTypePatch,
    options?: ChangeOptions,
  ): Promise<EventTypeUpdate | null>
  /** Errors: version_conflict. */
  deleteEventType(catalogueId: string, name: string, options?: ChangeOptions): Promise<boolean>
  /** All or nothing; with `dryRun` nothing, and what would be done. */
  putEventTypes(
    catalogueId: string,
    types: readonly EventTypePut[],
    options: { readonly modeOfNew: EventTypeMode; readonly dryRun: boolean },
  ): Promise<EventTypesPut>
  /** The tenant's own, or else the server's. */
  getEventType(catalogueId: string, name: string): Promise<StoredEventType | null>
  /** Likewise, by name. */
  listEventTypes(
    catalogueId: string,
    filter: EventTypeFilter,
    page: PageRequest,
  ): Promise<Page<StoredEventType>>
  /** Of the server, in one snapshot. */
  loadServerEventTypes(): Promise<{ readonly version: string; readonly types: readonly RoutedEventType[] }>
  serverEventTypesVersion(): Promise<string>
}
