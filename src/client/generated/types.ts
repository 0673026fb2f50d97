// Written from the OpenAPI document by "npm run docs:reference"; do not edit.

export interface AdminToken {
  readonly id: string
  readonly role: 'viewer' | 'operator' | 'admin'
  readonly label: string
  /** Null: all tenants. */
  readonly tenantId: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expiresAt: string | null
  /** Within a minute or so; null: never. */
  readonly lastUsedAt: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly revokedAt: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
}

export interface AdminTokenCreate {
  /** `viewer` reads, `operator` also publishes and repairs, `admin` also changes what is set up. */
  readonly role: string
  /** Whose key it is. */
  readonly label: string
  /** The only tenant that it is for; null: all. Default: as the token that makes it. */
  readonly tenantId?: string | null | undefined
  /** From then on it is refused, RFC 3339; null: never. Not beside `expiresIn`. */
  readonly expiresAt?: string | null | undefined
  /** How long it is taken: "90d", "12h". */
  readonly expiresIn?: string | number | undefined
}

export interface AdminTokenPage {
  readonly items: readonly AdminToken[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface Attempt {
  /** One that made no request (error class `internal`) is not counted, and has the number before. */
  readonly attemptNo: number
  /** Grows over replays too. */
  readonly claimVersion: number
  readonly status: 'success' | 'retryable_failure' | 'permanent_failure'
  readonly httpStatus: number | null
  readonly errorClass: string | null
  readonly error: string | null
  readonly latencyMs: number
  /** RFC 3339, UTC, milliseconds. */
  readonly startedAt: string
}

export interface AttemptWithResponse {
  /** One that made no request (error class `internal`) is not counted, and has the number before. */
  readonly attemptNo: number
  /** Grows over replays too. */
  readonly claimVersion: number
  readonly status: 'success' | 'retryable_failure' | 'permanent_failure'
  readonly httpStatus: number | null
  readonly errorClass: string | null
  readonly error: string | null
  readonly latencyMs: number
  /** RFC 3339, UTC, milliseconds. */
  readonly startedAt: string
  readonly rebuiltRequest?: RebuiltRequest | undefined
  readonly response?: CapturedResponse | undefined
}

export interface AuditLine {
  readonly id: string
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** Null: of the whole server. */
  readonly tenantId: string | null
  readonly actor: {
  /** `sign_in`: a browser, by the token that it was signed in with; `library`, `command_line`: a program or a command that has opened the store itself; `system`: the server by itself. */
  readonly kind: 'admin_token' | 'sign_in' | 'portal_link' | 'producer_key' | 'library' | 'command_line' | 'system'
  /** Of the token, key or link; null: the token of the configuration, or who has none. */
  readonly id: string | null
}
  /** Such as endpoint.updated. */
  readonly action: string
  readonly object: {
  readonly kind: 'tenant' | 'endpoint' | 'subscription' | 'credential' | 'key' | 'admin_token' | 'portal_link' | 'event_type' | 'event_catalogue' | 'job' | 'delivery' | 'event' | 'master_key'
  /** Of an event type its name; null: there is one of the kind. */
  readonly id: string | null
}
  /** Only what has changed, and never a secret; null: it was not there, or there is nothing to say. */
  readonly before: Readonly<Record<string, unknown>> | null
  /** Likewise; null: it is gone. A value of more than 4096 characters is told by its length and SHA-256. */
  readonly after: Readonly<Record<string, unknown>> | null
}

export interface AuditLinePage {
  readonly items: readonly AuditLine[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface Backfill {
  /** Published at or after. */
  readonly since: string
  /** Published before; default: now. */
  readonly until?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** Deliveries a second at most. */
  readonly rate?: number | undefined
  /** True: nothing is changed, and the answer says how many there are. */
  readonly dryRun?: boolean | undefined
}

export interface BatchEvent {
  /** At most 255 bytes of UTF-8, without spaces, control characters and `*`. */
  readonly topic: string
  /** Any JSON value, at most 256 KiB; its exact bytes are what is delivered. */
  readonly payload: unknown
  /** Up to 16 short strings of at most 256 bytes, sent as `outhook-meta-<name>` headers. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  /** At most 255 bytes; the same key and content give the same answer for 24 hours, and nothing is made a second time. */
  readonly idempotencyKey?: string | null | undefined
  /** At most 256 bytes; also read from the payload’s member `"ordering_key"`. */
  readonly orderingKey?: string | null | undefined
  /** No delivery is made before this time, at most 366 days ahead; a time in the past is now. Not with `delay`. */
  readonly deliverAt?: string | null | undefined
  /** The same as a duration from now: "500ms", "5s", "30m", "2h", "1d" or a whole number of milliseconds. */
  readonly delay?: string | number | null | undefined
}

export interface BatchItemResult {
  /** 202, or that of the problem. */
  readonly status: number
  readonly eventId?: string | undefined
  /** One for each subscription that matches; empty where none does, and where `state` says `accepted`. */
  readonly deliveryIds?: readonly string[] | undefined
  /** Only of an event for more than 1000 deliveries, or of a transaction: they are made after this answer, and `GET /v1/events/{id}` has them. */
  readonly state?: 'accepted' | undefined
  /** Only where there are some: subscriptions whose topics match and whose filter did not let it through. */
  readonly filteredSubscriptions?: number | undefined
  /** Only where there are some: the payload is not as the schema of its event type says, whose mode is `warn`. */
  readonly warnings?: readonly PayloadWarning[] | undefined
  readonly replayed?: boolean | undefined
  /** A page of this server about the code. */
  readonly type?: string | undefined
  /** For people. */
  readonly title?: string | undefined
  /** What happened, and what to do; for people. */
  readonly detail?: string | undefined
  /** What to decide by. */
  readonly code?: 'invalid_request' | 'invalid_body' | 'invalid_payload' | 'bad_cursor' | 'ordering_key_conflict' | 'ordering_key_too_long' | 'unauthorized' | 'missing_credentials' | 'forbidden' | 'not_found' | 'method_not_allowed' | 'request_timeout' | 'conflict' | 'idempotency_conflict' | 'endpoint_not_available' | 'not_replayable' | 'attempt_under_way' | 'not_cancellable' | 'not_skippable' | 'expired' | 'version_conflict' | 'payload_too_large' | 'uri_too_long' | 'unsupported_media_type' | 'expectation_failed' | 'url_rejected' | 'payload_mismatch' | 'unprocessable' | 'headers_too_large' | 'rate_limited' | 'backlog_full' | 'internal' | 'store_refused' | 'store_unavailable' | 'overloaded' | 'shutting_down' | 'timeout' | 'invalid_config' | 'store_locked' | 'store_missing' | 'store_incompatible' | 'wrong_master_key' | 'closed' | undefined
  /** Only of `payload_mismatch`: where in the payload, as a JSON Pointer; empty is the payload as a whole. */
  readonly path?: string | undefined
}

export interface BatchResult {
  /** In the order of the request. */
  readonly items: readonly BatchItemResult[]
}

export interface CancelMany {
  readonly endpointId?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** Made at or after. */
  readonly since?: string | undefined
  /** Made before. */
  readonly until?: string | undefined
  /** Must be true when no filter is given, which would mean all. */
  readonly all?: boolean | undefined
  /** Deliveries a second at most. */
  readonly rate?: number | undefined
  /** True: nothing is changed, and the answer says how many there are. */
  readonly dryRun?: boolean | undefined
}

export interface Cancelled {
  readonly deliveryId: string
  readonly state: 'cancelled'
}

export interface CapturedResponse {
  /** Of an endpoint of several URLs, which of them answered: its scheme, host and port. */
  readonly url?: string | undefined
  readonly headers: readonly {
  readonly name: string
  readonly value: string
}[]
  /** At most 16 KiB of it. */
  readonly body: string
  /** Of `body`. */
  readonly encoding: 'utf8' | 'base64'
  /** The body went on after what was kept, or broke off. */
  readonly truncated: boolean
}

export interface CreatedAdminToken {
  readonly id: string
  readonly role: 'viewer' | 'operator' | 'admin'
  readonly label: string
  /** Null: all tenants. */
  readonly tenantId: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expiresAt: string | null
  /** Within a minute or so; null: never. */
  readonly lastUsedAt: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly revokedAt: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
  /** Shown here once and never again. */
  readonly token: string
}

export interface CreatedEndpoint {
  readonly id: string
  readonly uid: string | null
  /** What is sent to: http, discord, slack. */
  readonly kind: string
  /** The first of `urls`; with `***` in place of what is secret in it, where the kind’s URLs are secrets. */
  readonly url: string
  /** Its pool. */
  readonly urls: readonly string[]
  readonly failOver: boolean
  readonly settings: EndpointSettings
  readonly description: string
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  /** Of the body; null: application/json. */
  readonly contentType: string | null
  /** Of one attempt; null: that of the server. */
  readonly timeout: string | null
  readonly signingSchemes: readonly SigningScheme[]
  readonly maxInFlight: number
  /** Its deliveries in flight, of all processes. */
  readonly inFlight: number
  /** Null: no limit. */
  readonly rateLimitRps: number | null
  /** What its requests authenticate with. */
  readonly credentialId: string | null
  /** What its connections show besides. */
  readonly clientCertificateId: string | null
  /** Of its own subscription; null when it has none. */
  readonly topics: readonly string[] | null
  readonly filter: Filter
  readonly retryPolicy: RetryPolicy
  readonly effectiveRetryPolicy: EffectiveRetryPolicy
  /** Transport failures in a row that pause an endpoint; null: that of the tenant, or the server. */
  readonly breakerThreshold: number | null
  /** A duration: the first pause; null: that of the tenant, or the server. */
  readonly breakerPause: string | null
  /** A duration: the longest pause; null: that of the tenant, or the server. */
  readonly breakerMaxPause: string | null
  /** A duration: of failures alone, after which an endpoint is disabled; null: that of the tenant, or the server. */
  readonly disableAfter: string | null
  readonly effectiveHealth: EffectiveHealth
  readonly enabled: boolean
  /** Paused: nothing is sent, after failures until `resumesAt`, or by hand until it is resumed; throttled: the receiver asked for less until then; disabled: until it is enabled. */
  readonly state: 'active' | 'paused' | 'throttled' | 'disabled'
  /** When a paused or throttled endpoint is sent to again. */
  readonly resumesAt: string | null
  /** Since when no request to it has succeeded; null: nothing has failed since one did. */
  readonly failingSince: string | null
  /** Transport failures in a row, which the circuit breaker counts. */
  readonly consecutiveFailures: number
  /** Active subscriptions, the endpoint’s own included; with 0 it gets no events. */
  readonly subscriptionCount: number
  /** Operator, gone (it answered 410) or failing. */
  readonly disabledReason: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly disabledAt: string | null
  /** Since when it is paused by hand. */
  readonly pausedAt: string | null
  /** Why, in the words of whoever paused it. */
  readonly pausedReason: string | null
  /** The key of whoever paused it; null: the configured token, or a program. */
  readonly pausedBy: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updatedAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly deletedAt: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
  /** Keep it; afterwards only `reveal` shows it. Empty where the kind signs nothing. */
  readonly secret: string
  /** `whpk_…`, what receivers verify an ed25519 secret with; null for an HMAC. */
  readonly publicKey: string | null
}

export interface CreatedKey {
  readonly id: string
  /** Null: of an admin token for all tenants. */
  readonly tenantId: string | null
  readonly kind: 'producer' | 'admin'
  readonly name: string
  readonly scopes: readonly string[]
  readonly abilities: readonly string[]
  /** Events a second that it may publish; null: as the server is set. */
  readonly rateLimitRps: number | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expiresAt: string | null
  /** Within a minute or so; null: never. */
  readonly lastUsedAt: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly revokedAt: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
  /** Shown here once and never again. */
  readonly key: string
}

export interface CreatedPortalLink {
  readonly id: string
  readonly tenantId: string
  readonly abilities: readonly ('view' | 'manage_endpoints' | 'resend' | 'see_payloads' | 'reveal_secret')[]
  readonly label: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expiresAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly revokedAt: string | null
  /** Shown here once and never again, as is the URL. */
  readonly token: string
  /** What whoever it is for opens. The token stands behind its `#`, which no browser sends to a server. */
  readonly url: string
}

export interface Credential {
  readonly id: string
  readonly tenantId: string
  readonly name: string
  readonly description: string
  readonly kind: 'none' | 'api_key' | 'bearer' | 'basic' | 'custom_header' | 'oauth2_client_credentials' | 'client_certificate'
  readonly active: boolean
  /** Hosts that it may be sent to, with all below them; null: any. */
  readonly authorizedHosts: readonly string[] | null
  readonly headerName?: string | undefined
  readonly username?: string | undefined
  readonly tokenUrl?: string | undefined
  readonly clientId?: string | undefined
  readonly scope?: string | undefined
  readonly audience?: string | undefined
  readonly authStyle?: 'basic' | 'body' | undefined
  /** PEM. */
  readonly certificate?: string | undefined
  /** Of the certificate, as the next three. */
  readonly subject?: string | undefined
  readonly issuer?: string | undefined
  /** SHA-256, hex. */
  readonly fingerprint?: string | undefined
  /** When it runs out. */
  readonly notAfter?: string | undefined
  /** PEM. */
  readonly ca?: string | undefined
  /** The secret’s last four characters; null where it has fewer than 16. */
  readonly secretHint: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updatedAt: string
  /** Within a minute or so; null: never. */
  readonly lastUsedAt: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
}

/** Members of its kind; a secret that is given replaces the one before. */
export interface CredentialChange {
  /** Unique in its tenant. */
  readonly name?: string | undefined
  readonly description?: string | undefined
  /** False: requests that need it are not made, and wait until it is true. */
  readonly active?: boolean | undefined
  /** Hosts that it may be sent to; each stands for all below it too; null (the default): any. Requests to others are refused, or not made. */
  readonly authorizedHosts?: readonly string[] | null | undefined
  /** Of `apiKey` (default `X-API-Key`) and `custom_header`; not one that the sender sets itself. */
  readonly headerName?: string | undefined
  /** Of `apiKey`: the value of the header. */
  readonly apiKey?: string | undefined
  /** Of `bearer`. */
  readonly token?: string | undefined
  /** Of `basic`. */
  readonly username?: string | undefined
  /** Of `basic`. */
  readonly password?: string | undefined
  /** Of `custom_header`. */
  readonly headerValue?: string | undefined
  /** Of `oauth2_client_credentials`: where tokens are fetched. The rules are those of an endpoint’s URL. */
  readonly tokenUrl?: string | undefined
  /** Of `oauth2_client_credentials`. */
  readonly clientId?: string | undefined
  /** Of `oauth2_client_credentials`. */
  readonly clientSecret?: string | undefined
  /** Of `oauth2_client_credentials`: scopes with spaces between them. */
  readonly scope?: string | undefined
  /** Of `oauth2_client_credentials`, where the token server wants one. */
  readonly audience?: string | undefined
  /** Of `client_certificate`: PEM, with the chain that the receiver may need. */
  readonly certificate?: string | undefined
  /** Of `client_certificate`, together with it: PEM, not encrypted. */
  readonly privateKey?: string | undefined
  /** Of any kind: PEM of the authorities to trust for these requests instead of the well-known ones. */
  readonly ca?: string | undefined
  /** Of `oauth2_client_credentials`: id and secret as HTTP Basic (`basic`, the default) or in the form (`body`). */
  readonly authStyle?: 'basic' | 'body' | undefined
}

export interface CredentialCreate {
  /** Unique in its tenant. */
  readonly name: string
  /** It cannot be changed. */
  readonly kind: 'none' | 'api_key' | 'bearer' | 'basic' | 'custom_header' | 'oauth2_client_credentials' | 'client_certificate'
  readonly description?: string | undefined
  /** False: requests that need it are not made, and wait until it is true. */
  readonly active?: boolean | undefined
  /** Hosts that it may be sent to; each stands for all below it too; null (the default): any. Requests to others are refused, or not made. */
  readonly authorizedHosts?: readonly string[] | null | undefined
  /** Of `apiKey` (default `X-API-Key`) and `custom_header`; not one that the sender sets itself. */
  readonly headerName?: string | undefined
  /** Of `apiKey`: the value of the header. */
  readonly apiKey?: string | undefined
  /** Of `bearer`. */
  readonly token?: string | undefined
  /** Of `basic`. */
  readonly username?: string | undefined
  /** Of `basic`. */
  readonly password?: string | undefined
  /** Of `custom_header`. */
  readonly headerValue?: string | undefined
  /** Of `oauth2_client_credentials`: where tokens are fetched. The rules are those of an endpoint’s URL. */
  readonly tokenUrl?: string | undefined
  /** Of `oauth2_client_credentials`. */
  readonly clientId?: string | undefined
  /** Of `oauth2_client_credentials`. */
  readonly clientSecret?: string | undefined
  /** Of `oauth2_client_credentials`: scopes with spaces between them. */
  readonly scope?: string | undefined
  /** Of `oauth2_client_credentials`, where the token server wants one. */
  readonly audience?: string | undefined
  /** Of `client_certificate`: PEM, with the chain that the receiver may need. */
  readonly certificate?: string | undefined
  /** Of `client_certificate`, together with it: PEM, not encrypted. */
  readonly privateKey?: string | undefined
  /** Of any kind: PEM of the authorities to trust for these requests instead of the well-known ones. */
  readonly ca?: string | undefined
  /** Of `oauth2_client_credentials`: id and secret as HTTP Basic (`basic`, the default) or in the form (`body`). */
  readonly authStyle?: 'basic' | 'body' | undefined
}

export interface CredentialPage {
  readonly items: readonly Credential[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface DeadLetter {
  readonly id: string
  readonly deliveryId: string
  readonly eventId: string
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  readonly topic: string | null
  /** The last attempt’s error class, or attempts_exhausted. */
  readonly finalError: string
  readonly lastError: string | null
  readonly lastHttpStatus: number | null
  readonly attemptCount: number
  /** RFC 3339, UTC, milliseconds. */
  readonly deadAt: string
}

export interface DeadLetterPage {
  readonly items: readonly DeadLetter[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface DeadLetterReasons {
  /** The most frequent first. */
  readonly reasons: readonly {
  /** The last attempt’s, such as http_503, or attempts_exhausted. */
  readonly errorClass: string
  readonly count: number
}[]
  /** False: there may be more than were looked at, the newest 10000. */
  readonly complete: boolean
}

export interface Delivery {
  readonly id: string
  readonly deliveryId: string
  readonly eventId: string
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  readonly topic: string | null
  readonly state: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped'
  /** Why it waits: endpoint_paused, endpoint_disabled, rate_limited, scheduled or behind_head (another delivery of its ordering key goes first). */
  readonly reason: string | null
  /** Of one that waits as behind_head: the delivery whose turn it is. */
  readonly headDeliveryId: string | null
  /** Since creation or the last replay. */
  readonly attemptCount: number
  /** RFC 3339, UTC, milliseconds. */
  readonly nextAttemptAt: string | null
  readonly lastHttpStatus: number | null
  readonly errorClass: string | null
  /** At most 2000 characters. */
  readonly lastError: string | null
  readonly orderingKey: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updatedAt: string
}

/** Deliveries that came to each state; one that is tried again comes to several. */
export interface DeliveryCounts {
  readonly succeeded: number
  readonly retryScheduled: number
  readonly deadLettered: number
  readonly cancelled: number
  readonly skipped: number
}

export interface DeliveryDetail {
  readonly id: string
  readonly deliveryId: string
  readonly eventId: string
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  readonly topic: string | null
  readonly state: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped'
  /** Why it waits: endpoint_paused, endpoint_disabled, rate_limited, scheduled or behind_head (another delivery of its ordering key goes first). */
  readonly reason: string | null
  /** Of one that waits as behind_head: the delivery whose turn it is. */
  readonly headDeliveryId: string | null
  /** Since creation or the last replay. */
  readonly attemptCount: number
  /** RFC 3339, UTC, milliseconds. */
  readonly nextAttemptAt: string | null
  readonly lastHttpStatus: number | null
  readonly errorClass: string | null
  /** At most 2000 characters. */
  readonly lastError: string | null
  readonly orderingKey: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updatedAt: string
  /** Older attempts are past their retention. */
  readonly attemptsTruncated: boolean
  readonly attempts: readonly AttemptWithResponse[]
}

export interface DeliveryOfEvent {
  readonly id: string
  readonly deliveryId: string
  readonly eventId: string
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  readonly topic: string | null
  readonly state: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped'
  /** Why it waits: endpoint_paused, endpoint_disabled, rate_limited, scheduled or behind_head (another delivery of its ordering key goes first). */
  readonly reason: string | null
  /** Of one that waits as behind_head: the delivery whose turn it is. */
  readonly headDeliveryId: string | null
  /** Since creation or the last replay. */
  readonly attemptCount: number
  /** RFC 3339, UTC, milliseconds. */
  readonly nextAttemptAt: string | null
  readonly lastHttpStatus: number | null
  readonly errorClass: string | null
  /** At most 2000 characters. */
  readonly lastError: string | null
  readonly orderingKey: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updatedAt: string
  /** Older attempts are past their retention. */
  readonly attemptsTruncated: boolean
  readonly attempts: readonly Attempt[]
}

export interface DeliveryPage {
  readonly items: readonly Delivery[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

/** Deliveries that there are, by state. */
export interface DeliveryStates {
  readonly pending: number
  readonly inFlight: number
  readonly retryScheduled: number
  readonly succeeded: number
  readonly deadLettered: number
  readonly cancelled: number
  readonly skipped: number
}

export interface DirectSend {
  /** Where to; this or `endpointId`. The rules are those of an endpoint’s URL. */
  readonly url?: string | null | undefined
  /** Or to an endpoint, signed with its secrets: to its URL and with its headers as they are now. */
  readonly endpointId?: string | null | undefined
  /** Default: that of the endpoint, or POST. GET and DELETE have no body; a payload is kept and not sent. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE' | undefined
  /** Beside those of the endpoint; these win. Names that the sender sets itself are refused, and names of secrets. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Of the body; default: what the endpoint says, or application/json. */
  readonly contentType?: string | null | undefined
  /** What the request authenticates with; left out, what the endpoint does, if it goes to one. */
  readonly credentialId?: string | null | undefined
  /** A credential of the kind `client_certificate` that the connection shows; left out, that of the endpoint, if it goes to one. */
  readonly clientCertificateId?: string | null | undefined
  /** Any JSON value, at most 256 KiB; its exact bytes are the body. Left out, the body is empty. */
  readonly payload?: unknown | undefined
  /** Instead of `payload`: the body as text, or as bytes with `encoding` base64. */
  readonly body?: string | undefined
  /** Of `body`; default: utf8. */
  readonly encoding?: 'utf8' | 'base64' | undefined
  readonly retry?: RetryPolicy | undefined
  /** Of one attempt, from 1s to the server’s `total-timeout`, which is the default. */
  readonly timeout?: string | number | null | undefined
  /** Up to 16 short strings of at most 256 bytes, sent as `outhook-meta-<name>` headers. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  /** At most 255 bytes; the same key and content give the same answer for 24 hours, and nothing is made a second time. */
  readonly idempotencyKey?: string | null | undefined
  /** No delivery is made before this time, at most 366 days ahead; a time in the past is now. Not with `delay`. */
  readonly deliverAt?: string | null | undefined
  /** The same as a duration from now: "500ms", "5s", "30m", "2h", "1d" or a whole number of milliseconds. */
  readonly delay?: string | number | null | undefined
}

export interface DirectSendReceipt {
  readonly id: string
  readonly deliveryId: string
  /** Of the event without a topic that keeps its payload and its request. */
  readonly eventId: string
}

export interface DryRun {
  readonly dryRun: true
  /** Deliveries that the job would do something about. */
  readonly matching: number
  /** Deliveries that it would have to skip. */
  readonly skipped: number
  /** False: there are more, which were not counted. */
  readonly complete: boolean
}

/** When the endpoint is paused and disabled: of endpoint, tenant and server the nearest that says something, for each setting. */
export interface EffectiveHealth {
  readonly breakerThreshold: {
  readonly value: number
  /** Who has said it. */
  readonly from: 'endpoint' | 'tenant' | 'server'
}
  readonly breakerPause: {
  /** A duration. */
  readonly value: string
  /** Who has said it. */
  readonly from: 'endpoint' | 'tenant' | 'server'
}
  readonly breakerMaxPause: {
  /** A duration. */
  readonly value: string
  /** Who has said it. */
  readonly from: 'endpoint' | 'tenant' | 'server'
}
  readonly disableAfter: {
  /** A duration. */
  readonly value: string
  /** Who has said it. */
  readonly from: 'endpoint' | 'tenant' | 'server'
}
}

/** The policy in force: of subscription, endpoint, tenant and server the nearest that has one. A delivery that waits goes by the one in force at its next attempt. */
export interface EffectiveRetryPolicy {
  readonly policy: RetryPolicy
  /** Who has named it. */
  readonly from: 'subscription' | 'endpoint' | 'tenant' | 'server'
  /** Profiles that somebody nearer names and this server does not know any more. */
  readonly unknownProfiles: readonly string[]
}

export interface Enable {
  /** What becomes of deliveries that wait for it: deliver (the default) sends them; skip cancels them first, as a job. */
  readonly backlog?: 'deliver' | 'skip' | undefined
}

export interface Endpoint {
  readonly id: string
  readonly uid: string | null
  /** What is sent to: http, discord, slack. */
  readonly kind: string
  /** The first of `urls`; with `***` in place of what is secret in it, where the kind’s URLs are secrets. */
  readonly url: string
  /** Its pool. */
  readonly urls: readonly string[]
  readonly failOver: boolean
  readonly settings: EndpointSettings
  readonly description: string
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  /** Of the body; null: application/json. */
  readonly contentType: string | null
  /** Of one attempt; null: that of the server. */
  readonly timeout: string | null
  readonly signingSchemes: readonly SigningScheme[]
  readonly maxInFlight: number
  /** Its deliveries in flight, of all processes. */
  readonly inFlight: number
  /** Null: no limit. */
  readonly rateLimitRps: number | null
  /** What its requests authenticate with. */
  readonly credentialId: string | null
  /** What its connections show besides. */
  readonly clientCertificateId: string | null
  /** Of its own subscription; null when it has none. */
  readonly topics: readonly string[] | null
  readonly filter: Filter
  readonly retryPolicy: RetryPolicy
  readonly effectiveRetryPolicy: EffectiveRetryPolicy
  /** Transport failures in a row that pause an endpoint; null: that of the tenant, or the server. */
  readonly breakerThreshold: number | null
  /** A duration: the first pause; null: that of the tenant, or the server. */
  readonly breakerPause: string | null
  /** A duration: the longest pause; null: that of the tenant, or the server. */
  readonly breakerMaxPause: string | null
  /** A duration: of failures alone, after which an endpoint is disabled; null: that of the tenant, or the server. */
  readonly disableAfter: string | null
  readonly effectiveHealth: EffectiveHealth
  readonly enabled: boolean
  /** Paused: nothing is sent, after failures until `resumesAt`, or by hand until it is resumed; throttled: the receiver asked for less until then; disabled: until it is enabled. */
  readonly state: 'active' | 'paused' | 'throttled' | 'disabled'
  /** When a paused or throttled endpoint is sent to again. */
  readonly resumesAt: string | null
  /** Since when no request to it has succeeded; null: nothing has failed since one did. */
  readonly failingSince: string | null
  /** Transport failures in a row, which the circuit breaker counts. */
  readonly consecutiveFailures: number
  /** Active subscriptions, the endpoint’s own included; with 0 it gets no events. */
  readonly subscriptionCount: number
  /** Operator, gone (it answered 410) or failing. */
  readonly disabledReason: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly disabledAt: string | null
  /** Since when it is paused by hand. */
  readonly pausedAt: string | null
  /** Why, in the words of whoever paused it. */
  readonly pausedReason: string | null
  /** The key of whoever paused it; null: the configured token, or a program. */
  readonly pausedBy: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updatedAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly deletedAt: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
}

export interface EndpointChange {
  /** Https, of a public host, unless the server allows more; this or `urls`. */
  readonly url?: string | undefined
  /** Instead of `url`: a pool, between whose URLs requests go round. */
  readonly urls?: readonly string[] | undefined
  /** True: where a URL of the pool cannot be reached, the same attempt goes on to the next one. Default: false. */
  readonly failOver?: boolean | undefined
  /** What is sent to; it never changes. http: an HTTP endpoint; discord: a Discord webhook; slack: an incoming webhook of Slack. */
  readonly kind?: 'http' | 'discord' | 'slack' | undefined
  readonly settings?: EndpointSettings | undefined
  /** A name of your own, unique; creating it again updates it. */
  readonly uid?: string | null | undefined
  readonly description?: string | undefined
  /** Of requests to it; default: POST. Those of GET and DELETE carry no body. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE' | undefined
  /** Sent with each request, at most 8 KiB in all; not those that the sender makes, and no secrets, because they are shown here: those belong in a credential. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Of the body; null, the default: application/json. Not beside a `content-type` in `headers`, which says the same. */
  readonly contentType?: string | null | undefined
  /** Of one attempt, from 1s to 60s, whatever the server’s `total-timeout`, which is the default (null). */
  readonly timeout?: string | number | null | undefined
  /** How requests to it are signed; `none` stands alone, and no two may set the same header. */
  readonly signingSchemes?: readonly SigningScheme[] | undefined
  /** Requests at one time, from all processes together. */
  readonly maxInFlight?: number | undefined
  readonly rateLimitRps?: RateLimit | undefined
  /** What its requests authenticate with; null: nothing. */
  readonly credentialId?: string | null | undefined
  /** A credential of the kind `client_certificate` that its connections show, besides a `credentialId` of another kind; null: none. */
  readonly clientCertificateId?: string | null | undefined
  /** Patterns of the endpoint’s own subscription. */
  readonly topics?: readonly string[] | undefined
  readonly filter?: Filter | undefined
  readonly retryPolicy?: RetryPolicy | undefined
  /** Transport failures in a row that pause an endpoint; 0 switches the circuit breaker off, null is that of the tenant, or the server. */
  readonly breakerThreshold?: number | null | undefined
  /** The first pause, which each failed probe doubles; not longer than `breakerMaxPause`; null is that of the tenant, or the server. */
  readonly breakerPause?: string | number | null | undefined
  /** The longest pause; null is that of the tenant, or the server. */
  readonly breakerMaxPause?: string | number | null | undefined
  /** An endpoint that has only failed for so long is disabled; "0" is never, null is that of the tenant, or the server. */
  readonly disableAfter?: string | number | null | undefined
  /** False parks its deliveries until it is true again. */
  readonly enabled?: boolean | undefined
}

export interface EndpointCreate {
  /** Https, of a public host, unless the server allows more; this or `urls`. */
  readonly url?: string | undefined
  /** Instead of `url`: a pool, between whose URLs requests go round. */
  readonly urls?: readonly string[] | undefined
  /** True: where a URL of the pool cannot be reached, the same attempt goes on to the next one. Default: false. */
  readonly failOver?: boolean | undefined
  /** What is sent to; it never changes. http: an HTTP endpoint; discord: a Discord webhook; slack: an incoming webhook of Slack. */
  readonly kind?: 'http' | 'discord' | 'slack' | undefined
  readonly settings?: EndpointSettings | undefined
  /** A name of your own, unique; creating it again updates it. */
  readonly uid?: string | null | undefined
  readonly description?: string | undefined
  /** Of requests to it; default: POST. Those of GET and DELETE carry no body. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE' | undefined
  /** Sent with each request, at most 8 KiB in all; not those that the sender makes, and no secrets, because they are shown here: those belong in a credential. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Of the body; null, the default: application/json. Not beside a `content-type` in `headers`, which says the same. */
  readonly contentType?: string | null | undefined
  /** Of one attempt, from 1s to 60s, whatever the server’s `total-timeout`, which is the default (null). */
  readonly timeout?: string | number | null | undefined
  /** How requests to it are signed; `none` stands alone, and no two may set the same header. */
  readonly signingSchemes?: readonly SigningScheme[] | undefined
  /** Requests at one time, from all processes together. */
  readonly maxInFlight?: number | undefined
  readonly rateLimitRps?: RateLimit | undefined
  /** What its requests authenticate with; null: nothing. */
  readonly credentialId?: string | null | undefined
  /** A credential of the kind `client_certificate` that its connections show, besides a `credentialId` of another kind; null: none. */
  readonly clientCertificateId?: string | null | undefined
  /** Patterns of the endpoint’s own subscription. */
  readonly topics?: readonly string[] | undefined
  readonly filter?: Filter | undefined
  readonly retryPolicy?: RetryPolicy | undefined
  /** Transport failures in a row that pause an endpoint; 0 switches the circuit breaker off, null is that of the tenant, or the server. */
  readonly breakerThreshold?: number | null | undefined
  /** The first pause, which each failed probe doubles; not longer than `breakerMaxPause`; null is that of the tenant, or the server. */
  readonly breakerPause?: string | number | null | undefined
  /** The longest pause; null is that of the tenant, or the server. */
  readonly breakerMaxPause?: string | number | null | undefined
  /** An endpoint that has only failed for so long is disabled; "0" is never, null is that of the tenant, or the server. */
  readonly disableAfter?: string | number | null | undefined
  /** `whsec_` and base64 of 24 to 64 bytes; made when absent. An ed25519 key pair is `whsk_…`. */
  readonly secret?: string | undefined
  /** Of the secret that is made, where none is given: `hmac` (the default), which sender and receiver share, or `ed25519`, of which the receiver needs the public key alone. */
  readonly keyType?: 'hmac' | 'ed25519' | undefined
}

export interface EndpointPage {
  readonly items: readonly Endpoint[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface EndpointPublicKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly alg: 'EdDSA'
  readonly use: 'sig'
  /** The id of the secret. */
  readonly kid: string
  /** The 32 bytes in base64url, without padding. */
  readonly x: string
  /** The same as `whpk_…`, as Standard Webhooks writes it. */
  readonly publicKey: string
  /** Until when it signs; null: until it is replaced. */
  readonly expiresAt: string | null
}

export interface EndpointPublicKeys {
  readonly keys: readonly EndpointPublicKey[]
}

export interface EndpointSecret {
  readonly id: string
  readonly keyType: 'hmac' | 'ed25519'
  /** `whpk_…`, what receivers verify an ed25519 secret with; null for an HMAC. */
  readonly publicKey: string | null
  /** It signs in the schemes that have room for one signature, and stands last in `hookrail`; unless another one was made that, the oldest is. */
  readonly primary: boolean
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** Until when it signs; null: until it is replaced. */
  readonly expiresAt: string | null
  /** How often it was shown after its creation. */
  readonly reveals: number
  /** When last. */
  readonly revealedAt: string | null
  /** The key of whoever saw it last; null: the configured token, or a program. */
  readonly revealedBy: string | null
}

export interface EndpointSecrets {
  readonly items: readonly EndpointSecret[]
}

/** What the kind of the endpoint asks for besides: templates of its messages. Null: as the kind has it. They are replaced as a whole. */
export type EndpointSettings = {
  /** The message, with placeholders such as {{topic}} and {{payload.customer.name}}. */
  readonly template?: string | undefined
  /** Of an embed below the message; placeholders as in the template. */
  readonly title?: string | undefined
  /** The text of the embed. */
  readonly description?: string | undefined
  /** The line below the embed. */
  readonly footer?: string | undefined
  /** Of the embed’s edge. */
  readonly color?: number | undefined
  /** Instead of the webhook’s own name. */
  readonly username?: string | undefined
  /** The id of a thread of the channel. */
  readonly thread?: string | undefined
} | {
  /** The message in Slack’s mrkdwn, with placeholders such as {{topic}} and {{payload.customer.name}}. */
  readonly template: string
} | null

export interface EndpointStats {
  readonly endpointId: string
  readonly attemptCount: number
  /** Of attempts, those that succeeded; null: there were none. */
  readonly successRate: number | null
  /** How long one attempt took, in milliseconds, as near as the buckets of a histogram say; null: nothing was measured. */
  readonly latencyMs: {
  readonly p50: number | null
  readonly p99: number | null
}
  /** Of each hour, the oldest first. */
  readonly attemptCounts: readonly number[]
  /** Success rates, of each hour, the oldest first; null: there was nothing. */
  readonly successRates: readonly (number | null)[]
  /** Half of all attempts were no longer than this, in milliseconds, of each hour, the oldest first; null: there was nothing. */
  readonly latencyP50s: readonly (number | null)[]
}

export interface EndpointTest {
  /** Default: outhook.test. */
  readonly topic?: string | undefined
  /** Any JSON; default: {"test":true}. */
  readonly payload?: unknown | undefined
}

export interface EndpointTestResult {
  readonly eventId: string
  /** The receiver answered 2xx. */
  readonly succeeded: boolean
  readonly httpStatus: number | null
  readonly errorClass: string | null
  readonly error: string | null
  readonly latencyMs: number
  readonly response?: CapturedResponse | undefined
}

export interface EndpointsStats {
  /** When it was read: what many ask for is shared for a moment. */
  readonly readAt: string
  /** The beginning of the first bucket. */
  readonly from: string
  readonly bucketSeconds: number
  /** As they were named, each once. */
  readonly items: readonly EndpointStats[]
}

export interface Event {
  readonly id: string
  readonly eventId: string
  /** Null: a direct send. */
  readonly topic: string | null
  readonly state: 'accepted' | 'fanned_out'
  readonly payloadBytes: number
  readonly metadata: Readonly<Record<string, string>>
  readonly orderingKey: string | null
  readonly producerKeyId: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly deliverAt: string | null
  /** The trace that its publisher was in, as W3C’s headers name it. */
  readonly traceContext: {
  readonly traceparent: string
  readonly tracestate?: string | undefined
} | null
  /** Of a direct send, what was frozen when it was accepted; null: it was published. */
  readonly request: {
  readonly url: string
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  /** Of one attempt; null: the server’s own. */
  readonly timeout: string | null
  readonly retry: RetryPolicy
} | null
  /** Subscriptions whose topics match and whose filter did not let it through; with no deliveries beside it, no filter did. */
  readonly filteredSubscriptions: number
  /** Whether it was published with an idempotency key, which itself is not shown; `false`, too, of what was published before this was kept. */
  readonly hasIdempotencyKey: boolean
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** When its payload was expunged on demand; null, too, where it is only past its retention. */
  readonly expungedAt: string | null
}

export interface EventPage {
  readonly items: readonly Event[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
  /** Of a page that ended before it was full, because it had read enough: how far back it has looked. What is older is on the pages that follow. Null: it is full, or the last. */
  readonly searchedUntil: string | null
}

export interface EventStatus {
  readonly id: string
  readonly eventId: string
  /** Null: a direct send. */
  readonly topic: string | null
  readonly state: 'accepted' | 'fanned_out'
  readonly payloadBytes: number
  readonly metadata: Readonly<Record<string, string>>
  readonly orderingKey: string | null
  readonly producerKeyId: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly deliverAt: string | null
  /** The trace that its publisher was in, as W3C’s headers name it. */
  readonly traceContext: {
  readonly traceparent: string
  readonly tracestate?: string | undefined
} | null
  /** Of a direct send, what was frozen when it was accepted; null: it was published. */
  readonly request: {
  readonly url: string
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  /** Of one attempt; null: the server’s own. */
  readonly timeout: string | null
  readonly retry: RetryPolicy
} | null
  /** Subscriptions whose topics match and whose filter did not let it through; with no deliveries beside it, no filter did. */
  readonly filteredSubscriptions: number
  /** Whether it was published with an idempotency key, which itself is not shown; `false`, too, of what was published before this was kept. */
  readonly hasIdempotencyKey: boolean
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** When its payload was expunged on demand; null, too, where it is only past its retention. */
  readonly expungedAt: string | null
  /** Oldest first, 1000 at most; while `state` is `accepted`, those made so far. */
  readonly deliveries: readonly DeliveryOfEvent[]
  /** As the parameter `cursor`, gives the deliveries that follow; empty at the end. */
  readonly nextCursor: string
}

export interface EventType {
  /** At most 255 bytes of UTF-8, without spaces, control characters and `*`. */
  readonly name: string
  /** Null: of the server’s catalogue, which holds for every tenant. */
  readonly tenantId: string | null
  readonly description: string
  readonly group: string | null
  readonly schema: unknown
  readonly example: unknown
  readonly deprecated: boolean
  /** `enforce`: an event whose payload is not as the schema says is refused with 422; `warn`: it is accepted, and the answer says so; `off`: payloads are not looked at. */
  readonly mode: 'enforce' | 'warn' | 'off'
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updatedAt: string
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
}

export interface EventTypeChange {
  /** For the developers of those who receive it. */
  readonly description?: string | undefined
  /** What it is listed under. */
  readonly group?: string | null | undefined
  /** JSON Schema 2020-12 of the payload, at most 64 KiB and 500 parts. References stay within it (`#/$defs/…`); `format` says something to people alone; patterns cannot look ahead, look behind or refer back. null: the payload may be anything. */
  readonly schema?: boolean | null | Readonly<Record<string, unknown>> | undefined
  /** A payload, for people, which has to be as the schema says; null: there is none. */
  readonly example?: unknown | undefined
  /** Default false. */
  readonly deprecated?: boolean | undefined
  /** `enforce`: an event whose payload is not as the schema says is refused with 422; `warn`: it is accepted, and the answer says so; `off`: payloads are not looked at. */
  readonly mode?: 'enforce' | 'warn' | 'off' | undefined
}

export interface EventTypeCreate {
  /** At most 255 bytes of UTF-8, without spaces, control characters and `*`. */
  readonly name: string
  /** For the developers of those who receive it. */
  readonly description?: string | undefined
  /** What it is listed under. */
  readonly group?: string | null | undefined
  /** JSON Schema 2020-12 of the payload, at most 64 KiB and 500 parts. References stay within it (`#/$defs/…`); `format` says something to people alone; patterns cannot look ahead, look behind or refer back. null: the payload may be anything. */
  readonly schema?: boolean | null | Readonly<Record<string, unknown>> | undefined
  /** A payload, for people, which has to be as the schema says; null: there is none. */
  readonly example?: unknown | undefined
  /** Default false. */
  readonly deprecated?: boolean | undefined
  /** `enforce`: an event whose payload is not as the schema says is refused with 422; `warn`: it is accepted, and the answer says so; `off`: payloads are not looked at. */
  readonly mode?: 'enforce' | 'warn' | 'off' | undefined
}

export interface EventTypeImport {
  /** An OpenAPI 3.1 document, whose `webhooks` are taken; references within it are followed. */
  readonly document: Readonly<Record<string, unknown>>
  /** Of types that are new. */
  readonly mode?: 'enforce' | 'warn' | 'off' | undefined
  /** True: nothing is done, and the answer says what would be. */
  readonly dryRun?: boolean | undefined
}

export interface EventTypeImportReport {
  readonly dryRun: boolean
  readonly created: number
  readonly changed: number
  readonly unchanged: number
  /** In the order of the document. */
  readonly items: readonly {
  /** At most 255 bytes of UTF-8, without spaces, control characters and `*`. */
  readonly name: string
  readonly result: 'created' | 'changed' | 'unchanged'
  /** What was not taken of it, and why; only where there is something. */
  readonly note?: string | undefined
}[]
}

export interface EventTypePage {
  readonly items: readonly EventType[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface Expunged {
  readonly eventId: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expungedAt: string
  /** Deliveries that were cancelled for it. */
  readonly cancelled: number
}

export interface FailedCondition {
  /** Of the value in the payload; empty: the payload itself. */
  readonly path: string
  /** What does not hold, as the filter has it there. */
  readonly condition: unknown
  /** The value’s JSON, at most 200 characters; null: there is none. */
  readonly found: string | null
}

/** What an event’s payload has to be like to be delivered: members by their names, with the value that they have to have or an object of operators ($eq, $neq, $gt, $gte, $lt, $lte, $in, $nin, $exist, $startsWith, $endsWith, $contains, $or, $and, $not). null and {}: payloads may be anything. At most 8192 bytes, 200 conditions and 12 levels. */
export type Filter = Readonly<Record<string, unknown>> | null

export interface Finding {
  /** What was looked at. */
  readonly check: string
  /** `warning`: it works, and may hurt later; `problem`: something is, or will be, lost or stuck. */
  readonly level: 'ok' | 'warning' | 'problem'
  readonly found: string
  /** What to do; null: nothing. */
  readonly advice: string | null
}

/** Instead of `retryPolicy`: what clients of the webhook server Hookrail send. */
export type HookrailBackoff = {
  readonly baseMs: number
  /** Not less than `baseMs`. */
  readonly capMs: number
} | null

/** Instead of `retryPolicy`, 0 for 8: what clients of the webhook server Hookrail send. */
export type HookrailMaxAttempts = number | null

export interface Job {
  readonly id: string
  readonly kind: 'replay' | 'cancel' | 'skip_backlog' | 'backfill'
  /** Queued and running go on by themselves, in whichever process lives; paused: it waits until it is resumed; done, cancelled and failed are the end. */
  readonly state: 'queued' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed'
  /** Which deliveries it is about. */
  readonly filter: {
  readonly endpointId?: string | undefined
  readonly topic?: string | undefined
  /** RFC 3339, UTC, milliseconds. */
  readonly since?: string | undefined
  /** RFC 3339, UTC, milliseconds. */
  readonly until?: string | undefined
  readonly errorClass?: string | undefined
}
  /** Deliveries a second at most; null: as fast as the store takes them. */
  readonly rate: number | null
  /** That matched when it began; null: they are not counted yet. */
  readonly total: number | null
  readonly done: number
  /** That match, and of which nothing can be done: payload or endpoint is gone. */
  readonly skipped: number
  /** That match, and that the store refused to change, again and again; they stay as they were, and the job goes on. */
  readonly failed: number
  /** Why it failed, or the last delivery of it that did. */
  readonly error: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly startedAt: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly endedAt: string | null
}

export interface JobPage {
  readonly items: readonly Job[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface Key {
  readonly id: string
  /** Null: of an admin token for all tenants. */
  readonly tenantId: string | null
  readonly kind: 'producer' | 'admin'
  readonly name: string
  readonly scopes: readonly string[]
  readonly abilities: readonly string[]
  /** Events a second that it may publish; null: as the server is set. */
  readonly rateLimitRps: number | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expiresAt: string | null
  /** Within a minute or so; null: never. */
  readonly lastUsedAt: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly revokedAt: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
}

export interface KeyChange {
  /** Whose key it is. */
  readonly name?: string | undefined
  /** The topics that it may publish; all when left out. */
  readonly scopes?: readonly string[] | undefined
  /** `publish`: events, and read those that were published with it; `read`: all events of its tenant; `send`: makes deliveries to URLs and endpoints that it names. Default `["publish"]`. */
  readonly abilities?: readonly ('publish' | 'read' | 'send')[] | undefined
  readonly rateLimitRps?: RateLimit | undefined
  /** From then on it is refused, RFC 3339; null: never. Not beside `expiresIn`. */
  readonly expiresAt?: string | null | undefined
  /** How long it is taken: "90d", "12h". */
  readonly expiresIn?: string | number | undefined
}

export interface KeyCreate {
  /** Whose key it is. */
  readonly name: string
  /** `admin`: an admin token of role admin, without settings; `POST /v1/admin-tokens` makes all. */
  readonly kind?: 'producer' | 'admin' | undefined
  /** The topics that it may publish; all when left out. */
  readonly scopes?: readonly string[] | undefined
  /** `publish`: events, and read those that were published with it; `read`: all events of its tenant; `send`: makes deliveries to URLs and endpoints that it names. Default `["publish"]`. */
  readonly abilities?: readonly ('publish' | 'read' | 'send')[] | undefined
  readonly rateLimitRps?: RateLimit | undefined
  /** From then on it is refused, RFC 3339; null: never. Not beside `expiresIn`. */
  readonly expiresAt?: string | null | undefined
  /** How long it is taken: "90d", "12h". */
  readonly expiresIn?: string | number | undefined
}

export interface KeyPage {
  readonly items: readonly Key[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface MasterKey {
  /** Of the key that seals; it tells nothing about the key. */
  readonly fingerprint: string
  /** Of the key that is being replaced; null: none is. */
  readonly replacing: string | null
  /** Values that are still sealed under another one of the keys that this process was given. */
  readonly remaining: number
  /** Fingerprints of the keys that this process was given. */
  readonly given: readonly string[]
}

export interface NewSecret {
  /** Keep it; afterwards only `reveal` shows it. */
  readonly secret: string
  /** `whpk_…`, what receivers verify an ed25519 secret with; null for an HMAC. */
  readonly publicKey: string | null
}

export interface Node {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly role: 'all' | 'api' | 'dispatcher'
  readonly version: string
  /** RFC 3339, UTC, milliseconds. */
  readonly startedAt: string
  /** Each says every five seconds that it is there, and is left out a minute after the last time. */
  readonly seenAt: string
  /** Requests to receivers that are open. */
  readonly inFlight: number
}

export interface OrderedKey {
  readonly subscriptionId: string
  readonly endpointId: string
  readonly orderingKey: string
  /** Blocked: its head was given up, and what is behind it waits until it is replayed or skipped. */
  readonly state: 'blocked' | 'active'
  /** The one delivery of the key whose turn it is. */
  readonly headDeliveryId: string
  readonly headState: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped'
  /** RFC 3339, UTC, milliseconds. */
  readonly blockedSince: string | null
  /** Deliveries of the key that have not come to an end, the head included. */
  readonly backlogCount: number
  /** How long the oldest delivery behind the head waits; null: there is none. */
  readonly oldestSuccessorAgeSec: number | null
}

export interface OrderedKeyPage {
  readonly items: readonly OrderedKey[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface OutcomeCount {
  readonly outcome: 'success' | 'http_3xx' | 'http_4xx' | 'http_429' | 'http_5xx' | 'http_other' | 'timeout' | 'connection' | 'dns' | 'tls' | 'policy' | 'internal'
  readonly count: number
}

export interface Pause {
  /** Why, for whoever looks at the endpoint. */
  readonly reason?: string | undefined
}

export interface PayloadWarning {
  /** Where in the payload, as a JSON Pointer; empty is the payload as a whole. */
  readonly path: string
  /** What would be right there; for people. */
  readonly message: string
}

export interface Portal {
  /** Null: an admin token asks. */
  readonly linkId: string | null
  readonly tenantId: string
  readonly tenantName: string
  readonly abilities: readonly ('view' | 'manage_endpoints' | 'resend' | 'see_payloads' | 'reveal_secret')[]
  /** RFC 3339, UTC, milliseconds. */
  readonly expiresAt: string | null
}

export interface PortalLink {
  readonly id: string
  readonly tenantId: string
  readonly abilities: readonly ('view' | 'manage_endpoints' | 'resend' | 'see_payloads' | 'reveal_secret')[]
  readonly label: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expiresAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly revokedAt: string | null
}

export interface PortalLinkCreate {
  /** `view`, which is part of each link: endpoints, events, deliveries and jobs, without what is in them; `manage_endpoints`: make, change, test, pause and delete endpoints; `resend`: send deliveries again, one or all that failed; `see_payloads`: payloads, metadata and what receivers answered; `reveal_secret`: secrets of endpoints. Default `["view"]`. */
  readonly abilities?: readonly ('view' | 'manage_endpoints' | 'resend' | 'see_payloads' | 'reveal_secret')[] | undefined
  /** How long it is good: "1h" (the default), at most 7 days. */
  readonly expiresIn?: string | number | undefined
  /** For whom it is, in your words. */
  readonly label?: string | null | undefined
}

export interface PortalLinkPage {
  readonly items: readonly PortalLink[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface Problem {
  /** A page of this server about the code. */
  readonly type: string
  /** For people. */
  readonly title: string
  readonly status: number
  /** What happened, and what to do; for people. */
  readonly detail: string
  /** What to decide by. */
  readonly code: 'invalid_request' | 'invalid_body' | 'invalid_payload' | 'bad_cursor' | 'ordering_key_conflict' | 'ordering_key_too_long' | 'unauthorized' | 'missing_credentials' | 'forbidden' | 'not_found' | 'method_not_allowed' | 'request_timeout' | 'conflict' | 'idempotency_conflict' | 'endpoint_not_available' | 'not_replayable' | 'attempt_under_way' | 'not_cancellable' | 'not_skippable' | 'expired' | 'version_conflict' | 'payload_too_large' | 'uri_too_long' | 'unsupported_media_type' | 'expectation_failed' | 'url_rejected' | 'payload_mismatch' | 'unprocessable' | 'headers_too_large' | 'rate_limited' | 'backlog_full' | 'internal' | 'store_refused' | 'store_unavailable' | 'overloaded' | 'shutting_down' | 'timeout' | 'invalid_config' | 'store_locked' | 'store_missing' | 'store_incompatible' | 'wrong_master_key' | 'closed'
  /** Only of `payload_mismatch`: where in the payload, as a JSON Pointer; empty is the payload as a whole. */
  readonly path?: string | undefined
}

export interface PublishBatch {
  readonly events: readonly BatchEvent[]
}

/** Other members are ignored. */
export interface PublishEvent {
  /** At most 255 bytes of UTF-8, without spaces, control characters and `*`. */
  readonly topic: string
  /** Any JSON value, at most 256 KiB; its exact bytes are what is delivered. */
  readonly payload: unknown
  /** Up to 16 short strings of at most 256 bytes, sent as `outhook-meta-<name>` headers. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  /** At most 255 bytes; the same key and content give the same answer for 24 hours, and nothing is made a second time. */
  readonly idempotencyKey?: string | null | undefined
  /** At most 256 bytes; also read from the payload’s member `"ordering_key"`. */
  readonly orderingKey?: string | null | undefined
  /** No delivery is made before this time, at most 366 days ahead; a time in the past is now. Not with `delay`. */
  readonly deliverAt?: string | null | undefined
  /** The same as a duration from now: "500ms", "5s", "30m", "2h", "1d" or a whole number of milliseconds. */
  readonly delay?: string | number | null | undefined
}

export interface PublishReceipt {
  readonly id: string
  /** Only where there are some: the payload is not as the schema of its event type says, whose mode is `warn`. */
  readonly warnings?: readonly PayloadWarning[] | undefined
  readonly eventId: string
  /** One for each subscription that matches; empty where none does, and where `state` says `accepted`. */
  readonly deliveryIds: readonly string[]
  /** Only where there are some: subscriptions whose topics match and whose filter did not let it through. */
  readonly filteredSubscriptions?: number | undefined
  /** Only of an event for more than 1000 deliveries, or of a transaction: they are made after this answer, and `GET /v1/events/{id}` has them. */
  readonly state?: 'accepted' | undefined
}

/** Requests per second, on average, from all processes together; up to two seconds’ worth (at least one) may go at once. Null: no limit. */
export type RateLimit = number | null

/** Of the newest ten attempts; what was sent is not kept: this is built again from the event and from the settings and secrets that the endpoint has now. */
export interface RebuiltRequest {
  readonly method: string
  /** Its origin: path and query may be secret, and stand with the endpoint. */
  readonly url: string
  /** With its signature, as long as the payload is kept; without those of the connection, such as `host`. */
  readonly headers: readonly {
  readonly name: string
  readonly value: string
}[]
  /** A credential adds headers, or shows a certificate, of which nothing is told. */
  readonly authorized: boolean
  /** The endpoint, a secret of it or the subscription has been changed since the attempt, so that something else may have been sent. */
  readonly changedSince: boolean
}

/** Of the last five whole minutes, and this one. */
export interface RecentStats {
  readonly windowSeconds: number
  /** That were published. */
  readonly events: number
  readonly deliveries: DeliveryCounts
  /** Attempts, by how they ended; outcomes that there were none of are left out. */
  readonly attempts: readonly OutcomeCount[]
  /** Of attempts, those that succeeded; null: there were none. */
  readonly successRate: number | null
  /** How long one attempt took, in milliseconds, as near as the buckets of a histogram say; null: nothing was measured. */
  readonly latencyMs: {
  readonly p50: number | null
  readonly p99: number | null
}
  /** From publish to delivered, in milliseconds, as near as the buckets of a histogram say; null: nothing was measured. */
  readonly publishToDeliveredMs: {
  readonly p50: number | null
  readonly p99: number | null
}
}

export interface Replay {
  readonly deliveryId: string
  readonly state: 'pending'
}

export interface ReplayMany {
  readonly endpointId?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** Given up at or after. */
  readonly since?: string | undefined
  /** Given up before. */
  readonly until?: string | undefined
  /** The last attempt’s, such as http_503, or attempts_exhausted. */
  readonly errorClass?: string | undefined
  /** Must be true when no filter is given, which would mean all. */
  readonly all?: boolean | undefined
  /** Deliveries a second at most. */
  readonly rate?: number | undefined
  /** True: nothing is changed, and the answer says how many there are. */
  readonly dryRun?: boolean | undefined
}

export interface Resent {
  readonly deliveryId: string
  readonly state: 'pending'
}

/** The name of a profile, a policy of one’s own, or null for the server’s default. Profiles: standard (10 attempts over three days), hookrail (8 attempts within minutes, as the webhook server Hookrail does), dograh (5 attempts over 8 minutes, as the voice platform Dograh does), pyfly (5 attempts over 75 seconds, as the Python framework PyFly does). What is left out of a policy is that of `standard`. */
export type RetryPolicy = 'standard' | 'hookrail' | 'dograh' | 'pyfly' | string | {
  readonly maxAttempts?: number | null | undefined
  readonly jitter?: 'none' | 'full' | number | undefined
  /** Statuses such as "429", classes such as "5xx", "non-2xx"; with "!" before one, not that. */
  readonly retryOn?: 'non-2xx' | readonly string[] | undefined
  /** In order, the last one repeating. */
  readonly delays?: readonly (string | number)[] | undefined
} | {
  readonly maxAttempts?: number | null | undefined
  readonly jitter?: 'none' | 'full' | number | undefined
  /** Statuses such as "429", classes such as "5xx", "non-2xx"; with "!" before one, not that. */
  readonly retryOn?: 'non-2xx' | readonly string[] | undefined
  /** The first wait, longer than 0. */
  readonly base: string | number
  readonly factor?: number | undefined
  /** The longest wait; not shorter than `base`. */
  readonly cap?: string | number | undefined
} | null

export interface RevealedSecret {
  readonly id: string
  readonly secret: string
}

export interface RotateKey {
  /** How long what the key was before is taken too: "24h" (the default), at most 30 days. */
  readonly grace?: string | number | undefined
}

export interface RotateSecret {
  /** How long the old secret goes on signing: "24h" (the default), at most 7 days. */
  readonly grace?: string | number | undefined
  /** `whsec_` and base64 of 24 to 64 bytes; made when absent. An ed25519 key pair is `whsk_…`. */
  readonly secret?: string | undefined
  /** Of the secret that is made, where none is given: `hmac` (the default), which sender and receiver share, or `ed25519`, of which the receiver needs the public key alone. */
  readonly keyType?: 'hmac' | 'ed25519' | undefined
}

export interface RotatedKey {
  readonly id: string
  /** Null: of an admin token for all tenants. */
  readonly tenantId: string | null
  readonly kind: 'producer' | 'admin'
  readonly name: string
  readonly scopes: readonly string[]
  readonly abilities: readonly string[]
  /** Events a second that it may publish; null: as the server is set. */
  readonly rateLimitRps: number | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expiresAt: string | null
  /** Within a minute or so; null: never. */
  readonly lastUsedAt: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly revokedAt: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
  /** Shown here once and never again. */
  readonly key: string
  /** Until when what the key was before is taken too. */
  readonly previousExpiresAt: string
}

export interface Setting {
  /** Such as `max-in-flight`. */
  readonly name: string
  readonly description: string
  /** As it would be written in the environment, without passwords; null: nobody has said, or it is a secret, which is never shown. */
  readonly value: string | null
  /** What it means that nobody has said; null: there is a value. */
  readonly meaning: string | null
  readonly isSecret: boolean
  /** Somebody has said; false: it is the default. */
  readonly isSet: boolean
  readonly source: SettingSource
}

export type SettingSource = {
  /** `option`: of a program that opened the library; `command`: `outhook dev` by itself. */
  readonly kind: 'flag' | 'environment' | 'file' | 'option' | 'command' | 'default'
  /** As it is called there, such as `--port`; null: it has none. */
  readonly name: string | null
} | null

export interface SignIn {
  readonly role: 'viewer' | 'operator' | 'admin'
  /** Null: all tenants. */
  readonly tenantId: string | null
  /** To be sent as `X-CSRF-Token` with requests that change something; null: a token is sent. */
  readonly csrfToken: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly expiresAt: string | null
}

export interface SignInCode {
  /** To be sent once, as `Authorization: Bearer`, to `PUT /v1/sign-in`, or opened in a browser as `/dashboard/#sign-in=<code>`. */
  readonly code: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expiresAt: string
}

/** How requests are signed: standard (Standard Webhooks), hookrail (for receivers that verify as those of the webhook server Hookrail do), pyfly (as pyfly’s callbacks, over canonical JSON, which is also what is sent), github (as GitHub), stripe (as Stripe), shopify (as Shopify), slack (as Slack), none (unsigned); or an HMAC-SHA256 in a form of one’s own, keyed with the whole text of the secret. */
export type SigningScheme = 'standard' | 'hookrail' | 'pyfly' | 'github' | 'stripe' | 'shopify' | 'slack' | 'none' | {
  readonly type: 'hmac'
  /** Holds the signature; not one that the sender or another scheme sets. */
  readonly header: string
  /** Before the signature; `{id}` and `{timestamp}` are filled in. Default: nothing. */
  readonly prefix?: string | undefined
  /** Before each further signature while a secret is rotated. Null, the default: one signature, the primary secret’s. */
  readonly next?: string | null | undefined
  /** Default: hex. */
  readonly encoding?: 'hex' | 'base64' | undefined
  /** What is signed: `{body}` once, and perhaps `{id}` (the event’s) and `{timestamp}` (Unix seconds, which prefix or headers then have to tell). Default: `{body}`. */
  readonly message?: string | undefined
  /** Sent besides; `{id}` and `{timestamp}` are filled in. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export interface Skip {
  /** Why, for whoever looks at the delivery: part of its `lastError`. */
  readonly reason?: string | undefined
}

export interface Skipped {
  readonly deliveryId: string
  readonly state: 'skipped'
  /** Whose turn it became; null: nothing of the key waited. */
  readonly nextHeadDeliveryId: string | null
}

export interface Stats {
  /** When it was read: what many ask for is shared for a moment. */
  readonly readAt: string
  /** Null: of all tenants. */
  readonly tenantId: string | null
  readonly rates: {
  /** Of which these are: the last whole minute, and this one. */
  readonly windowSeconds: number
  /** That were published. */
  readonly eventsPerSecond: number
  /** That were delivered. */
  readonly deliveriesPerSecond: number
  readonly attemptsPerSecond: number
}
  readonly recent: RecentStats
  readonly backlog: {
  readonly deliveries: DeliveryStates
  /** For how long the oldest delivery has been due that is not in flight; null: none is. */
  readonly oldestDueSeconds: number | null
  /** Deliveries that are tried again, by when: due now, and within 60, 600, 3600, 21600, 86400 seconds, and later. */
  readonly retries: readonly {
  /** And not within the one before; null: later. */
  readonly withinSeconds: number | null
  readonly count: number
}[]
  /** There are so many that these are what a part of them says of all. */
  readonly retriesEstimated: boolean
}
  readonly deadLetters: {
  /** That there are. */
  readonly total: number
  /** Those given up in the last 24 hours, by how their last attempt ended; outcomes that there were none of are left out. */
  readonly lastDay: readonly OutcomeCount[]
}
  /** Processes that work on the store, the oldest first; none where it is of one tenant. */
  readonly nodes: readonly Node[]
  /** Null: of one tenant. */
  readonly store: {
  readonly kind: 'sqlite' | 'postgres' | 'memory'
  /** On the disk, indexes and logs included, about. */
  readonly sizeBytes: number
} | null
}

export interface StatsBucket {
  /** Its beginning. */
  readonly at: string
  /** That were published. */
  readonly events: number
  readonly deliveries: DeliveryCounts
  /** Attempts, by how they ended; outcomes that there were none of are left out. */
  readonly attempts: readonly OutcomeCount[]
  /** Of attempts, those that succeeded; null: there were none. */
  readonly successRate: number | null
  /** How long one attempt took, in milliseconds, as near as the buckets of a histogram say; null: nothing was measured. */
  readonly latencyMs: {
  readonly p50: number | null
  readonly p99: number | null
}
  /** From publish to delivered, in milliseconds, as near as the buckets of a histogram say; null: nothing was measured. */
  readonly publishToDeliveredMs: {
  readonly p50: number | null
  readonly p99: number | null
}
}

export interface StatsSeries {
  /** When it was read: what many ask for is shared for a moment. */
  readonly readAt: string
  readonly span: '1h' | '24h' | '7d' | '30d'
  /** One minute for an hour, and more for more. */
  readonly bucketSeconds: number
  /** The oldest first, those in which nothing happened too; the last one is not over. */
  readonly buckets: readonly StatsBucket[]
}

/** The last one, where the server ends it. */
export interface StreamEnded {
  readonly kind: 'ended'
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  /** `unauthorized`: the token or the sign-in is good no more. */
  readonly reason: 'shutting_down' | 'unauthorized'
}

/** The data of one server-sent event, whose name is `kind`. */
export type StreamItem = StreamedEvent | StreamedAttempt | StreamedDelivery | StreamedEndpoint | StreamedJob | StreamMissed | StreamStarted | StreamEnded

/** Something happened that you were not told. */
export interface StreamMissed {
  readonly kind: 'missed'
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  /** `reconnected`: you were away; `too_many`: more than 2000 in a second; `other_process`: another process of the server was not heard, or told less than happened. */
  readonly reason: 'reconnected' | 'too_many' | 'other_process'
  /** Of `other_process`, whatever your filter; null: nobody knows. */
  readonly count: number | null
}

/** The first of each connection: from here on you are told. */
export interface StreamStarted {
  readonly kind: 'started'
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  /** Of which you are told; null: of all. */
  readonly tenantId: string | null
}

/** An attempt has ended. */
export interface StreamedAttempt {
  readonly kind: 'attempt'
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  readonly tenantId: string
  readonly eventId: string
  readonly deliveryId: string
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  readonly topic: string | null
  /** Scheme, host and port of the receiver. */
  readonly url: string
  readonly attemptNo: number
  readonly status: 'success' | 'retryable_failure' | 'permanent_failure'
  readonly httpStatus: number | null
  readonly errorClass: string | null
  readonly error: string | null
  readonly latencyMs: number
}

/** A delivery has another state, or waits for another attempt. */
export interface StreamedDelivery {
  readonly kind: 'delivery'
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  readonly tenantId: string
  readonly eventId: string
  readonly deliveryId: string
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  readonly topic: string | null
  readonly state: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped'
  readonly attemptCount: number
  readonly errorClass: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly nextAttemptAt: string | null
}

/** An endpoint was changed, or its state is another one. */
export interface StreamedEndpoint {
  readonly kind: 'endpoint'
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  readonly tenantId: string
  readonly endpointId: string
  readonly change: 'created' | 'changed' | 'deleted' | 'disabled' | 'enabled' | 'paused' | 'recovered'
  /** Why it was disabled or paused; `failing` and `throttled`: by what it answered. */
  readonly reason: string | null
}

/** An event was accepted; its payload is asked for by its id. */
export interface StreamedEvent {
  readonly kind: 'event'
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  readonly tenantId: string
  readonly eventId: string
  /** Null: a direct send. */
  readonly topic: string | null
  readonly orderingKey: string | null
  readonly payloadBytes: number | null
  /** Those that it has, or will have. */
  readonly deliveries: number
  readonly state: 'accepted' | 'fanned_out'
}

/** A job was made, has got on or has ended. */
export interface StreamedJob {
  readonly kind: 'job'
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  readonly tenantId: string
  readonly jobId: string
  readonly jobKind: 'replay' | 'cancel' | 'skip_backlog' | 'backfill'
  readonly state: 'queued' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed'
  readonly total: number | null
  readonly done: number
  readonly skipped: number
  readonly failed: number
}

export interface Subscription {
  readonly id: string
  readonly endpointId: string
  readonly topicPatterns: readonly string[]
  readonly filter: Filter
  readonly headers: Readonly<Record<string, string>>
  readonly retryPolicy: RetryPolicy
  readonly effectiveRetryPolicy: EffectiveRetryPolicy
  readonly active: boolean
  /** Events with the same ordering key are delivered one after the other, in the order in which they were published; one that is given up keeps those behind it waiting until it is replayed or skipped. */
  readonly ordered: boolean
  /** Made with its endpoint through `topics`. */
  readonly own: boolean
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updatedAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly deletedAt: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
}

export interface SubscriptionChange {
  readonly topicPatterns?: readonly string[] | undefined
  /** Instead of `topicPatterns`, one. */
  readonly topicPattern?: string | undefined
  readonly filter?: Filter | undefined
  /** Sent with each request that its deliveries make, at most 8 KiB in all; they win over those of the endpoint. Not those that the sender makes, and no secrets: those belong in a credential. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly retryPolicy?: RetryPolicy | undefined
  readonly maxAttempts?: HookrailMaxAttempts | undefined
  readonly backoffPolicy?: HookrailBackoff | undefined
  readonly active?: boolean | undefined
  /** Cannot be changed: only what it is already is taken. */
  readonly ordered?: boolean | undefined
}

export interface SubscriptionCreate {
  readonly endpointId: string
  readonly topicPatterns?: readonly string[] | undefined
  /** Instead of `topicPatterns`, one. */
  readonly topicPattern?: string | undefined
  readonly filter?: Filter | undefined
  /** Sent with each request that its deliveries make, at most 8 KiB in all; they win over those of the endpoint. Not those that the sender makes, and no secrets: those belong in a credential. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly retryPolicy?: RetryPolicy | undefined
  readonly maxAttempts?: HookrailMaxAttempts | undefined
  readonly backoffPolicy?: HookrailBackoff | undefined
  /** Events with the same ordering key are delivered one after the other, in the order in which they were published; one that is given up keeps those behind it waiting until it is replayed or skipped. */
  readonly ordered?: boolean | undefined
  /** False: events do not go to it until it is true. */
  readonly active?: boolean | undefined
}

export interface SubscriptionPage {
  readonly items: readonly Subscription[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

export interface SubscriptionPreview {
  readonly filter: Filter
  readonly topicPatterns?: readonly string[] | undefined
  /** Looked at in place of recent events. */
  readonly payload?: unknown | undefined
  /** Of `payload`. */
  readonly topic?: string | undefined
  /** Events at most, the newest that have a topic of `topicPatterns`. */
  readonly limit?: number | undefined
}

export interface SubscriptionPreviewed {
  /** Events that the subscription would get. */
  readonly passed: number
  /** Events, also those of other topics. */
  readonly lookedAt: number
  /** Newest first. */
  readonly items: readonly {
  /** Null: of the `payload` that was given. */
  readonly eventId: string | null
  readonly topic: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string | null
  readonly passes: boolean
  /** Why it does not pass. `filter`: a condition does not hold, which `failed` names; `topic`: its topic is none of `topicPatterns`; `not_json`: the payload is not JSON; `too_costly`: the filter would take too long for this payload; `payload_gone`: the payload is not kept any more. */
  readonly reason: 'topic' | 'filter' | 'not_json' | 'too_costly' | 'payload_gone' | null
  readonly failed: FailedCondition | null
}[]
}

export interface System {
  readonly outhookVersion: string
  readonly nodeVersion: string
  /** What this process does: `all`, `api` or `dispatcher`. */
  readonly role: string
  /** RFC 3339, UTC, milliseconds. */
  readonly startedAt: string
  readonly store: SystemStore
  /** Of the process that answers. */
  readonly settings: readonly Setting[]
  /** RFC 3339, UTC, milliseconds. */
  readonly examinedAt: string
  /** What `outhook doctor` finds within moments; it is examined once in five seconds. */
  readonly findings: readonly Finding[]
  /** Checks that were left out, because they read whole tables; `outhook doctor` does them. */
  readonly lengthyChecks: readonly string[]
}

export interface SystemStore {
  readonly kind: 'memory' | 'sqlite' | 'postgres'
  /** The file or the address of the database, without a password. */
  readonly location: string
  /** Of the schema that this program works with; the finding `schema` says which one the store has. */
  readonly schemaVersion: number
}

export interface Tenant {
  readonly id: string
  readonly uid: string | null
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly settings: TenantSettings
  /** Deleting: it takes nothing more, and what belongs to it is being removed. */
  readonly state: 'active' | 'deleting'
  /** Of a tenant that is being deleted: how many were removed so far. */
  readonly removed: {
  readonly endpoints: number
  readonly events: number
  readonly deliveries: number
} | null
  readonly removal: TenantRemoval
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updatedAt: string
  /** RFC 3339, UTC, milliseconds. */
  readonly deletedAt: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
}

export interface TenantChange {
  /** Your own name for it, unique; with one that exists, POST brings that tenant to what is given. */
  readonly uid?: string | null | undefined
  /** For people. */
  readonly name?: string | undefined
  /** Up to 16 short strings of at most 256 bytes, of your own. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  readonly settings?: TenantSettingsChange | undefined
}

export interface TenantCreate {
  /** Your own name for it, unique; with one that exists, POST brings that tenant to what is given. */
  readonly uid?: string | null | undefined
  /** For people. */
  readonly name?: string | undefined
  /** Up to 16 short strings of at most 256 bytes, of your own. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  readonly settings?: TenantSettingsChange | undefined
}

export interface TenantPage {
  readonly items: readonly Tenant[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

/** How far the removal of a deleted tenant has got. */
export type TenantRemoval = {
  /** Cancelling: endpoints are deleted, and what waits for them is cancelled; draining: what was under way is waited for; counting: what there is; removing: it goes. Deleted tenants go one after the other. */
  readonly phase: 'cancelling' | 'draining' | 'counting' | 'removing'
  /** RFC 3339, UTC, milliseconds. */
  readonly startedAt: string
  /** How many are still to be removed; null: they are not counted yet. */
  readonly left: {
  readonly endpoints: number
  readonly events: number
  readonly deliveries: number
} | null
} | null

export interface TenantSettings {
  /** A duration; "0ms": for ever; null: as the server has it. */
  readonly retainPayloads: string | null
  /** A duration; "0ms": for ever; null: as the server has it. */
  readonly retainAttempts: string | null
  /** A duration; "0ms": for ever; null: as the server has it. */
  readonly retainEvents: string | null
  /** A duration; "0ms": for ever; null: as the server has it. */
  readonly retainDeadLetters: string | null
  readonly retryPolicy: RetryPolicy
  /** Transport failures in a row that pause an endpoint; null: as the server has it. */
  readonly breakerThreshold: number | null
  /** A duration: the first pause; null: as the server has it. */
  readonly breakerPause: string | null
  /** A duration: the longest pause; null: as the server has it. */
  readonly breakerMaxPause: string | null
  /** A duration: of failures alone, after which an endpoint is disabled; null: as the server has it. */
  readonly disableAfter: string | null
  readonly ingestRate: number | null
  readonly maxEndpoints: number | null
  readonly weight: number
  /** Hosts that its requests may go to, with all below them; empty: any. */
  readonly authorizedDomains: readonly string[]
}

/** Members that are absent stay; null is the server’s setting. */
export interface TenantSettingsChange {
  /** How long payloads are kept; "0" is for ever, null the server’s setting. */
  readonly retainPayloads?: string | number | null | undefined
  /** How long attempts are kept; "0" is for ever, null the server’s setting. */
  readonly retainAttempts?: string | number | null | undefined
  /** How long finished deliveries and events are kept; "0" is for ever, null the server’s setting. */
  readonly retainEvents?: string | number | null | undefined
  /** How long a dead letter can be replayed; "0" is for ever, null the server’s setting. */
  readonly retainDeadLetters?: string | number | null | undefined
  readonly retryPolicy?: RetryPolicy | undefined
  /** Transport failures in a row that pause an endpoint; 0 switches the circuit breaker off, null is the server’s setting. */
  readonly breakerThreshold?: number | null | undefined
  /** The first pause, which each failed probe doubles; not longer than `breakerMaxPause`; null is the server’s setting. */
  readonly breakerPause?: string | number | null | undefined
  /** The longest pause; null is the server’s setting. */
  readonly breakerMaxPause?: string | number | null | undefined
  /** An endpoint that has only failed for so long is disabled; "0" is never, null is the server’s setting. */
  readonly disableAfter?: string | number | null | undefined
  /** Events per second that it may publish, on average; null: no limit. */
  readonly ingestRate?: number | null | undefined
  /** Endpoints that it may have at one time; null: no limit. */
  readonly maxEndpoints?: number | null | undefined
  /** Its part of what is delivered while several tenants wait: one with 3 gets thrice what one with 1 gets; null: 1. */
  readonly weight?: number | null | undefined
  /** Hosts that its endpoints and direct sends may have; each stands for all below it too; null or empty: any. */
  readonly authorizedDomains?: readonly string[] | null | undefined
}

export interface Trouble {
  /** When it was read: what many ask for is shared for a moment. */
  readonly readAt: string
  /** The worst first. */
  readonly items: readonly TroubledEndpoint[]
}

export interface TroubledEndpoint {
  readonly endpointId: string
  readonly tenantId: string
  readonly uid: string | null
  readonly url: string
  readonly description: string
  readonly kind: 'disabled' | 'paused' | 'failing' | 'throttled' | 'limited' | 'late' | 'slow'
  /** For people. */
  readonly reason: string
  /** RFC 3339, UTC, milliseconds. */
  readonly since: string | null
  /** When it is sent to again by itself. */
  readonly until: string | null
  readonly consecutiveFailures: number
  /** In the last minutes. */
  readonly recentAttempts: number
  /** Of attempts, those that succeeded; null: there were none. */
  readonly recentSuccessRate: number | null
  /** How long one attempt took, in milliseconds, as near as the buckets of a histogram say; null: nothing was measured. */
  readonly recentLatencyMs: {
  readonly p50: number | null
  readonly p99: number | null
}
}

export interface Whoami {
  readonly role: 'producer' | 'portal' | 'viewer' | 'operator' | 'admin'
  /** Null for an admin token of all tenants. */
  readonly tenantId: string | null
  /** Null for the token of the configuration. */
  readonly keyId: string | null
}

export interface ListEventsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** A topic, `prefix.*` for all below the prefix, or `*` for all: direct sends have none. */
  readonly topicPattern?: string | undefined
  /** Exact. */
  readonly orderingKey?: string | undefined
  /** With exactly this value, as `name=value`. */
  readonly metadata?: string | undefined
  /** Of the first 100 deliveries of the event, one at least is in this state. */
  readonly deliveryState?: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped' | undefined
  /** At or after. */
  readonly since?: string | undefined
  /** Before. */
  readonly until?: string | undefined
}

export interface ListDeliveriesQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  readonly state?: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped' | undefined
  readonly endpointId?: string | undefined
  readonly subscriptionId?: string | undefined
  readonly eventId?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** Why its last attempt failed: http_503 and the like, timeout, connection, dns, tls, redirect_rejected, policy, internal or attempts_exhausted. */
  readonly errorClass?: string | undefined
  /** At or after. */
  readonly since?: string | undefined
  /** Before. */
  readonly until?: string | undefined
}

export interface GetEventQuery {
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
}

export interface ExpungeEventPayloadQuery {
  /** Cancel deliveries that have not come to an end, which is refused otherwise. */
  readonly cancel?: boolean | undefined
}

export interface ListEndpointsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  /** The one live endpoint with this name of your own, or none. */
  readonly uid?: string | undefined
  readonly includeDeleted?: boolean | undefined
}

export interface GetEndpointQuery {
  readonly includeDeleted?: boolean | undefined
}

export interface ListSubscriptionsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  readonly endpointId?: string | undefined
  readonly includeDeleted?: boolean | undefined
}

export interface GetSubscriptionQuery {
  readonly includeDeleted?: boolean | undefined
}

export interface ListEventTypesQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  /** Exact. */
  readonly group?: string | undefined
  readonly deprecated?: boolean | undefined
  /** Of a tenant: only its own types, without those of the server. */
  readonly own?: boolean | undefined
}

export interface ListTenantsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  /** The one with this name of your own, or none. */
  readonly uid?: string | undefined
}

export interface ListPortalLinksQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
}

export interface ListOrderedKeysQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  /** True: only those whose head was given up; false: only the others. */
  readonly blocked?: boolean | undefined
  readonly subscriptionId?: string | undefined
  /** Exact. */
  readonly orderingKey?: string | undefined
}

export interface ListDeadLettersQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  readonly endpointId?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** Why it was given up: http_503 and the like, timeout, connection, dns, tls, redirect_rejected, policy, internal or attempts_exhausted. */
  readonly errorClass?: string | undefined
  /** At or after. */
  readonly since?: string | undefined
  /** Before. */
  readonly until?: string | undefined
}

export interface CountDeadLetterReasonsQuery {
  readonly endpointId?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** Why it was given up: http_503 and the like, timeout, connection, dns, tls, redirect_rejected, policy, internal or attempts_exhausted. */
  readonly errorClass?: string | undefined
  /** At or after. */
  readonly since?: string | undefined
  /** Before. */
  readonly until?: string | undefined
}

export interface ListJobsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  readonly state?: 'queued' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed' | undefined
  readonly kind?: 'replay' | 'cancel' | 'skip_backlog' | 'backfill' | undefined
}

export interface ListCredentialsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  /** The one with this name. */
  readonly name?: string | undefined
}

export interface ListKeysQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  /** Default `producer`. */
  readonly kind?: 'producer' | 'admin' | undefined
}

export interface ListAdminTokensQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
}

export interface ListAuditQuery {
  /** `sign_in`: a browser, by the token that it was signed in with; `library`, `command_line`: a program or a command that has opened the store itself; `system`: the server by itself. */
  readonly actorKind?: 'admin_token' | 'sign_in' | 'portal_link' | 'producer_key' | 'library' | 'command_line' | 'system' | undefined
  /** Exact. */
  readonly actorId?: string | undefined
  /** One, or `endpoint.*` for all that begin so. */
  readonly action?: string | undefined
  readonly objectKind?: 'tenant' | 'endpoint' | 'subscription' | 'credential' | 'key' | 'admin_token' | 'portal_link' | 'event_type' | 'event_catalogue' | 'job' | 'delivery' | 'event' | 'master_key' | undefined
  /** Exact. */
  readonly objectId?: string | undefined
  /** At or after. */
  readonly since?: string | undefined
  /** Before. */
  readonly until?: string | undefined
  /** Items at most. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined
}

export interface ReadStatSeriesQuery {
  /** How far back. */
  readonly span?: '1h' | '24h' | '7d' | '30d' | undefined
  readonly endpointId?: string | undefined
}

export interface ReadStatEndpointsQuery {
  /** 1 to 200 ids with commas between them. */
  readonly endpointIds: string
}

export interface ListStatTroubleQuery {
  /** Endpoints at most. */
  readonly limit?: number | undefined
}

export interface ReadStreamQuery {
  /** Which are told, with commas between them: event, attempt, delivery, endpoint, job; default all. */
  readonly kinds?: string | undefined
  /** What is of these topics only: a topic, `prefix.*` for all below the prefix, or `*` for all. */
  readonly topicPattern?: string | undefined
  /** What is of this endpoint only, which events and jobs are not. */
  readonly endpointId?: string | undefined
}
