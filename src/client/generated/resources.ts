// Written from the OpenAPI document by "npm run docs:reference"; do not edit.

import type { Page, PagePromise } from '../pages.ts'
import type { CallOptions, Requester } from '../requester.ts'
import type {
  AdminToken,
  AdminTokenCreate,
  AuditLine,
  Backfill,
  BatchResult,
  CancelMany,
  Cancelled,
  CountDeadLetterReasonsQuery,
  CreatedAdminToken,
  CreatedEndpoint,
  CreatedKey,
  CreatedPortalLink,
  Credential,
  CredentialChange,
  CredentialCreate,
  DeadLetter,
  DeadLetterReasons,
  Delivery,
  DeliveryDetail,
  DirectSend,
  DirectSendReceipt,
  DryRun,
  Enable,
  Endpoint,
  EndpointChange,
  EndpointCreate,
  EndpointPublicKeys,
  EndpointSecret,
  EndpointSecrets,
  EndpointTest,
  EndpointTestResult,
  EndpointsStats,
  Event,
  EventPage,
  EventStatus,
  EventType,
  EventTypeChange,
  EventTypeCreate,
  EventTypeImport,
  EventTypeImportReport,
  ExpungeEventPayloadQuery,
  Expunged,
  GetEndpointQuery,
  GetEventQuery,
  GetSubscriptionQuery,
  Job,
  Key,
  KeyChange,
  KeyCreate,
  ListAdminTokensQuery,
  ListAuditQuery,
  ListCredentialsQuery,
  ListDeadLettersQuery,
  ListDeliveriesQuery,
  ListEndpointsQuery,
  ListEventTypesQuery,
  ListEventsQuery,
  ListJobsQuery,
  ListKeysQuery,
  ListOrderedKeysQuery,
  ListPortalLinksQuery,
  ListStatTroubleQuery,
  ListSubscriptionsQuery,
  ListTenantsQuery,
  MasterKey,
  NewSecret,
  OrderedKey,
  Pause,
  Portal,
  PortalLink,
  PortalLinkCreate,
  PublishBatch,
  PublishEvent,
  PublishReceipt,
  ReadStatEndpointsQuery,
  ReadStatSeriesQuery,
  Replay,
  ReplayMany,
  Resent,
  RevealedSecret,
  RotateKey,
  RotateSecret,
  RotatedKey,
  SignIn,
  SignInCode,
  Skip,
  Skipped,
  Stats,
  StatsSeries,
  Subscription,
  SubscriptionChange,
  SubscriptionCreate,
  SubscriptionPreview,
  SubscriptionPreviewed,
  System,
  Tenant,
  TenantChange,
  TenantCreate,
  Trouble,
  Whoami,
} from './types.ts'

export function createResources(requester: Requester) {
  return {
    events: createEvents(requester),
    deliveries: createDeliveries(requester),
    endpoints: createEndpoints(requester),
    keys: createKeys(requester),
    subscriptions: createSubscriptions(requester),
    eventTypes: createEventTypes(requester),
    tenants: createTenants(requester),
    portalLinks: createPortalLinks(requester),
    portals: createPortals(requester),
    orderedKeys: createOrderedKeys(requester),
    deadLetters: createDeadLetters(requester),
    jobs: createJobs(requester),
    credentials: createCredentials(requester),
    adminTokens: createAdminTokens(requester),
    audit: createAudit(requester),
    signIns: createSignIns(requester),
    stats: createStats(requester),
    system: createSystem(requester),
  }
}

function createEvents(requester: Requester) {
  return {
    /** Publish an event. */
    publish: (body: PublishEvent, options?: CallOptions): Promise<PublishReceipt> =>
      requester.json({ method: 'POST', path: '/v1/events', body, takes: 'PublishEvent', takesTenant: true, takesKey: true, options }),
    /** Events, newest first. */
    list: (query: ListEventsQuery = {}, options?: CallOptions): PagePromise<Event, EventPage> =>
      requester.pages({ method: 'GET', path: '/v1/events', query: { ...query }, takesTenant: true, gives: 'EventPage', options }),
    /** Publish many events. */
    publishMany: (body: PublishBatch, options?: CallOptions): Promise<BatchResult> =>
      requester.json({ method: 'POST', path: '/v1/events/batch', body, takes: 'PublishBatch', takesTenant: true, options }),
    /** An event, its deliveries and their attempts. */
    get: (id: string, query: GetEventQuery = {}, options?: CallOptions): Promise<EventStatus> =>
      requester.json({ method: 'GET', path: `/v1/events/${encodeURIComponent(id)}`, query: { ...query }, takesTenant: true, gives: 'EventStatus', options }),
    /** The payload, byte for byte as it was published or sent. */
    getPayload: (id: string, options?: CallOptions): Promise<Uint8Array> =>
      requester.bytes({ method: 'GET', path: `/v1/events/${encodeURIComponent(id)}/payload`, takesTenant: true, options }),
    /** Take the payload of an event out of the store for good. */
    expungePayload: (id: string, query: ExpungeEventPayloadQuery = {}, options?: CallOptions): Promise<Expunged> =>
      requester.json({ method: 'DELETE', path: `/v1/events/${encodeURIComponent(id)}/payload`, query: { ...query }, takesTenant: true, options }),
  }
}

function createDeliveries(requester: Requester) {
  return {
    /** Make one delivery to a URL or an endpoint, without topic and subscription. */
    send: (body: DirectSend, options?: CallOptions): Promise<DirectSendReceipt> =>
      requester.json({ method: 'POST', path: '/v1/deliveries', body, takes: 'DirectSend', takesTenant: true, takesKey: true, options }),
    /** Deliveries, newest first. */
    list: (query: ListDeliveriesQuery = {}, options?: CallOptions): PagePromise<Delivery, Page<Delivery>> =>
      requester.pages({ method: 'GET', path: '/v1/deliveries', query: { ...query }, takesTenant: true, options }),
    /** A delivery with its attempts and what the receiver answered. */
    get: (id: string, options?: CallOptions): Promise<DeliveryDetail> =>
      requester.json({ method: 'GET', path: `/v1/deliveries/${encodeURIComponent(id)}`, takesTenant: true, options }),
    /** Send a delivery again that has come to an end: same id, attempts from 1. */
    resend: (id: string, options?: CallOptions): Promise<Resent> =>
      requester.json({ method: 'POST', path: `/v1/deliveries/${encodeURIComponent(id)}/resend`, takesTenant: true, takesKey: true, options }),
    /** End a delivery that waits for an attempt. */
    cancel: (id: string, options?: CallOptions): Promise<Cancelled> =>
      requester.json({ method: 'POST', path: `/v1/deliveries/${encodeURIComponent(id)}/cancel`, takesTenant: true, takesKey: true, options }),
    /** End many deliveries that wait, as a job. */
    cancelMany: (body: CancelMany, options?: CallOptions): Promise<DryRun | Job> =>
      requester.json({ method: 'POST', path: '/v1/deliveries/cancel', body, takesTenant: true, takesKey: true, options }),
    /** Give up the dead head of an ordering key, so that what is behind it goes on. */
    skip: (id: string, body: Skip = {}, options?: CallOptions): Promise<Skipped> =>
      requester.json({ method: 'POST', path: `/v1/deliveries/${encodeURIComponent(id)}/skip`, body, takesTenant: true, takesKey: true, options }),
  }
}

function createEndpoints(requester: Requester) {
  return {
    /** Create an endpoint, or bring the one with this `uid` to what is given. */
    create: (body: EndpointCreate, options?: CallOptions): Promise<Endpoint | CreatedEndpoint> =>
      requester.json({ method: 'POST', path: '/v1/endpoints', body, takes: 'EndpointCreate', takesTenant: true, takesKey: true, givesBy: { 200: 'Endpoint', 201: 'CreatedEndpoint' }, options }),
    /** Endpoints, newest first. */
    list: (query: ListEndpointsQuery = {}, options?: CallOptions): PagePromise<Endpoint, Page<Endpoint>> =>
      requester.pages({ method: 'GET', path: '/v1/endpoints', query: { ...query }, takesTenant: true, gives: 'EndpointPage', options }),
    /** An endpoint, without its secrets. */
    get: (id: string, query: GetEndpointQuery = {}, options?: CallOptions): Promise<Endpoint> =>
      requester.json({ method: 'GET', path: `/v1/endpoints/${encodeURIComponent(id)}`, query: { ...query }, takesTenant: true, gives: 'Endpoint', options }),
    /** Change an endpoint; members that are absent stay. */
    update: (id: string, body: EndpointChange, options?: CallOptions): Promise<Endpoint> =>
      requester.json({ method: 'PATCH', path: `/v1/endpoints/${encodeURIComponent(id)}`, body, takes: 'EndpointChange', takesTenant: true, gives: 'Endpoint', options }),
    /** Delete an endpoint and its subscriptions, and cancel what waits for it. */
    delete: (id: string, options?: CallOptions): Promise<void> =>
      requester.json({ method: 'DELETE', path: `/v1/endpoints/${encodeURIComponent(id)}`, takesTenant: true, options }),
    /** Send an endpoint the past events that it did not get, as a job. */
    backfill: (id: string, body: Backfill, options?: CallOptions): Promise<DryRun | Job> =>
      requester.json({ method: 'POST', path: `/v1/endpoints/${encodeURIComponent(id)}/backfill`, body, takesTenant: true, takesKey: true, options }),
    /** Send nothing to it until it is resumed; its deliveries wait. */
    pause: (id: string, body: Pause = {}, options?: CallOptions): Promise<Endpoint> =>
      requester.json({ method: 'POST', path: `/v1/endpoints/${encodeURIComponent(id)}/pause`, body, takesTenant: true, takesKey: true, gives: 'Endpoint', options }),
    /** Send to it again, after a pause by hand. */
    resume: (id: string, body: Enable = {}, options?: CallOptions): Promise<Endpoint | Job> =>
      requester.json({ method: 'POST', path: `/v1/endpoints/${encodeURIComponent(id)}/resume`, body, takesTenant: true, takesKey: true, givesBy: { 200: 'Endpoint' }, options }),
    /** Send to it again, after a pause by hand or when it was disabled. */
    enable: (id: string, body: Enable = {}, options?: CallOptions): Promise<Endpoint | Job> =>
      requester.json({ method: 'POST', path: `/v1/endpoints/${encodeURIComponent(id)}/enable`, body, takesTenant: true, takesKey: true, givesBy: { 200: 'Endpoint' }, options }),
    /** Send it a test event now, and get what it answered. */
    test: (id: string, body: EndpointTest = {}, options?: CallOptions): Promise<EndpointTestResult> =>
      requester.json({ method: 'POST', path: `/v1/endpoints/${encodeURIComponent(id)}/test`, body, takes: 'EndpointTest', takesTenant: true, takesKey: true, options }),
    /** Give it a new secret; those before go on signing beside it for `grace`. */
    rotateSecret: (id: string, body: RotateSecret = {}, options?: CallOptions): Promise<NewSecret> =>
      requester.json({ method: 'POST', path: `/v1/endpoints/${encodeURIComponent(id)}/rotate-secret`, body, takesTenant: true, takesKey: true, options }),
    /** The secrets that sign for it, newest first, without their values; public keys of ed25519. */
    listSecrets: (id: string, options?: CallOptions): Promise<EndpointSecrets> =>
      requester.json({ method: 'GET', path: `/v1/endpoints/${encodeURIComponent(id)}/secrets`, takesTenant: true, options }),
    /** Let this secret sign where there is room for one signature, and stand last in `hookrail`. */
    setPrimarySecret: (id: string, secretId: string, options?: CallOptions): Promise<EndpointSecret> =>
      requester.json({ method: 'POST', path: `/v1/endpoints/${encodeURIComponent(id)}/secrets/${encodeURIComponent(secretId)}/primary`, takesTenant: true, takesKey: true, options }),
    /** The value of a secret; that it was shown, when and to whom, is kept with it and logged. */
    revealSecret: (id: string, secretId: string, options?: CallOptions): Promise<RevealedSecret> =>
      requester.json({ method: 'POST', path: `/v1/endpoints/${encodeURIComponent(id)}/secrets/${encodeURIComponent(secretId)}/reveal`, takesTenant: true, takesKey: true, options }),
    /** The public keys of its ed25519 secrets that sign, newest first, for receivers; needs no token. */
    listPublicKeys: (id: string, options?: CallOptions): Promise<EndpointPublicKeys> =>
      requester.json({ method: 'GET', path: `/v1/endpoints/${encodeURIComponent(id)}/public-keys`, options }),
  }
}

function createKeys(requester: Requester) {
  return {
    /** Which master key seals secrets, and how far an exchange of it is. */
    getMaster: (options?: CallOptions): Promise<MasterKey> =>
      requester.json({ method: 'GET', path: '/v1/master-key', options }),
    /** Seal everything under the new master key; every process must have been started with both before. */
    rotateMaster: (options?: CallOptions): Promise<MasterKey> =>
      requester.json({ method: 'POST', path: '/v1/master-key/rotate', takesKey: true, options }),
    /** Make a producer key, or with `kind` an admin token. */
    create: (body: KeyCreate, options?: CallOptions): Promise<CreatedKey> =>
      requester.json({ method: 'POST', path: '/v1/keys', body, takesTenant: true, takesKey: true, options }),
    /** Producer keys, newest first, or with `kind` admin tokens; never their text. */
    list: (query: ListKeysQuery = {}, options?: CallOptions): PagePromise<Key, Page<Key>> =>
      requester.pages({ method: 'GET', path: '/v1/keys', query: { ...query }, takesTenant: true, options }),
    /** One producer key, without its text. */
    get: (id: string, options?: CallOptions): Promise<Key> =>
      requester.json({ method: 'GET', path: `/v1/keys/${encodeURIComponent(id)}`, takesTenant: true, options }),
    /** Change a producer key; absent members stay. */
    update: (id: string, body: KeyChange, options?: CallOptions): Promise<Key> =>
      requester.json({ method: 'PATCH', path: `/v1/keys/${encodeURIComponent(id)}`, body, takesTenant: true, options }),
    /** Revoke a key; can be repeated. */
    revoke: (id: string, options?: CallOptions): Promise<void> =>
      requester.json({ method: 'DELETE', path: `/v1/keys/${encodeURIComponent(id)}`, takesTenant: true, options }),
    /** Give a producer key another text, beside which the one before is taken for a while. */
    rotate: (id: string, body: RotateKey = {}, options?: CallOptions): Promise<RotatedKey> =>
      requester.json({ method: 'POST', path: `/v1/keys/${encodeURIComponent(id)}/rotate`, body, takesTenant: true, takesKey: true, options }),
    /** Whose token this is. */
    whoami: (options?: CallOptions): Promise<Whoami> =>
      requester.json({ method: 'GET', path: '/v1/whoami', takesTenant: true, options }),
  }
}

function createSubscriptions(requester: Requester) {
  return {
    /** Subscriptions, newest first. */
    list: (query: ListSubscriptionsQuery = {}, options?: CallOptions): PagePromise<Subscription, Page<Subscription>> =>
      requester.pages({ method: 'GET', path: '/v1/subscriptions', query: { ...query }, takesTenant: true, gives: 'SubscriptionPage', options }),
    /** Send an endpoint the events whose topic matches. */
    create: (body: SubscriptionCreate, options?: CallOptions): Promise<Subscription> =>
      requester.json({ method: 'POST', path: '/v1/subscriptions', body, takes: 'SubscriptionCreate', takesTenant: true, takesKey: true, gives: 'Subscription', options }),
    /** A subscription. */
    get: (id: string, query: GetSubscriptionQuery = {}, options?: CallOptions): Promise<Subscription> =>
      requester.json({ method: 'GET', path: `/v1/subscriptions/${encodeURIComponent(id)}`, query: { ...query }, takesTenant: true, gives: 'Subscription', options }),
    /** Change a subscription; members that are absent stay. */
    update: (id: string, body: SubscriptionChange, options?: CallOptions): Promise<Subscription> =>
      requester.json({ method: 'PATCH', path: `/v1/subscriptions/${encodeURIComponent(id)}`, body, takes: 'SubscriptionChange', takesTenant: true, gives: 'Subscription', options }),
    /** Delete a subscription and cancel what waits for it. */
    delete: (id: string, options?: CallOptions): Promise<void> =>
      requester.json({ method: 'DELETE', path: `/v1/subscriptions/${encodeURIComponent(id)}`, takesTenant: true, options }),
    /** Which recent events a subscription would have got, and why not the others. */
    preview: (body: SubscriptionPreview, options?: CallOptions): Promise<SubscriptionPreviewed> =>
      requester.json({ method: 'POST', path: '/v1/subscriptions/preview', body, takes: 'SubscriptionPreview', takesTenant: true, takesKey: true, gives: 'SubscriptionPreviewed', options }),
  }
}

function createEventTypes(requester: Requester) {
  return {
    /** The event types as an OpenAPI 3.1 document with webhooks. */
    getOpenApiMany: (options?: CallOptions): Promise<unknown> =>
      requester.json({ method: 'GET', path: '/v1/event-types/openapi.json', takesTenant: true, gives: true, options }),
    /** The event types as an AsyncAPI 3 document. */
    getAsyncApiMany: (options?: CallOptions): Promise<unknown> =>
      requester.json({ method: 'GET', path: '/v1/event-types/asyncapi.json', takesTenant: true, gives: true, options }),
    /** The event types as a page for people. */
    getPageMany: (options?: CallOptions): Promise<void> =>
      requester.json({ method: 'GET', path: '/v1/event-types/index.html', takesTenant: true, options }),
    /** Describe a topic, and say how payloads are checked. */
    create: (body: EventTypeCreate, options?: CallOptions): Promise<EventType> =>
      requester.json({ method: 'POST', path: '/v1/event-types', body, takes: 'EventTypeCreate', takesTenant: true, takesKey: true, gives: 'EventType', options }),
    /** Event types by their names; of a tenant those that hold for it. */
    list: (query: ListEventTypesQuery = {}, options?: CallOptions): PagePromise<EventType, Page<EventType>> =>
      requester.pages({ method: 'GET', path: '/v1/event-types', query: { ...query }, takesTenant: true, gives: 'EventTypePage', options }),
    /** Bring the catalogue to what an OpenAPI document says of its webhooks. */
    importMany: (body: EventTypeImport, options?: CallOptions): Promise<EventTypeImportReport> =>
      requester.json({ method: 'POST', path: '/v1/event-types/import', body, takes: 'EventTypeImport', takesTenant: true, takesKey: true, options }),
    /** An event type; of a tenant its own, or else the server’s. */
    get: (name: string, options?: CallOptions): Promise<EventType> =>
      requester.json({ method: 'GET', path: `/v1/event-types/${encodeURIComponent(name)}`, takesTenant: true, gives: 'EventType', options }),
    /** Change an event type; members that are absent stay. */
    update: (name: string, body: EventTypeChange, options?: CallOptions): Promise<EventType> =>
      requester.json({ method: 'PATCH', path: `/v1/event-types/${encodeURIComponent(name)}`, body, takes: 'EventTypeChange', takesTenant: true, gives: 'EventType', options }),
    /** Delete an event type. */
    delete: (name: string, options?: CallOptions): Promise<void> =>
      requester.json({ method: 'DELETE', path: `/v1/event-types/${encodeURIComponent(name)}`, takesTenant: true, options }),
  }
}

function createTenants(requester: Requester) {
  return {
    /** Tenants, newest first. */
    list: (query: ListTenantsQuery = {}, options?: CallOptions): PagePromise<Tenant, Page<Tenant>> =>
      requester.pages({ method: 'GET', path: '/v1/tenants', query: { ...query }, gives: 'TenantPage', options }),
    /** Create a tenant, or bring the one with this `uid` to what is given. */
    create: (body: TenantCreate, options?: CallOptions): Promise<Tenant> =>
      requester.json({ method: 'POST', path: '/v1/tenants', body, takes: 'TenantCreate', takesKey: true, gives: 'Tenant', options }),
    /** A tenant with its settings. */
    get: (id: string, options?: CallOptions): Promise<Tenant> =>
      requester.json({ method: 'GET', path: `/v1/tenants/${encodeURIComponent(id)}`, gives: 'Tenant', options }),
    /** Delete a tenant and all that belongs to it. */
    delete: (id: string, options?: CallOptions): Promise<Tenant> =>
      requester.json({ method: 'DELETE', path: `/v1/tenants/${encodeURIComponent(id)}`, gives: 'Tenant', options }),
    /** Change a tenant; members that are absent stay, those of its settings too. */
    update: (id: string, body: TenantChange, options?: CallOptions): Promise<Tenant> =>
      requester.json({ method: 'PATCH', path: `/v1/tenants/${encodeURIComponent(id)}`, body, takes: 'TenantChange', gives: 'Tenant', options }),
  }
}

function createPortalLinks(requester: Requester) {
  return {
    /** Make a link by which somebody of the tenant sees to its webhooks in a browser. */
    create: (id: string, body: PortalLinkCreate = {}, options?: CallOptions): Promise<CreatedPortalLink> =>
      requester.json({ method: 'POST', path: `/v1/tenants/${encodeURIComponent(id)}/portal-links`, body, takesKey: true, options }),
    /** Links to the portal, newest first, never their tokens; ended ones for a week. */
    list: (id: string, query: ListPortalLinksQuery = {}, options?: CallOptions): PagePromise<PortalLink, Page<PortalLink>> =>
      requester.pages({ method: 'GET', path: `/v1/tenants/${encodeURIComponent(id)}/portal-links`, query: { ...query }, options }),
    /** Revoke a link: whoever has opened it can do nothing more; can be repeated. */
    revoke: (id: string, linkId: string, options?: CallOptions): Promise<void> =>
      requester.json({ method: 'DELETE', path: `/v1/tenants/${encodeURIComponent(id)}/portal-links/${encodeURIComponent(linkId)}`, options }),
  }
}

function createPortals(requester: Requester) {
  return {
    /** Whose portal it is, and what may be done there. */
    get: (options?: CallOptions): Promise<Portal> =>
      requester.json({ method: 'GET', path: '/v1/portal', takesTenant: true, options }),
  }
}

function createOrderedKeys(requester: Requester) {
  return {
    /** Ordering keys with deliveries that have not come to an end, by subscription and key. */
    list: (query: ListOrderedKeysQuery = {}, options?: CallOptions): PagePromise<OrderedKey, Page<OrderedKey>> =>
      requester.pages({ method: 'GET', path: '/v1/ordered-keys', query: { ...query }, takesTenant: true, options }),
  }
}

function createDeadLetters(requester: Requester) {
  return {
    /** Deliveries that were given up, newest first. */
    list: (query: ListDeadLettersQuery = {}, options?: CallOptions): PagePromise<DeadLetter, Page<DeadLetter>> =>
      requester.pages({ method: 'GET', path: '/v1/dlq', query: { ...query }, takesTenant: true, options }),
    /** How many deliveries were given up for which error, the most frequent first. */
    countReasons: (query: CountDeadLetterReasonsQuery = {}, options?: CallOptions): Promise<DeadLetterReasons> =>
      requester.json({ method: 'GET', path: '/v1/dlq/reasons', query: { ...query }, takesTenant: true, options }),
    /** Send many dead letters again, as a job. */
    replayMany: (body: ReplayMany, options?: CallOptions): Promise<DryRun | Job> =>
      requester.json({ method: 'POST', path: '/v1/dlq/replay', body, takesTenant: true, takesKey: true, options }),
    /** Send a dead letter again: same id, attempts from 1. */
    replay: (deliveryId: string, options?: CallOptions): Promise<Replay> =>
      requester.json({ method: 'POST', path: `/v1/dlq/${encodeURIComponent(deliveryId)}/replay`, takesTenant: true, takesKey: true, options }),
  }
}

function createJobs(requester: Requester) {
  return {
    /** Jobs, newest first. */
    list: (query: ListJobsQuery = {}, options?: CallOptions): PagePromise<Job, Page<Job>> =>
      requester.pages({ method: 'GET', path: '/v1/jobs', query: { ...query }, takesTenant: true, options }),
    /** A job and how far it has got. */
    get: (id: string, options?: CallOptions): Promise<Job> =>
      requester.json({ method: 'GET', path: `/v1/jobs/${encodeURIComponent(id)}`, takesTenant: true, options }),
    /** End a job: what is done stays done, nothing more is. */
    cancel: (id: string, options?: CallOptions): Promise<Job> =>
      requester.json({ method: 'POST', path: `/v1/jobs/${encodeURIComponent(id)}/cancel`, takesTenant: true, takesKey: true, options }),
    /** Hold a job until it is resumed: what is done stays done. */
    pause: (id: string, options?: CallOptions): Promise<Job> =>
      requester.json({ method: 'POST', path: `/v1/jobs/${encodeURIComponent(id)}/pause`, takesTenant: true, takesKey: true, options }),
    /** Let a paused job go on where it stopped. */
    resume: (id: string, options?: CallOptions): Promise<Job> =>
      requester.json({ method: 'POST', path: `/v1/jobs/${encodeURIComponent(id)}/resume`, takesTenant: true, takesKey: true, options }),
  }
}

function createCredentials(requester: Requester) {
  return {
    /** Make a credential; its secret is sealed and never shown. */
    create: (body: CredentialCreate, options?: CallOptions): Promise<Credential> =>
      requester.json({ method: 'POST', path: '/v1/credentials', body, takesTenant: true, takesKey: true, options }),
    /** Credentials, newest first, without their secrets. */
    list: (query: ListCredentialsQuery = {}, options?: CallOptions): PagePromise<Credential, Page<Credential>> =>
      requester.pages({ method: 'GET', path: '/v1/credentials', query: { ...query }, takesTenant: true, options }),
    /** A credential, without its secret. */
    get: (id: string, options?: CallOptions): Promise<Credential> =>
      requester.json({ method: 'GET', path: `/v1/credentials/${encodeURIComponent(id)}`, takesTenant: true, options }),
    /** Change a credential; members that are absent stay. */
    update: (id: string, body: CredentialChange, options?: CallOptions): Promise<Credential> =>
      requester.json({ method: 'PATCH', path: `/v1/credentials/${encodeURIComponent(id)}`, body, takesTenant: true, options }),
    /** Delete a credential that no endpoint uses. */
    delete: (id: string, options?: CallOptions): Promise<void> =>
      requester.json({ method: 'DELETE', path: `/v1/credentials/${encodeURIComponent(id)}`, takesTenant: true, options }),
  }
}

function createAdminTokens(requester: Requester) {
  return {
    /** Make an admin token; at most 256 are active. */
    create: (body: AdminTokenCreate, options?: CallOptions): Promise<CreatedAdminToken> =>
      requester.json({ method: 'POST', path: '/v1/admin-tokens', body, takesTenant: true, takesKey: true, options }),
    /** Admin tokens, oldest first; never their text. */
    list: (query: ListAdminTokensQuery = {}, options?: CallOptions): PagePromise<AdminToken, Page<AdminToken>> =>
      requester.pages({ method: 'GET', path: '/v1/admin-tokens', query: { ...query }, takesTenant: true, options }),
    /** One admin token, without its text. */
    get: (id: string, options?: CallOptions): Promise<AdminToken> =>
      requester.json({ method: 'GET', path: `/v1/admin-tokens/${encodeURIComponent(id)}`, takesTenant: true, options }),
    /** Revoke an admin token; can be repeated. */
    revoke: (id: string, options?: CallOptions): Promise<void> =>
      requester.json({ method: 'DELETE', path: `/v1/admin-tokens/${encodeURIComponent(id)}`, takesTenant: true, options }),
  }
}

function createAudit(requester: Requester) {
  return {
    /** Who changed what, newest first. */
    list: (query: ListAuditQuery = {}, options?: CallOptions): PagePromise<AuditLine, Page<AuditLine>> =>
      requester.pages({ method: 'GET', path: '/v1/audit', query: { ...query }, takesTenant: true, gives: 'AuditLinePage', options }),
  }
}

function createSignIns(requester: Requester) {
  return {
    /** Sign a browser in: exchange an admin token, or a code, for a cookie. */
    create: (options?: CallOptions): Promise<SignIn> =>
      requester.json({ method: 'PUT', path: '/v1/sign-in', options }),
    /** Who is signed in, and what requests that change something have to carry. */
    get: (options?: CallOptions): Promise<SignIn> =>
      requester.json({ method: 'GET', path: '/v1/sign-in', options }),
    /** Sign the browser out; with a token there is nothing to end. */
    end: (options?: CallOptions): Promise<void> =>
      requester.json({ method: 'DELETE', path: '/v1/sign-in', options }),
    /** Make a code that signs a browser in, once and within a minute. */
    createCode: (options?: CallOptions): Promise<SignInCode> =>
      requester.json({ method: 'PUT', path: '/v1/sign-in/code', options }),
  }
}

function createStats(requester: Requester) {
  return {
    /** The state of the system now, in figures. */
    readNow: (options?: CallOptions): Promise<Stats> =>
      requester.json({ method: 'GET', path: '/v1/stats', takesTenant: true, options }),
    /** Figures over time, for charts. */
    readSeries: (query: ReadStatSeriesQuery = {}, options?: CallOptions): Promise<StatsSeries> =>
      requester.json({ method: 'GET', path: '/v1/stats/series', query: { ...query }, takesTenant: true, options }),
    /** The last day of each of some endpoints, by the hour. */
    readEndpoints: (query: ReadStatEndpointsQuery, options?: CallOptions): Promise<EndpointsStats> =>
      requester.json({ method: 'GET', path: '/v1/stats/endpoints', query: { ...query }, takesTenant: true, options }),
    /** Endpoints that are not as they should be, the worst first, and why. */
    listTrouble: (query: ListStatTroubleQuery = {}, options?: CallOptions): Promise<Trouble> =>
      requester.json({ method: 'GET', path: '/v1/stats/trouble', query: { ...query }, takesTenant: true, options }),
  }
}

function createSystem(requester: Requester) {
  return {
    /** What the process that answers is, its settings without secrets, and what is found in its store. */
    get: (options?: CallOptions): Promise<System> =>
      requester.json({ method: 'GET', path: '/v1/system', options }),
  }
}
