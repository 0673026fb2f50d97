/**
 * What the catalogues say of payloads, where they are published. The types of a tenant come with its routing, whose version
 * each publish is tested with; those of the server are here, for all tenants, and are loaded anew when they change.
 */

import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { RoutedEventType } from '../core/event-type.ts'
import type { Logger } from '../core/logger.ts'
import type { PayloadViolation } from '../delivery/activity.ts'
import type { TenantRouting } from '../delivery/routing-cache.ts'
import { loadSchemaCompiler, type SchemaCompiler } from '../payload-schemas/schema-compiler.ts'
import { placeOf, type Violation } from '../payload-schemas/violation.ts'
import type { EventTypeStore, Routing } from '../store/port.ts'

/** How soon a change that another process made is found, should its hint be lost. */
const lookMs = 1000
/** A line in the log for a topic of a tenant, however many of its events are wrong. */
const logEveryMs = 60_000
/** Topics whose last line is remembered. */
const maxLogged = 10_000

export interface PayloadWarning {
  /** A JSON Pointer into the payload; empty: the payload as a whole. */
  readonly path: string
  /** A sentence that names the place. */
  readonly message: string
}

/** What came of a check that a payload did not pass. */
export interface PayloadVerdict {
  readonly warning: PayloadWarning
  /** The type says `enforce`; null: it says `warn`. */
  readonly refusal: OuthookError | null
}

export interface PayloadRulesOptions {
  readonly store: Pick<EventTypeStore, 'loadServerEventTypes' | 'serverEventTypesVersion'>
  /** Other processes change the catalogue too. */
  readonly isShared: boolean
  readonly clock: Pick<Clock, 'elapsed' | 'schedule'>
  readonly logger: Logger
  readonly onViolation: (violation: PayloadViolation) => void
}

/** What is checked of an event. */
export interface CheckedEvent {
  readonly tenantId: string
  readonly topic: string
  readonly payload: Uint8Array
}

type OwnTypes = Pick<TenantRouting, 'eventTypes'>

export class PayloadRules {
  readonly #options: PayloadRulesOptions
  /** Those of the server, by name; null: it has none. */
  #types: ReadonlyMap<string, RoutedEventType> | null = null
  #version = ''
  #compiler: SchemaCompiler | null = null
  #cancelLook: (() => void) | null = null
  #looking: Promise<void> | null = null
  #stopped = false
  /** When a line was written last, on the elapsed scale. */
  readonly #logged = new Map<string, number>()
  /** Types that cannot be checked here, each told once. */
  readonly #unusable = new WeakSet<RoutedEventType>()

  constructor(options: PayloadRulesOptions) {
    this.#options = options
  }

  /** Resolves once the server's catalogue is known. */
  async start(): Promise<void> {
    await this.reload()
    if (this.#options.isShared) this.#lookLater()
  }

  /** Can be called twice. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelLook?.()
    await this.#looking
  }

  /** What is published after this goes by the catalogue as it is now, or later. */
  async reload(): Promise<void> {
    const { version, types } = await this.#options.store.loadServerEventTypes()
    await this.#prepare(types)
    this.#version = version
    this.#types = byName(types)
  }

  /** A tenant's routing, ready to be used. */
  async prepared(loading: Promise<Routing>): Promise<Routing> {
    const routing = await loading
    await this.#prepare(routing.eventTypes)
    return routing
  }

  async #prepare(types: Routing['eventTypes']): Promise<void> {
    if (types.some(({ schema }) => schema !== null)) this.#compiler ??= await loadSchemaCompiler()
  }

  /** Whether a payload of the topic is looked at. */
  concern(topic: string, { eventTypes }: OwnTypes): boolean {
    return this.#inForce(topic, eventTypes) !== null
  }

  /** Null nearly always, and then it cost a look-up by the topic, or nothing where no catalogue has a type. */
  judge(event: CheckedEvent, { eventTypes }: OwnTypes): PayloadVerdict | null {
    if (this.#types === null && eventTypes === null) return null
    const type = this.#inForce(event.topic, eventTypes)
    const violation = type === null ? null : this.#check(type, event.payload)
    return type === null || violation === null ? null : verdictOf(type, violation)
  }

  /** Of an event that was accepted in spite of it, or refused: in the log and in a metric. */
  tell(
    { tenantId, topic }: Omit<CheckedEvent, 'payload'>,
    { warning }: PayloadVerdict,
    refused: boolean,
  ): void {
    const { onViolation, logger } = this.#options
    onViolation({ tenantId, topic, ...warning, refused })
    if (!this.#isNews(`${tenantId} ${topic}`)) return
    const fields = { tenant_id: tenantId, topic, path: warning.path, refused, problem: warning.message }
    logger.warn(
      fields,
      'a payload is not as the schema of its event type says; others of the topic are not told for a minute',
    )
  }

  #isNews(topicOfTenant: string): boolean {
    const now = this.#options.clock.elapsed()
    const last = this.#logged.get(topicOfTenant)
    if (last !== undefined && now - last < logEveryMs) return false
    if (this.#logged.size >= maxLogged) this.#logged.clear()
    this.#logged.set(topicOfTenant, now)
    return true
  }

  #inForce(topic: string, own: TenantRouting['eventTypes']): RoutedEventType | null {
    const type = own?.get(topic) ?? this.#types?.get(topic)
    return type === undefined || type.schema === null ? null : type
  }

  #check(type: RoutedEventType, payload: Uint8Array): Violation | null {
    if (this.#unusable.has(type)) return null
    try {
      const check = (this.#compiler as SchemaCompiler).compile(type.schema as string)
      return check(JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString()))
    } catch (error) {
      // It was checked when it was made: by another version, or another engine of JavaScript.
      this.#unusable.add(type)
      this.#options.logger.error(
        { err: error, event_type: type.name },
        'the schema of an event type cannot be used by this process; payloads of the topic are not checked',
      )
      return null
    }
  }

  #lookLater(): void {
    if (this.#stopped) return
    this.#cancelLook = this.#options.clock.schedule(lookMs, () => {
      this.#looking = this.#look().finally(() => this.#lookLater())
    })
  }

  /** Never rejects: while the store is away, the catalogue stays what it was. */
  async #look(): Promise<void> {
    try {
      if ((await this.#options.store.serverEventTypesVersion()) !== this.#version) await this.reload()
    } catch {}
  }
}

function byName(types: readonly RoutedEventType[]): ReadonlyMap<string, RoutedEventType> | null {
  return types.length === 0 ? null : new Map(types.map((type) => [type.name, type]))
}

function verdictOf({ name, mode }: RoutedEventType, violation: Violation): PayloadVerdict {
  const { path } = violation
  const message = `${placeOf(violation)} ${violation.message}, as the schema of the event type "${name}" says`
  const warning = { path, message }
  if (mode !== 'enforce') return { warning, refusal: null }
  return { warning, refusal: new OuthookError('payload_mismatch', message, { path }) }
}
