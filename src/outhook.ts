/** The library: durable webhooks inside a Node program. */
import type { EventEmitter } from 'node:events'
import { type App, openApp } from './app.ts'
import { loadConfig } from './config/load-config.ts'
import { nearestName } from './config/nearest-name.ts'
import { OuthookError } from './core/errors.ts'
import { libraryWords } from './core/face-words.ts'
import { warnOfListener } from './core/listeners.ts'
import type { Logger } from './core/logger.ts'
import { defaultTenantId, type EventState } from './core/model.ts'
import { warnOfErrors } from './core/warnings.ts'
import type { AttemptActivity, EndpointDisabledActivity } from './delivery/activity.ts'
import type { DeadLetters } from './engine/dead-letters.ts'
import type { Deliveries } from './engine/deliveries.ts'
import type { Endpoints } from './engine/endpoints.ts'
import type { Events } from './engine/events.ts'
import type { PublishReceipt } from './engine/publish.ts'
import type { Subscriptions } from './engine/subscriptions.ts'
import { invalid, type PublishInput, toRequest } from './publish-input.ts'
import type { TransactionClient } from './store/port.ts'

/** Durations are milliseconds or text such as `'500ms'`, `'5s'`, `'2h'`. */
export type Duration = number | string

export interface OpenOptions {
  /** `'sqlite:PATH'`, `'postgres://…'` for many processes on one database, or `'memory:'` for tests. */
  readonly store: string
  /** False: this process publishes and reads; nothing is delivered from here. Default true. */
  readonly dispatch?: boolean
  /** 64 hex digits or base64 of 32 bytes. Default: `OUTHOOK_MASTER_KEY`, else (SQLite only) a key file beside the database. */
  readonly masterKey?: string
  /** How long opening waits for PostgreSQL to answer; 0 is not at all. Default 60 s. */
  readonly storeWait?: Duration
  /** Makes a new SQLite database where one is missing or empty though its key file is there. Default false: refused. */
  readonly newStore?: boolean
  /** Allows `http://` endpoints. Default false. */
  readonly allowHttp?: boolean
  /** Private ranges that endpoints may lie in, such as `['127.0.0.0/8']`. Default none. */
  readonly allowNetworks?: readonly string[]
  /** Ports that endpoints may have although they are those of mail, databases and the like. Default none. */
  readonly allowPorts?: readonly number[]
  /** Requests in flight at one time, to all endpoints together. Default 512. */
  readonly maxInFlight?: number
  /**
   * `'standard'` (the default: 10 attempts over three days), or the rules of another system: `'hookrail'` (a webhook
   * server, 8 attempts within minutes), `'dograh'` (a voice platform, 5 over 8 minutes), `'pyfly'` (a Python framework,
   * 5 over 75 seconds).
   */
  readonly defaultRetryPolicy?: string
  /** Default 3 s. */
  readonly connectTimeout?: Duration
  /** Default 10 s. */
  readonly headersTimeout?: Duration
  /** One whole attempt. Default 15 s. */
  readonly totalTimeout?: Duration
  /** Transport failures in a row that pause an endpoint; 0 switches the breaker off. Default 5. */
  readonly breakerThreshold?: number
  /** The first pause. Default 30 s. */
  readonly breakerPause?: Duration
  /** The longest pause. Default 1 h. */
  readonly breakerMaxPause?: Duration
  /** An endpoint that has only failed for so long is disabled; 0 is never. Default 5 days. */
  readonly disableAfter?: Duration
  /** How long `close` waits for requests in flight. Default 25 s. */
  readonly drainDeadline?: Duration
  /** How long an idempotency key is remembered. Default 24 h. */
  readonly idempotencyTtl?: Duration
  /** How long payloads are kept; longer while a delivery needs them; 0 is for ever. Default 30 days. */
  readonly retainPayloads?: Duration
  /** How long attempts are kept; 0 is for ever. Default 30 days. */
  readonly retainAttempts?: Duration
  /** How long a dead letter can be replayed; 0 is for ever. Default 90 days. */
  readonly retainDeadLetters?: Duration
  /** How long finished deliveries and events are kept; 0 is for ever. Default 90 days. */
  readonly retainEvents?: Duration
  /** A master key file was made just now, at this path: back it up. Not called for a file that was there. */
  readonly onMasterKeyCreated?: (file: string) => void
  /**
   * pino's loggers fit. Default: nothing is logged, and what would be an error there, such as a database file that was
   * deleted, is a warning of the process (`process.on('warning')`).
   */
  readonly logger?: Logger
}

export interface PublishOptions {
  /**
   * A connected client of `pg` with an open transaction on the database of the store, which must be PostgreSQL: the
   * event exists if and when that transaction commits, and is fanned out then.
   */
  readonly client?: TransactionClient
}

export interface PublishedEvent {
  readonly id: string
  /** One per matching subscription; empty when none matched, and where `state` is `'accepted'`. */
  readonly deliveryIds: readonly string[]
  /**
   * `'accepted'`: the deliveries are made after this, because the event is for more than 1000 or part of a transaction.
   * `events.get` and `events.wait` have them.
   */
  readonly state: EventState
  /** The idempotency key was used before for the same content, and this is what it got then. */
  readonly replayed: boolean
}

export type PublishManyResult =
  | ({ readonly status: 'published' } & PublishedEvent)
  | { readonly status: 'failed'; readonly error: OuthookError }

export interface OuthookEvents {
  /** After each attempt, once its outcome is recorded. */
  attempt: [AttemptActivity]
  /** A delivery was given up. */
  deadLetter: [AttemptActivity]
  /** An endpoint answered 410 or has only failed for too long. */
  endpointDisabled: [EndpointDisabledActivity]
}

const eventNames = Object.keys({
  attempt: true,
  deadLetter: true,
  endpointDisabled: true,
} satisfies Record<keyof OuthookEvents, true>)

/** The methods of a service without their first parameter, the tenant. */
export type OfTenant<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends (
    tenantId: string,
    ...rest: infer Rest
  ) => infer Result
    ? (...rest: Rest) => Result
    : never
}

/**
 * Durable webhooks in this process. `Topics` types payloads by topic.
 *
 * @example
 * const hooks = await Outhook.open<{ 'orders.created': { id: string } }>({ store: 'sqlite:hooks.db' })
 * await hooks.endpoints.upsert({ uid: 'billing', url: 'https://billing.example/hook', topics: ['orders.*'] })
 * await hooks.publish({ topic: 'orders.created', payload: { id: 'o_1' }, idempotencyKey: 'o_1' })
 * await hooks.close()
 */
// biome-ignore lint/suspicious/noExplicitAny: without a map of topics any payload may be given.
export class Outhook<Topics extends object = Record<string, any>> implements AsyncDisposable {
  readonly endpoints: OfTenant<Endpoints>
  readonly subscriptions: OfTenant<Subscriptions>
  readonly events: OfTenant<Events>
  readonly deliveries: OfTenant<Deliveries>
  readonly deadLetters: OfTenant<DeadLetters>
  readonly #app: App
  readonly #emitter: EventEmitter

  private constructor(app: App) {
    const { engine } = app
    this.#app = app
    this.#emitter = engine.activity as EventEmitter
    this.endpoints = ofTenant(engine.endpoints)
    this.subscriptions = ofTenant(engine.subscriptions)
    this.events = ofTenant(engine.events)
    this.deliveries = ofTenant(engine.deliveries)
    this.deadLetters = ofTenant(engine.deadLetters)
  }

  /**
   * Opens the store and starts delivering. Installs no signal handlers: call `close` when the program ends.
   * Errors: invalid_config, store_locked, store_missing, store_incompatible, wrong_master_key.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  static async open<Topics extends object = Record<string, any>>(
    options: OpenOptions,
  ): Promise<Outhook<Topics>> {
    const { dispatch, logger, onMasterKeyCreated, ...given }: Partial<OpenOptions> = options ?? {}
    if (given.store === undefined) {
      throw new OuthookError(
        'invalid_config',
        "store: it is missing; use 'sqlite:PATH', or 'memory:' for tests",
      )
    }
    const config = loadConfig({ options: given, env: pickMasterKey(process.env) })
    const app = await openApp({
      config,
      logger: logger ?? warnOfErrors(),
      dispatch: dispatch ?? true,
      words: libraryWords,
      ...(logger === undefined && {
        onListenerError: (error: unknown, name: string) => warnOfListener(`a listener of "${name}"`, error),
      }),
      ...(onMasterKeyCreated !== undefined && { onMasterKeyCreated }),
    })
    return new Outhook<Topics>(app)
  }

  /**
   * Resolves once the event is durable; it is delivered from then on, whatever happens to this process. With a
   * `client`, resolves once the event is part of the client's transaction; errors of the client's own connection come
   * through as they are.
   * Errors: invalid_body (the topic), invalid_payload, invalid_request, payload_too_large, ordering_key_conflict,
   * ordering_key_too_long, idempotency_conflict, store_unavailable, shutting_down.
   */
  async publish<Topic extends keyof Topics & string>(
    input: PublishInput<Topics, Topic>,
    options: PublishOptions = {},
  ): Promise<PublishedEvent> {
    const request = toRequest(input)
    const client = clientOf(options)
    if (client === undefined) return toPublished(await this.#app.engine.publisher.publish(request))
    const [result] = await this.#app.engine.transactionalPublisher.publishMany(client, [request])
    if (result?.status !== 'fulfilled') throw result?.reason
    return toPublished(result.value)
  }

  /**
   * Publishes each on its own, sharing commits: one that is refused hinders no other. In order. With a `client` they
   * become part of its transaction in one round trip.
   */
  async publishMany(
    inputs: readonly PublishInput<Topics>[],
    options: PublishOptions = {},
  ): Promise<PublishManyResult[]> {
    if (!Array.isArray(inputs))
      throw invalid('publishMany takes a list of events such as [{ topic, payload }]')
    const { publisher, transactionalPublisher } = this.#app.engine
    const client = clientOf(options)
    const requests = await Promise.allSettled(Array.from(inputs, async (input) => toRequest(input)))
    const valid = requests.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const results = await (client === undefined
      ? publisher.publishMany(valid)
      : transactionalPublisher.publishMany(client, valid))
    let next = 0
    return requests.map((request) => {
      const result = request.status === 'fulfilled' ? results[next++] : request
      return result?.status === 'fulfilled'
        ? { status: 'published', ...toPublished(result.value as PublishReceipt) }
        : { status: 'failed', error: typed(result?.reason) }
    })
  }

  /**
   * Calls `listener` from now on. One that throws or rejects stops nothing: it is an error in the log, and without a
   * `logger` a warning of the process (`process.on('warning')`).
   */
  on<Name extends keyof OuthookEvents>(name: Name, listener: (...args: OuthookEvents[Name]) => void): this {
    checkEventName(name)
    this.#emitter.on(name, listener as Listener)
    return this
  }

  off<Name extends keyof OuthookEvents>(name: Name, listener: (...args: OuthookEvents[Name]) => void): this {
    this.#emitter.off(name, listener as Listener)
    return this
  }

  /** Refuses new events, lets requests in flight end, gives the rest back and closes the store. Can be called twice. */
  close(): Promise<void> {
    return this.#app.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

type Listener = (...args: unknown[]) => void

/** The library takes nothing from the environment but the key, which belongs in no source code. */
function pickMasterKey(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return { OUTHOOK_MASTER_KEY: env.OUTHOOK_MASTER_KEY }
}

/** Whoever listens to what never happens waits for ever. */
function checkEventName(name: string): void {
  if (eventNames.includes(name)) return
  const nearest = nearestName(String(name).slice(0, 64), eventNames)
  const advice = nearest ? `did you mean ${nearest}?` : `there are ${eventNames.join(', ')}`
  throw invalid(`there is no event ${JSON.stringify(String(name).slice(0, 64))} to listen to; ${advice}`)
}

function toPublished({ eventId, ...rest }: PublishReceipt): PublishedEvent {
  return { id: eventId, ...rest }
}

/** No mistake here may publish outside of the transaction that was meant. */
function clientOf(options: PublishOptions): TransactionClient | undefined {
  if (typeof options !== 'object' || options === null)
    throw invalid('the options are an object such as { client }')
  const unknown = Object.keys(options).find((name) => name !== 'client')
  if (unknown !== undefined)
    throw invalid(`there is no option ${unknown.slice(0, 64)}; the only one is { client }`)
  if (!('client' in options)) return undefined
  if (options.client === undefined)
    throw invalid('client is given and undefined; give the client of your transaction')
  return options.client
}

function typed(error: unknown): OuthookError {
  if (error instanceof OuthookError) return error
  return new OuthookError('internal', `the event was not published: ${String(error)}`, { cause: error })
}

/** The store says that it is closed, and a program knows of no store. */
function rethrowClosed(error: unknown): never {
  if (!(error instanceof OuthookError) || error.code !== 'closed') throw error
  throw new OuthookError('closed', libraryWords.stopped, { cause: error })
}

function ofTenant<Service extends object>(service: Service): OfTenant<Service> {
  const bound: Record<string, unknown> = {}
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(service))) {
    const method = service[name as keyof Service]
    if (name !== 'constructor' && typeof method === 'function') {
      const call: (...rest: unknown[]) => Promise<unknown> = method.bind(service, defaultTenantId)
      bound[name] = (...rest: unknown[]) => call(...rest).catch(rethrowClosed)
    }
  }
  return bound as OfTenant<Service>
}
