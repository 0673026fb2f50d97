/**
 * The catalogues of event types: one of the server, which holds for every tenant, and one of each tenant, whose types hold
 * in place of those of the same name.
 */
import { OuthookError } from '../core/errors.ts'
import { type EventType, type EventTypeMode, eventTypeLimits, serverCatalogueId } from '../core/event-type.ts'
import type { ChangeOptions } from '../core/version.ts'
import { SchemaRefused } from '../payload-schemas/read-schema.ts'
import { loadSchemaCompiler } from '../payload-schemas/schema-compiler.ts'
import { placeOf } from '../payload-schemas/violation.ts'
import type {
  EventTypeFilter,
  EventTypePatch,
  EventTypeStore,
  NewEventType,
  Page,
  PageRequest,
  PutResult,
  StoredEventType,
} from '../store/port.ts'
import {
  checkDeprecated,
  checkEventTypeName,
  checkExample,
  checkGroup,
  checkMode,
  checkTypeDescription,
  type EventTypeChange,
  type EventTypeInput,
  eventTypeChangeMembers,
  eventTypeMembers,
  toText,
  unprocessable,
} from './event-type-input.ts'
import { type ImportInput, type ImportReport, planImport } from './import-event-types.ts'
import { checkMembers } from './key-input.ts'
import { checkFilter, checkPage, maxPageLimit, notFound } from './page.ts'
import type { PayloadRules } from './payload-rules.ts'

export interface EventTypesOptions {
  readonly store: EventTypeStore
  readonly rules: Pick<PayloadRules, 'reload'>
  /** The tenant's routing is no longer what it was. */
  readonly onChange: (tenantId: string) => void
}

const example = '{ name: "orders.created", description, schema }'

/** A tenant's id; null: the server's own catalogue. */
export type CatalogueOwner = string | null

export class EventTypes {
  readonly #options: EventTypesOptions

  constructor(options: EventTypesOptions) {
    this.#options = options
  }

  /** Errors: unprocessable, conflict (the name is taken, or the catalogue is full), not_found (the tenant is gone). */
  async create(owner: CatalogueOwner, input: EventTypeInput): Promise<EventType> {
    checkMembers(input, { known: eventTypeMembers, example })
    const name = checkEventTypeName(input.name)
    const given = readChange(input)
    const type: NewEventType = {
      description: '',
      group: null,
      schema: null,
      example: null,
      deprecated: false,
      mode: 'off',
      ...given,
      name,
    }
    await checkContent(type)
    const result = await this.#write(owner, (id) => this.#options.store.insertEventType(id, type))
    if (result.kind === 'inserted') return toEventType(result.eventType)
    if (result.kind === 'name_exists') {
      throw new OuthookError(
        'conflict',
        `there is an event type ${name} already; change that one, or delete it`,
      )
    }
    throw refusalOf(result.kind)
  }

  /** The tenant's own, or else the server's. Errors: not_found. */
  async get(owner: CatalogueOwner, name: string): Promise<EventType> {
    return toEventType(await this.#find(owner, name))
  }

  /** All that hold, by name. */
  async listAll(owner: CatalogueOwner): Promise<readonly EventType[]> {
    const types: EventType[] = []
    let cursor: string | null = null
    do {
      const page: Page<StoredEventType> = await this.#options.store.listEventTypes(
        idOf(owner),
        {},
        { limit: maxPageLimit, cursor },
      )
      types.push(...page.items.map(toEventType))
      cursor = page.nextCursor
    } while (cursor !== '')
    return types
  }

  /** By name: the tenant's own, and those of the server that it has none in place of. */
  async list(
    owner: CatalogueOwner,
    request: Partial<PageRequest> & EventTypeFilter = {},
  ): Promise<Page<EventType>> {
    const { limit, cursor, ...given } = request
    const page = checkPage({ ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) })
    if (given.group !== undefined) checkGroup(given.group, 'invalid_request')
    const { items, nextCursor } = await this.#options.store.listEventTypes(
      idOf(owner),
      checkFilter(given),
      page,
    )
    return { items: items.map(toEventType), nextCursor }
  }

  /**
   * Absent members stay. What is published after this is checked by what the type is now.
   * Errors: not_found (also of a tenant for a type that only the server has), version_conflict, unprocessable, conflict.
   */
  async update(
    owner: CatalogueOwner,
    name: string,
    change: EventTypeChange,
    options?: ChangeOptions,
  ): Promise<EventType> {
    checkMembers(change, { known: eventTypeChangeMembers, example: '{ deprecated: true }' })
    const patch = readChange(change)
    const before = await this.#findOwn(owner, name)
    await checkContent({ ...before, ...patch })
    const { store } = this.#options
    // What was checked is the whole of it, so it must still be what it was.
    const held = options?.ifMatch === undefined ? { ifMatch: before.version } : options
    const result = await this.#write(owner, (id) => store.updateEventType(id, before.name, patch, held))
    if (result === null) throw notFound('event type', 'name')
    if (result.kind !== 'updated') throw refusalOf(result.kind)
    return toEventType(result.eventType)
  }

  /** Of a tenant's own type: the server's of that name holds again. Errors: not_found, version_conflict. */
  async delete(owner: CatalogueOwner, name: string, options?: ChangeOptions): Promise<void> {
    const before = await this.#findOwn(owner, name)
    const { store } = this.#options
    const isGone = await this.#write(owner, (id) => store.deleteEventType(id, before.name, options))
    if (!isGone) throw notFound('event type', 'name')
  }

  /**
   * Brings the catalogue to what the webhooks of an OpenAPI document say, all of it or nothing. What is there keeps its mode
   * and what the document does not say. Errors: unprocessable, conflict (the catalogue is full), not_found (the tenant is gone).
   */
  async import(owner: CatalogueOwner, input: ImportInput): Promise<ImportReport> {
    checkMembers(input, {
      known: { document: true, mode: true, dryRun: true },
      example: '{ document, mode }',
    })
    const modeOfNew = checkMode(input.mode ?? 'off')
    const dryRun = input.dryRun ?? false
    if (typeof dryRun !== 'boolean') throw unprocessable('dry run must be true or false')
    const planned = await planImport(input.document, checkContent)
    const types = planned.map(({ put }) => put)
    const { store } = this.#options
    const result = await this.#write(owner, (id) => store.putEventTypes(id, types, { modeOfNew, dryRun }))
    if (result.kind !== 'put') throw refusalOf(result.kind)
    const { results } = result
    const count = (wanted: PutResult) => results.filter((each) => each === wanted).length
    return {
      dryRun,
      created: count('created'),
      changed: count('changed'),
      unchanged: count('unchanged'),
      items: planned.map(({ put, note }, index) => ({
        name: put.name,
        result: results[index] as PutResult,
        ...(note !== undefined && { note }),
      })),
    }
  }

  async #findOwn(owner: CatalogueOwner, name: string): Promise<StoredEventType> {
    const found = await this.#find(owner, name)
    if (found.tenantId === owner) return found
    throw new OuthookError(
      'not_found',
      `${found.name} is a type of the server and not of the tenant; make one of that name for the tenant, which holds in its place`,
      { title: 'event type not found' },
    )
  }

  async #find(owner: CatalogueOwner, name: string): Promise<StoredEventType> {
    const found = await this.#options.store.getEventType(idOf(owner), checkEventTypeName(name, 'not_found'))
    if (found === null) throw notFound('event type', 'name')
    return found
  }

  /** A write that failed may have happened: what goes by the catalogue is told in any case. */
  async #write<T>(owner: CatalogueOwner, write: (catalogueId: string) => Promise<T>): Promise<T> {
    const { rules, onChange } = this.#options
    try {
      return await write(idOf(owner))
    } finally {
      if (owner === null) await rules.reload().catch(() => {})
      else onChange(owner)
    }
  }
}

function idOf(owner: CatalogueOwner): string {
  return owner ?? serverCatalogueId
}

export function toEventType(stored: StoredEventType): EventType {
  const { schema, example: payload, ...rest } = stored
  return { ...rest, schema: fromText(schema), example: fromText(payload) }
}

function fromText(text: string | null): unknown {
  return text === null ? null : JSON.parse(text)
}

function readChange(change: EventTypeChange): EventTypePatch {
  const { description, group, schema, example: payload, deprecated, mode } = change
  return {
    ...(description !== undefined && { description: checkTypeDescription(description) }),
    ...(group !== undefined && { group: checkGroup(group) }),
    ...(schema !== undefined && { schema: toText(schema, 'schema') }),
    ...(payload !== undefined && { example: checkExample(payload) }),
    ...(deprecated !== undefined && { deprecated: checkDeprecated(deprecated) }),
    ...(mode !== undefined && { mode: checkMode(mode) }),
  }
}

type Content = Readonly<{ schema: string | null; example: string | null; mode: EventTypeMode }>

/** Schema, example and mode have to fit one another. */
export async function checkContent({ schema, example: payload, mode }: Content): Promise<void> {
  if (schema === null) {
    if (mode === 'off') return
    throw unprocessable(
      `mode is ${mode}, and there is no schema to check payloads by; give one, or the mode off`,
    )
  }
  const compiler = await loadSchemaCompiler()
  try {
    compiler.check(JSON.parse(schema))
  } catch (error) {
    if (error instanceof SchemaRefused) throw unprocessable(error.message)
    throw error
  }
  const violation = payload === null ? null : compiler.compile(schema)(JSON.parse(payload))
  if (violation === null) return
  const place = placeOf(violation).replace(/^payload/, 'example')
  throw unprocessable(`${place} ${violation.message}, as the schema says`)
}

export function refusalOf(kind: 'too_many' | 'too_large' | 'tenant_deleted'): OuthookError {
  const { maxTypes, maxCatalogueBytes } = eventTypeLimits
  switch (kind) {
    case 'too_many':
      return new OuthookError(
        'conflict',
        `a catalogue has at most ${maxTypes} event types; delete some first`,
      )
    case 'too_large':
      return new OuthookError(
        'conflict',
        `the schemas and examples of a catalogue have at most ${maxCatalogueBytes} bytes together; make some smaller first`,
      )
    case 'tenant_deleted':
      return new OuthookError('not_found', 'the tenant was deleted and takes no more event types', {
        title: 'tenant not found',
      })
  }
}
