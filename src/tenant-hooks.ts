/** What a program does for one tenant: publish, and see to its endpoints and deliveries. */
import { OuthookError } from './core/errors.ts'
import { libraryWords } from './core/face-words.ts'
import type { EventState } from './core/model.ts'
import type { StreamItem, StreamMissed } from './core/stream-item.ts'
import type { ApiKeys } from './engine/api-keys.ts'
import type { AuditLog } from './engine/audit-log.ts'
import type { Credentials } from './engine/credentials.ts'
import type { DeadLetters } from './engine/dead-letters.ts'
import type { Deliveries } from './engine/deliveries.ts'
import type { SendReceipt } from './engine/direct-sends.ts'
import type { EndpointPauses } from './engine/endpoint-pauses.ts'
import type { EndpointTests } from './engine/endpoint-tests.ts'
import type { Endpoints } from './engine/endpoints.ts'
import type { Engine } from './engine/engine.ts'
import type { EventTypes } from './engine/event-types.ts'
import type { Events } from './engine/events.ts'
import type { Jobs } from './engine/jobs.ts'
import type { OrderedKeys } from './engine/ordered-keys.ts'
import type { PayloadWarning } from './engine/payload-rules.ts'
import type { PortalLinks } from './engine/portal-links.ts'
import type { PublishReceipt } from './engine/publish.ts'
import type { Subscriptions } from './engine/subscriptions.ts'
import { invalid, type PublishInput, toRequest } from './publish-input.ts'
import { type SendInput, toSendOrder } from './send-input.ts'
import type { TransactionClient } from './store/port.ts'
import { type StreamOptions, streamItems } from './stream-items.ts'

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
  /** Subscriptions whose topics match and whose filter did not let it through; 0, too, in a transaction. */
  readonly filteredSubscriptions: number
  /** The idempotency key was used before for the same content, and this is what it got then. */
  readonly replayed: boolean
  /** Where the payload is not as the schema of its event type says, which only warns. Empty: nowhere. */
  readonly warnings: readonly PayloadWarning[]
}

export type PublishManyResult =
  | ({ readonly status: 'published' } & PublishedEvent)
  | { readonly status: 'failed'; readonly error: OuthookError }

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
 * The webhooks of one tenant. An `Outhook` is that of the tenant `default`, which always exists: whose webhooks are all
 * of one customer needs no other.
 */
// biome-ignore lint/suspicious/noExplicitAny: without a map of topics any payload may be given.
export class TenantHooks<Topics extends object = Record<string, any>> {
  readonly endpoints: OfTenant<Endpoints> &
    OfTenant<EndpointPauses> &
    OfTenant<Engine['endpointSecrets']> &
    OfTenant<EndpointTests>
  /** What requests of endpoints and sends authenticate with. Secrets go in and are never shown. */
  readonly credentials: OfTenant<Credentials>
  readonly subscriptions: OfTenant<Subscriptions>
  /** What is said of topics, and how payloads are checked: of the server for all tenants, or what a tenant has in its place. */
  readonly eventTypes: OfTenant<EventTypes>
  readonly events: OfTenant<Events>
  readonly deliveries: OfTenant<Deliveries>
  /** Ordering keys of ordered subscriptions: which have deliveries that wait, and behind what. */
  readonly orderedKeys: OfTenant<OrderedKeys>
  readonly deadLetters: OfTenant<DeadLetters>
  /** Producer keys: what programs publish with over HTTP, through a server on the same store. */
  readonly keys: OfTenant<ApiKeys>
  /** Links by which the tenant's own people see to its webhooks, on the portal of a server on the same store. */
  readonly portalLinks: OfTenant<PortalLinks>
  /** Work on many deliveries at once. */
  readonly jobs: OfTenant<Jobs>
  /** Figures: how it is now, and over time. */
  readonly stats: OfTenant<Engine['stats']>
  /** Who changed what: of this tenant, or with `hooks.audit` of all tenants and the server. */
  readonly audit: OfTenant<AuditLog>
  readonly #engine: Engine
  readonly #name: string

  /** @internal */
  constructor(engine: Engine, name: string, catalogue?: 'server') {
    this.#engine = engine
    this.#name = name
    const findTenant = () => engine.tenants.resolve(name)
    this.endpoints = {
      ...ofTenant(engine.endpoints, findTenant),
      ...ofTenant(engine.endpointPauses, findTenant),
      ...ofTenant(engine.endpointSecrets, findTenant),
      ...ofTenant(engine.endpointTests, findTenant),
    }
    this.credentials = ofTenant(engine.credentials, findTenant)
    this.subscriptions = ofTenant(engine.subscriptions, findTenant)
    this.eventTypes = ofTenant(engine.eventTypes, catalogue === 'server' ? () => null : findTenant)
    this.events = ofTenant(engine.events, findTenant)
    this.deliveries = ofTenant(engine.deliveries, findTenant)
    this.orderedKeys = ofTenant(engine.orderedKeys, findTenant)
    this.deadLetters = ofTenant(engine.deadLetters, findTenant)
    this.keys = ofTenant(engine.apiKeys, findTenant)
    this.portalLinks = ofTenant(engine.portalLinks, findTenant)
    this.jobs = ofTenant(engine.jobs, findTenant)
    this.stats = ofTenant(engine.stats, findTenant)
    this.audit = ofTenant(engine.audit, catalogue === 'server' ? () => null : findTenant)
  }

  /**
   * Resolves once the event is durable; it is delivered from then on, whatever happens to this process. With a
   * `client`, resolves once the event is part of the client's transaction; errors of the client's own connection come
   * through as they are.
   * Errors: invalid_body (the topic), invalid_payload, invalid_request, payload_too_large, ordering_key_conflict,
   * ordering_key_too_long, payload_mismatch (the schema of its event type), idempotency_conflict, backlog_full (`BacklogFullError`), store_unavailable, shutting_down.
   */
  async publish<Topic extends keyof Topics & string>(
    input: PublishInput<Topics, Topic>,
    options: PublishOptions = {},
  ): Promise<PublishedEvent> {
    const content = toRequest(input)
    const client = clientOf(options)
    const { publisher, transactionalPublisher, tenants } = this.#engine
    const found = tenants.resolve(this.#name)
    const request = { ...content, tenantId: typeof found === 'string' ? found : await found }
    if (client === undefined) return toPublished(await publisher.publish(request))
    const [result] = await transactionalPublisher.publishMany(client, [request])
    if (result?.status !== 'fulfilled') throw result?.reason
    return toPublished(result.value)
  }

  /**
   * Makes one delivery of a request to a URL, or to an endpoint of yours, without a topic or a subscription. Resolves
   * once it is durable; it is delivered from then on as any other is. Its request is frozen: what becomes of the
   * endpoint's URL, headers or the default retry policy afterwards changes nothing. Secrets are looked up at each attempt.
   * To a URL it is not signed.
   * Errors: unprocessable, url_rejected, not_found and endpoint_not_available (the endpoint), invalid_payload,
   * invalid_request, payload_too_large, idempotency_conflict, expired, store_unavailable, shutting_down.
   *
   * @example
   * await hooks.send({ url: 'https://crm.example/calls', payload: { call: 42 }, idempotencyKey: 'run-7:node-2' })
   */
  async send(input: SendInput): Promise<SendReceipt> {
    const order = toSendOrder(input)
    const { directSends, tenants } = this.#engine
    return directSends.send({ ...order, tenantId: await tenants.resolve(this.#name) })
  }

  /**
   * What happens, in this process and in the others on the store, as it happens: a live tail, of which nothing is kept. A
   * loop that is slower than what happens is told with `missed` how much it was not told. Ends when this is closed.
   * Errors: invalid_request; rate_limited and overloaded (there are 32 for this tenant, 256 in all).
   *
   * @example
   * for await (const item of hooks.stream({ kinds: ['delivery'] })) console.log(item)
   */
  stream(options: StreamOptions = {}): AsyncGenerator<StreamItem | StreamMissed, void, undefined> {
    return streamItems(this.#engine, () => this.#engine.tenants.resolve(this.#name), options)
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
    const { publisher, transactionalPublisher, tenants } = this.#engine
    const client = clientOf(options)
    const requests = await Promise.allSettled(Array.from(inputs, async (input) => toRequest(input)))
    const tenantId = await tenants.resolve(this.#name)
    const valid = requests.flatMap((each) =>
      each.status === 'fulfilled' ? [{ ...each.value, tenantId }] : [],
    )
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
}

function toPublished(receipt: PublishReceipt): PublishedEvent {
  const { eventId, deliveryIds, state, filteredSubscriptions, replayed, warnings = [] } = receipt
  return { id: eventId, deliveryIds, state, filteredSubscriptions, replayed, warnings }
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

type Call = (...given: unknown[]) => Promise<unknown>

export function ofTenant<Service extends object>(
  service: Service,
  findTenant: () => string | null | Promise<string>,
): OfTenant<Service> {
  const bound: Record<string, Call> = {}
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(service))) {
    const method = service[name as keyof Service]
    if (name !== 'constructor' && typeof method === 'function') {
      const call: Call = method.bind(service)
      bound[name] = async (...rest) => {
        try {
          return await call(await findTenant(), ...rest)
        } catch (error) {
          return rethrowClosed(error)
        }
      }
    }
  }
  return bound as OfTenant<Service>
}

/** Some methods of a service that is about no tenant in particular. */
export function serviceOf<Service extends object, Name extends keyof Service>(
  service: Service,
  names: readonly Name[],
): Pick<Service, Name> {
  const bound = names.map((name) => {
    const call: Call = (service[name] as Call).bind(service)
    return [name, (...given: unknown[]) => call(...given).catch(rethrowClosed)]
  })
  return Object.fromEntries(bound) as Pick<Service, Name>
}
