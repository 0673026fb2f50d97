/** The server's API as methods. Depends on nothing but `fetch`. */
import type { ClientOptions, QueryValue, Requester } from './request.ts'
import { createRequester } from './request.ts'
import type {
  CreatedKey,
  DeadLetterResource,
  DeliveryResource,
  DeliveryWithAttempts,
  DryRunResource,
  EndpointResource,
  EventResource,
  EventStatus,
  JobResource,
  KeyResource,
  Page,
  PageQuery,
  PublishedEvent,
  SubscriptionResource,
  TenantResource,
} from './resources.ts'

export interface PublishInput {
  readonly topic: string
  /** The payload's exact JSON text; it is sent on as it stands. */
  readonly payloadJson: string
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly idempotencyKey?: string | undefined
  readonly orderingKey?: string | undefined
}

/** Which dead letters; undefined members are left out. */
export interface ReplayMany {
  readonly endpoint_id?: string | undefined
  readonly topic?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly error_class?: string | undefined
  /** Must be true when no filter is given. */
  readonly all?: boolean | undefined
  /** Deliveries a second at most. */
  readonly rate?: number | undefined
}

/** Which deliveries that wait. */
export type CancelMany = Omit<ReplayMany, 'error_class'>

/** What became of one delivery. */
interface SentAgain {
  readonly delivery_id: string
  readonly state: string
}

type Filter = PageQuery & Readonly<Record<string, QueryValue>>

export type Client = ReturnType<typeof createClient>

/**
 * @example
 * const client = createClient({ url: 'http://127.0.0.1:8080', token: process.env.OUTHOOK_TOKEN })
 * await client.events.publish({ topic: 'orders.created', payloadJson: '{"id":1}' })
 */
export function createClient(options: ClientOptions) {
  const requester = createRequester(options)
  return {
    request: requester.json,
    events: createEvents(requester),
    endpoints: {
      ...crud<EndpointResource>(requester, '/v1/endpoints'),
      rotateSecret: (id: string, body: { readonly grace?: number | undefined } = {}) =>
        requester.json<{ readonly secret: string }>('POST', `${one('/v1/endpoints', id)}/rotate-secret`, {
          body,
        }),
    },
    subscriptions: crud<SubscriptionResource>(requester, '/v1/subscriptions'),
    deliveries: {
      list: (query: Filter = {}) =>
        requester.json<Page<DeliveryResource>>('GET', '/v1/deliveries', { query }),
      get: (id: string) => requester.json<DeliveryWithAttempts>('GET', one('/v1/deliveries', id)),
      resend: (id: string) => requester.json<SentAgain>('POST', `${one('/v1/deliveries', id)}/resend`),
      cancel: (id: string) => requester.json<SentAgain>('POST', `${one('/v1/deliveries', id)}/cancel`),
      /** A job that cancels many. */
      cancelMany: (body: CancelMany) =>
        requester.json<JobResource>('POST', '/v1/deliveries/cancel', { body }),
      /** What such a job would do. */
      countCancel: (body: CancelMany) =>
        requester.json<DryRunResource>('POST', '/v1/deliveries/cancel', { body: { ...body, dry_run: true } }),
    },
    deadLetters: {
      list: (query: Filter = {}) => requester.json<Page<DeadLetterResource>>('GET', '/v1/dlq', { query }),
      replay: (deliveryId: string) =>
        requester.json<{ readonly delivery_id: string; readonly state: string }>(
          'POST',
          `${one('/v1/dlq', deliveryId)}/replay`,
        ),
      /** A job that sends many again. */
      replayMany: (body: ReplayMany) => requester.json<JobResource>('POST', '/v1/dlq/replay', { body }),
      /** What such a job would do. */
      countReplay: (body: ReplayMany) =>
        requester.json<DryRunResource>('POST', '/v1/dlq/replay', { body: { ...body, dry_run: true } }),
    },
    jobs: {
      list: (query: Filter = {}) => requester.json<Page<JobResource>>('GET', '/v1/jobs', { query }),
      get: (id: string) => requester.json<JobResource>('GET', one('/v1/jobs', id)),
      cancel: (id: string) => requester.json<JobResource>('POST', `${one('/v1/jobs', id)}/cancel`),
    },
    tenants: crud<TenantResource>(requester, '/v1/tenants'),
    keys: {
      create: (body: { readonly name: string; readonly kind?: string | undefined }) =>
        requester.json<CreatedKey>('POST', '/v1/keys', { body }),
      list: (query: Filter = {}) => requester.json<Page<KeyResource>>('GET', '/v1/keys', { query }),
      revoke: (id: string) => requester.json<void>('DELETE', one('/v1/keys', id)),
    },
  }
}

function createEvents(requester: Requester) {
  return {
    publish: (input: PublishInput) =>
      requester.json<PublishedEvent>('POST', '/v1/events', { body: envelope(input) }),
    list: (query: Filter = {}) => requester.json<Page<EventResource>>('GET', '/v1/events', { query }),
    get: (id: string, query: { readonly cursor?: string } = {}) =>
      requester.json<EventStatus>('GET', one('/v1/events', id), { query }),
    payload: (id: string) => requester.bytes('GET', `${one('/v1/events', id)}/payload`),
  }
}

/**
 * Put together as text: parsing the payload and writing it again would change its bytes. Keys are members, because a
 * header cannot hold every text.
 */
function envelope({ topic, metadata, idempotencyKey, orderingKey, payloadJson }: PublishInput): string {
  const members = JSON.stringify({
    topic,
    metadata,
    idempotency_key: idempotencyKey,
    ordering_key: orderingKey,
  })
  return `${members.slice(0, -1)},"payload":${payloadJson}}`
}

function crud<T>(requester: Requester, path: string) {
  return {
    create: (body: unknown) => requester.json<T>('POST', path, { body }),
    list: (query: Filter = {}) => requester.json<Page<T>>('GET', path, { query }),
    get: (id: string, query: Filter = {}) => requester.json<T>('GET', one(path, id), { query }),
    update: (id: string, body: unknown) => requester.json<T>('PATCH', one(path, id), { body }),
    delete: (id: string) => requester.json<void>('DELETE', one(path, id)),
  }
}

function one(path: string, id: string): string {
  return `${path}/${encodeURIComponent(id)}`
}
