/** The server's API as methods. Depends on nothing but `fetch`. */
import { type EventInput, toSingleEnvelope, traceHeadersOf } from './envelopes.ts'
import { createResources } from './generated/resources.ts'
import type { EventStatus, PublishReceipt } from './generated/types.ts'
import type { CallOptions, ClientOptions, HttpMethod, QueryValue, Requester } from './requester.ts'
import { createRequester } from './requester.ts'
import { type DirectSendInput, type SentDirectly, sendDirect } from './send-direct.ts'
import { type SentEvent, sendMany } from './send-many.ts'
import { readStream, type StreamedItem, type StreamOptions, type StreamQuery } from './stream.ts'
import { type WaitOptions, waitUntilDelivered } from './wait.ts'

export interface RawRequest {
  readonly query?: Readonly<Record<string, QueryValue>>
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown
  readonly options?: CallOptions
}

type Resources = ReturnType<typeof createResources>

/** Resources are those of the API, whose members are in camel case here. */
export interface Client extends Resources {
  /**
   * Sends one event to everybody who subscribed to its topic. Resolves when it is durable.
   *
   * @example
   * const { eventId } = await client.send({ topic: 'orders.created', payload: { id: 'o_1' } })
   */
  send(event: EventInput, options?: SendOptions): Promise<SendReceipt>
  /** Many at once, in as few requests as it takes; what became of each, in their order. */
  sendMany(events: readonly EventInput[], options?: SendOptions): Promise<readonly SentEvent[]>
  /**
   * Makes one delivery to a URL or an endpoint, without topic and subscription, of exactly this body. Resolves when it is
   * durable. A producer key needs the ability `send`.
   *
   * @example
   * await client.sendDirect({ url: 'https://crm.example/calls', payload: { call: 42 }, idempotencyKey: 'run-7:node-2' })
   */
  sendDirect(input: DirectSendInput, options?: SendOptions): Promise<SentDirectly>
  /** The event, its deliveries (1000 at most) and their attempts. */
  get(eventId: string, options?: CallOptions): Promise<EventStatus>
  /** Resolves once every delivery of the event has succeeded; NotDeliveredError when one is given up or time is up. */
  waitUntilDelivered(eventId: string, options?: WaitOptions): Promise<EventStatus>
  /**
   * What happens on the server, as it happens: a live tail, until the loop is left or the signal is aborted. Connected
   * again where the connection ends, with an item `missed` where something may have happened meanwhile.
   *
   * @example
   * for await (const item of client.stream({ kinds: ['delivery'] })) console.log(item)
   */
  stream(query?: StreamQuery, options?: StreamOptions): AsyncIterable<StreamedItem>
  /** For a route that has no method here: query, body and answer are as they are in the API's JSON, in snake case. */
  request<T>(method: HttpMethod, path: string, request?: RawRequest): Promise<T>
}

export interface SendReceipt extends PublishReceipt {
  /** The event was there already, under the same idempotency key. */
  readonly replayed: boolean
}

export type SendOptions = Omit<CallOptions, 'idempotencyKey'>

/**
 * @example
 * const client = createClient({ url: 'http://127.0.0.1:8080', token: process.env.OUTHOOK_TOKEN })
 * const { eventId } = await client.send({ topic: 'orders.created', payload: { id: 1 } })
 * await client.waitUntilDelivered(eventId)
 */
export function createClient(options: ClientOptions = {}): Client {
  const requester = createRequester(options)
  const resources = createResources(requester)
  return {
    ...resources,
    send: (event, callOptions) => send(requester, event, callOptions),
    sendDirect: (input, callOptions) => sendDirect(requester, input, callOptions),
    sendMany: (events, callOptions) => sendMany(requester, events, callOptions),
    get: (id, callOptions) => resources.events.get(id, {}, callOptions),
    waitUntilDelivered: (id, waitOptions) => waitUntilDelivered(resources.events.get, id, waitOptions),
    stream: (query, streamOptions) => readStream(requester, query, streamOptions),
    request: (method, path, request = {}) =>
      requester.json({ method, path, takesTenant: !path.startsWith('/v1/tenants'), isRaw: true, ...request }),
  }
}

async function send(requester: Requester, event: EventInput, options?: SendOptions): Promise<SendReceipt> {
  const { body, key: idempotencyKey } = toSingleEnvelope(event)
  const { value, headers } = await requester.answer<PublishReceipt>({
    method: 'POST',
    path: '/v1/events',
    body,
    takesTenant: true,
    // One of the two places always has a key.
    isRepeatable: true,
    options: { ...options, idempotencyKey, headers: { ...traceHeadersOf(event), ...options?.headers } },
  })
  return { ...value, replayed: headers.get('idempotent-replay') === 'true' }
}
