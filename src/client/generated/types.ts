// Written from the OpenAPI document by "npm run docs:reference"; do not edit.

export interface AdminToken {
  readonly id: string
  readonly role: 'viewer' | 'operator' | 'admin'
  readonly label: string
  /** Null: all tenants. */
  readonly tenant_id: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expires_at: string | null
  /** Within a minute or so; null: never. */
  readonly last_used_at: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly revoked_at: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
}

export interface AdminTokenCreate {
  /** `viewer` reads, `operator` also publishes and repairs, `admin` also changes what is set up. */
  readonly role: string
  /** Whose key it is. */
  readonly label: string
  /** The only tenant that it is for; null: all. Default: as the token that makes it. */
  readonly tenant_id?: string | null | undefined
  /** From then on it is refused, RFC 3339; null: never. Not beside `expires_in`. */
  readonly expires_at?: string | null | undefined
  /** How long it is taken: "90d", "12h". */
  readonly expires_in?: string | number | undefined
}

export interface AdminTokenPage {
  readonly items: readonly AdminToken[]
  /** Empty at the end. */
  readonly next_cursor: string
}

export interface Attempt {
  readonly attempt_no: number
  /** Grows over replays too. */
  readonly claim_version: number
  readonly status: 'success' | 'retryable_failure' | 'permanent_failure'
  readonly http_status: number | null
  readonly error_class: string | null
  readonly error: string | null
  readonly latency_ms: number
  /** RFC 3339, UTC, milliseconds. */
  readonly started_at: string
}

export interface AttemptWithResponse {
  readonly attempt_no: number
  /** Grows over replays too. */
  readonly claim_version: number
  readonly status: 'success' | 'retryable_failure' | 'permanent_failure'
  readonly http_status: number | null
  readonly error_class: string | null
  readonly error: string | null
  readonly latency_ms: number
  /** RFC 3339, UTC, milliseconds. */
  readonly started_at: string
  readonly response?: CapturedResponse | undefined
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
  readonly dry_run?: boolean | undefined
}

export interface BatchEvent {
  /** At most 255 bytes of UTF-8, without spaces, control characters and `*`. */
  readonly topic: string
  /** Any JSON value, at most 256 KiB; its exact bytes are what is delivered. */
  readonly payload: unknown
  /** Up to 16 short strings of at most 256 bytes, sent as `outhook-meta-<name>` headers. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  /** At most 255 bytes; the same key and content give the same answer for 24 hours, and nothing is made a second time. */
  readonly idempotency_key?: string | null | undefined
  /** At most 256 bytes; also read from the payload’s member `ordering_key`. */
  readonly ordering_key?: string | null | undefined
  /** No delivery is made before this time, at most 366 days ahead; a time in the past is now. Not with `delay`. */
  readonly deliver_at?: string | null | undefined
  /** The same as a duration from now: "500ms", "5s", "30m", "2h", "1d" or a whole number of milliseconds. */
  readonly delay?: string | number | null | undefined
}

export interface BatchItemResult {
  /** 202, or that of the problem. */
  readonly status: number
  readonly event_id?: string | undefined
  /** One for each subscription that matches; empty where none does, and where `state` says `accepted`. */
  readonly delivery_ids?: readonly string[] | undefined
  /** Only of an event for more than 1000 deliveries, or of a transaction: they are made after this answer, and `GET /v1/events/{id}` has them. */
  readonly state?: 'accepted' | undefined
  readonly replayed?: boolean | undefined
  /** A page of this server about the code. */
  readonly type?: string | undefined
  /** For people. */
  readonly title?: string | undefined
  /** What happened, and what to do; for people. */
  readonly detail?: string | undefined
  /** What to decide by. */
  readonly code?: 'invalid_request' | 'invalid_body' | 'invalid_payload' | 'bad_cursor' | 'ordering_key_conflict' | 'ordering_key_too_long' | 'unauthorized' | 'missing_credentials' | 'forbidden' | 'not_found' | 'method_not_allowed' | 'request_timeout' | 'conflict' | 'idempotency_conflict' | 'endpoint_not_available' | 'not_replayable' | 'attempt_under_way' | 'not_cancellable' | 'not_skippable' | 'expired' | 'version_conflict' | 'payload_too_large' | 'uri_too_long' | 'unsupported_media_type' | 'expectation_failed' | 'url_rejected' | 'unprocessable' | 'headers_too_large' | 'rate_limited' | 'backlog_full' | 'internal' | 'store_refused' | 'store_unavailable' | 'overloaded' | 'shutting_down' | 'timeout' | 'invalid_config' | 'store_locked' | 'store_missing' | 'store_incompatible' | 'wrong_master_key' | 'closed' | undefined
}

export interface BatchResult {
  /** In the order of the request. */
  readonly items: readonly BatchItemResult[]
}

export interface CancelMany {
  readonly endpoint_id?: string | undefined
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
  readonly dry_run?: boolean | undefined
}

export interface Cancelled {
  readonly delivery_id: string
  readonly state: 'cancelled'
}

export interface CapturedResponse {
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
  readonly tenant_id: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expires_at: string | null
  /** Within a minute or so; null: never. */
  readonly last_used_at: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly revoked_at: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
  /** Shown here once and never again. */
  readonly token: string
}

export interface CreatedEndpoint {
  readonly id: string
  readonly uid: string | null
  readonly url: string
  readonly description: string
  readonly headers: Readonly<Record<string, string>>
  /** Standard (Standard Webhooks), hookrail (for receivers that verify as those of the webhook server Hookrail do), none (unsigned). */
  readonly signing_schemes: readonly string[]
  readonly max_in_flight: number
  /** Null: no limit. */
  readonly rate_limit_rps: number | null
  /** Of its own subscription; null when it has none. */
  readonly topics: readonly string[] | null
  readonly retry_policy: RetryPolicy
  readonly enabled: boolean
  /** Paused: nothing is sent, after failures until `resumes_at`, or by hand until it is resumed; throttled: the receiver asked for less until then; disabled: until it is enabled. */
  readonly state: 'active' | 'paused' | 'throttled' | 'disabled'
  /** When a paused or throttled endpoint is sent to again. */
  readonly resumes_at: string | null
  /** Active subscriptions, the endpoint’s own included; with 0 it gets no events. */
  readonly subscription_count: number
  /** Operator, gone (it answered 410) or failing. */
  readonly disabled_reason: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly disabled_at: string | null
  /** Since when it is paused by hand. */
  readonly paused_at: string | null
  /** Why, in the words of whoever paused it. */
  readonly paused_reason: string | null
  /** The key of whoever paused it; null: the configured token, or a program. */
  readonly paused_by: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updated_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly deleted_at: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
  /** Shown here once and never again. */
  readonly secret: string
}

export interface CreatedKey {
  readonly id: string
  /** Null: of an admin token for all tenants. */
  readonly tenant_id: string | null
  readonly kind: 'producer' | 'admin'
  readonly name: string
  readonly scopes: readonly string[]
  readonly abilities: readonly string[]
  /** Events a second that it may publish; null: as the server is set. */
  readonly rate_limit_rps: number | null
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expires_at: string | null
  /** Within a minute or so; null: never. */
  readonly last_used_at: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly revoked_at: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
  /** Shown here once and never again. */
  readonly key: string
}

export interface DeadLetter {
  readonly id: string
  readonly delivery_id: string
  readonly event_id: string
  readonly endpoint_id: string | null
  readonly subscription_id: string | null
  readonly topic: string | null
  /** The last attempt’s error class, or attempts_exhausted. */
  readonly final_error: string
  readonly last_error: string | null
  readonly last_http_status: number | null
  readonly attempt_count: number
  /** RFC 3339, UTC, milliseconds. */
  readonly dead_at: string
}

export interface DeadLetterPage {
  readonly items: readonly DeadLetter[]
  /** Empty at the end. */
  readonly next_cursor: string
}

export interface Delivery {
  readonly id: string
  readonly delivery_id: string
  readonly event_id: string
  readonly endpoint_id: string | null
  readonly subscription_id: string | null
  readonly topic: string | null
  readonly state: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped'
  /** Why it waits: endpoint_paused, endpoint_disabled, rate_limited, scheduled or behind_head (another delivery of its ordering key goes first). */
  readonly reason: string | null
  /** Of one that waits as behind_head: the delivery whose turn it is. */
  readonly head_delivery_id: string | null
  /** Since creation or the last replay. */
  readonly attempt_count: number
  /** RFC 3339, UTC, milliseconds. */
  readonly next_attempt_at: string | null
  readonly last_http_status: number | null
  readonly error_class: string | null
  /** At most 2000 characters. */
  readonly last_error: string | null
  readonly ordering_key: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updated_at: string
}

export interface DeliveryDetail {
  readonly id: string
  readonly delivery_id: string
  readonly event_id: string
  readonly endpoint_id: string | null
  readonly subscription_id: string | null
  readonly topic: string | null
  readonly state: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped'
  /** Why it waits: endpoint_paused, endpoint_disabled, rate_limited, scheduled or behind_head (another delivery of its ordering key goes first). */
  readonly reason: string | null
  /** Of one that waits as behind_head: the delivery whose turn it is. */
  readonly head_delivery_id: string | null
  /** Since creation or the last replay. */
  readonly attempt_count: number
  /** RFC 3339, UTC, milliseconds. */
  readonly next_attempt_at: string | null
  readonly last_http_status: number | null
  readonly error_class: string | null
  /** At most 2000 characters. */
  readonly last_error: string | null
  readonly ordering_key: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updated_at: string
  /** Older attempts are past their retention. */
  readonly attempts_truncated: boolean
  readonly attempts: readonly AttemptWithResponse[]
}

export interface DeliveryOfEvent {
  readonly id: string
  readonly delivery_id: string
  readonly event_id: string
  readonly endpoint_id: string | null
  readonly subscription_id: string | null
  readonly topic: string | null
  readonly state: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped'
  /** Why it waits: endpoint_paused, endpoint_disabled, rate_limited, scheduled or behind_head (another delivery of its ordering key goes first). */
  readonly reason: string | null
  /** Of one that waits as behind_head: the delivery whose turn it is. */
  readonly head_delivery_id: string | null
  /** Since creation or the last replay. */
  readonly attempt_count: number
  /** RFC 3339, UTC, milliseconds. */
  readonly next_attempt_at: string | null
  readonly last_http_status: number | null
  readonly error_class: string | null
  /** At most 2000 characters. */
  readonly last_error: string | null
  readonly ordering_key: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updated_at: string
  /** Older attempts are past their retention. */
  readonly attempts_truncated: boolean
  readonly attempts: readonly Attempt[]
}

export interface DeliveryPage {
  readonly items: readonly Delivery[]
  /** Empty at the end. */
  readonly next_cursor: string
}

export interface DirectSend {
  /** Where to; this or `endpoint_id`. The rules are those of an endpoint’s URL. */
  readonly url?: string | null | undefined
  /** Or to an endpoint, signed with its secrets: to its URL and with its headers as they are now. */
  readonly endpoint_id?: string | null | undefined
  /** Default: POST. GET and DELETE have no body; a payload is kept and not sent. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE' | undefined
  /** Beside those of the endpoint; these win. Names that the sender sets itself are refused, and names of secrets. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Of the body; default: application/json, or what the endpoint’s headers say. */
  readonly content_type?: string | null | undefined
  /** There are no credentials yet; anything but null is refused. */
  readonly credential_id?: null | undefined
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
  readonly idempotency_key?: string | null | undefined
  /** No delivery is made before this time, at most 366 days ahead; a time in the past is now. Not with `delay`. */
  readonly deliver_at?: string | null | undefined
  /** The same as a duration from now: "500ms", "5s", "30m", "2h", "1d" or a whole number of milliseconds. */
  readonly delay?: string | number | null | undefined
}

export interface DirectSendReceipt {
  readonly id: string
  readonly delivery_id: string
  /** Of the event without a topic that keeps its payload and its request. */
  readonly event_id: string
}

export interface DryRun {
  readonly dry_run: true
  /** Deliveries that the job would do something about. */
  readonly matching: number
  /** Deliveries that it would have to skip. */
  readonly skipped: number
  /** False: there are more, which were not counted. */
  readonly complete: boolean
}

export interface Enable {
  /** What becomes of deliveries that wait for it: deliver (the default) sends them; skip cancels them first, as a job. */
  readonly backlog?: 'deliver' | 'skip' | undefined
}

export interface Endpoint {
  readonly id: string
  readonly uid: string | null
  readonly url: string
  readonly description: string
  readonly headers: Readonly<Record<string, string>>
  /** Standard (Standard Webhooks), hookrail (for receivers that verify as those of the webhook server Hookrail do), none (unsigned). */
  readonly signing_schemes: readonly string[]
  readonly max_in_flight: number
  /** Null: no limit. */
  readonly rate_limit_rps: number | null
  /** Of its own subscription; null when it has none. */
  readonly topics: readonly string[] | null
  readonly retry_policy: RetryPolicy
  readonly enabled: boolean
  /** Paused: nothing is sent, after failures until `resumes_at`, or by hand until it is resumed; throttled: the receiver asked for less until then; disabled: until it is enabled. */
  readonly state: 'active' | 'paused' | 'throttled' | 'disabled'
  /** When a paused or throttled endpoint is sent to again. */
  readonly resumes_at: string | null
  /** Active subscriptions, the endpoint’s own included; with 0 it gets no events. */
  readonly subscription_count: number
  /** Operator, gone (it answered 410) or failing. */
  readonly disabled_reason: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly disabled_at: string | null
  /** Since when it is paused by hand. */
  readonly paused_at: string | null
  /** Why, in the words of whoever paused it. */
  readonly paused_reason: string | null
  /** The key of whoever paused it; null: the configured token, or a program. */
  readonly paused_by: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updated_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly deleted_at: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
}

export interface EndpointChange {
  /** Https, of a public host, unless the server allows more. */
  readonly url?: string | undefined
  /** A name of your own, unique; creating it again updates it. */
  readonly uid?: string | null | undefined
  readonly description?: string | undefined
  /** Sent with each request, at most 8 KiB in all; not those that the sender makes, and no secrets, because they are shown here. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How requests to it are signed: standard (Standard Webhooks), hookrail (for receivers that verify as those of the webhook server Hookrail do), none (unsigned). */
  readonly signing_schemes?: readonly ('standard' | 'hookrail' | 'none')[] | undefined
  /** Requests at one time, from all processes together. */
  readonly max_in_flight?: number | undefined
  readonly rate_limit_rps?: RateLimit | undefined
  /** Patterns of the endpoint’s own subscription. */
  readonly topics?: readonly string[] | undefined
  readonly retry_policy?: RetryPolicy | undefined
  /** False parks its deliveries until it is true again. */
  readonly enabled?: boolean | undefined
}

export interface EndpointCreate {
  /** Https, of a public host, unless the server allows more. */
  readonly url: string
  /** A name of your own, unique; creating it again updates it. */
  readonly uid?: string | null | undefined
  readonly description?: string | undefined
  /** Sent with each request, at most 8 KiB in all; not those that the sender makes, and no secrets, because they are shown here. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How requests to it are signed: standard (Standard Webhooks), hookrail (for receivers that verify as those of the webhook server Hookrail do), none (unsigned). */
  readonly signing_schemes?: readonly ('standard' | 'hookrail' | 'none')[] | undefined
  /** Requests at one time, from all processes together. */
  readonly max_in_flight?: number | undefined
  readonly rate_limit_rps?: RateLimit | undefined
  /** Patterns of the endpoint’s own subscription. */
  readonly topics?: readonly string[] | undefined
  readonly retry_policy?: RetryPolicy | undefined
  /** `whsec_` and base64 of 24 to 64 bytes; made when absent. An ed25519 key pair is `whsk_…`. */
  readonly secret?: string | undefined
}

export interface EndpointPage {
  readonly items: readonly Endpoint[]
  /** Empty at the end. */
  readonly next_cursor: string
}

export interface EndpointTest {
  /** Default: outhook.test. */
  readonly topic?: string | undefined
  /** Any JSON; default: {"test":true}. */
  readonly payload?: unknown | undefined
}

export interface EndpointTestResult {
  readonly event_id: string
  /** The receiver answered 2xx. */
  readonly succeeded: boolean
  readonly http_status: number | null
  readonly error_class: string | null
  readonly error: string | null
  readonly latency_ms: number
  readonly response?: CapturedResponse | undefined
}

export interface Event {
  readonly id: string
  readonly event_id: string
  /** Null: a direct send. */
  readonly topic: string | null
  readonly state: 'accepted' | 'fanned_out'
  readonly payload_bytes: number
  readonly metadata: Readonly<Record<string, string>>
  readonly ordering_key: string | null
  readonly producer_key_id: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly deliver_at: string | null
  /** The trace that its publisher was in, as W3C’s headers name it. */
  readonly trace_context: {
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
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** When its payload was expunged on demand; null, too, where it is only past its retention. */
  readonly expunged_at: string | null
}

export interface EventPage {
  readonly items: readonly Event[]
  /** Empty at the end. */
  readonly next_cursor: string
}

export interface EventStatus {
  readonly id: string
  readonly event_id: string
  /** Null: a direct send. */
  readonly topic: string | null
  readonly state: 'accepted' | 'fanned_out'
  readonly payload_bytes: number
  readonly metadata: Readonly<Record<string, string>>
  readonly ordering_key: string | null
  readonly producer_key_id: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly deliver_at: string | null
  /** The trace that its publisher was in, as W3C’s headers name it. */
  readonly trace_context: {
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
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** When its payload was expunged on demand; null, too, where it is only past its retention. */
  readonly expunged_at: string | null
  /** Oldest first, 1000 at most; while `state` is `accepted`, those made so far. */
  readonly deliveries: readonly DeliveryOfEvent[]
  /** As the parameter `cursor`, gives the deliveries that follow; empty at the end. */
  readonly next_cursor: string
}

export interface Expunged {
  readonly event_id: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expunged_at: string
  /** Deliveries that were cancelled for it. */
  readonly cancelled: number
}

/** Instead of `retry_policy`: what clients of the webhook server Hookrail send. */
export type HookrailBackoff = {
  readonly base_ms: number
  /** Not less than `base_ms`. */
  readonly cap_ms: number
} | null

/** Instead of `retry_policy`, 0 for 8: what clients of the webhook server Hookrail send. */
export type HookrailMaxAttempts = number | null

export interface Job {
  readonly id: string
  readonly kind: 'replay' | 'cancel' | 'skip_backlog' | 'backfill'
  /** Queued and running go on by themselves, in whichever process lives; done, cancelled and failed are the end. */
  readonly state: 'queued' | 'running' | 'done' | 'cancelled' | 'failed'
  /** Which deliveries it is about. */
  readonly filter: {
  readonly endpoint_id?: string | undefined
  readonly topic?: string | undefined
  /** RFC 3339, UTC, milliseconds. */
  readonly since?: string | undefined
  /** RFC 3339, UTC, milliseconds. */
  readonly until?: string | undefined
  readonly error_class?: string | undefined
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
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly started_at: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly ended_at: string | null
}

export interface JobPage {
  readonly items: readonly Job[]
  /** Empty at the end. */
  readonly next_cursor: string
}

export interface Key {
  readonly id: string
  /** Null: of an admin token for all tenants. */
  readonly tenant_id: string | null
  readonly kind: 'producer' | 'admin'
  readonly name: string
  readonly scopes: readonly string[]
  readonly abilities: readonly string[]
  /** Events a second that it may publish; null: as the server is set. */
  readonly rate_limit_rps: number | null
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expires_at: string | null
  /** Within a minute or so; null: never. */
  readonly last_used_at: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly revoked_at: string | null
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
  readonly rate_limit_rps?: RateLimit | undefined
  /** From then on it is refused, RFC 3339; null: never. Not beside `expires_in`. */
  readonly expires_at?: string | null | undefined
  /** How long it is taken: "90d", "12h". */
  readonly expires_in?: string | number | undefined
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
  readonly rate_limit_rps?: RateLimit | undefined
  /** From then on it is refused, RFC 3339; null: never. Not beside `expires_in`. */
  readonly expires_at?: string | null | undefined
  /** How long it is taken: "90d", "12h". */
  readonly expires_in?: string | number | undefined
}

export interface KeyPage {
  readonly items: readonly Key[]
  /** Empty at the end. */
  readonly next_cursor: string
}

export interface NewSecret {
  /** Shown here once and never again. */
  readonly secret: string
}

export interface OrderedKey {
  readonly subscription_id: string
  readonly endpoint_id: string
  readonly ordering_key: string
  /** Blocked: its head was given up, and what is behind it waits until it is replayed or skipped. */
  readonly state: 'blocked' | 'active'
  /** The one delivery of the key whose turn it is. */
  readonly head_delivery_id: string
  readonly head_state: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped'
  /** RFC 3339, UTC, milliseconds. */
  readonly blocked_since: string | null
  /** Deliveries of the key that have not come to an end, the head included. */
  readonly backlog_count: number
  /** How long the oldest delivery behind the head waits; null: there is none. */
  readonly oldest_successor_age_sec: number | null
}

export interface OrderedKeyPage {
  readonly items: readonly OrderedKey[]
  /** Empty at the end. */
  readonly next_cursor: string
}

export interface Pause {
  /** Why, for whoever looks at the endpoint. */
  readonly reason?: string | undefined
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
  readonly code: 'invalid_request' | 'invalid_body' | 'invalid_payload' | 'bad_cursor' | 'ordering_key_conflict' | 'ordering_key_too_long' | 'unauthorized' | 'missing_credentials' | 'forbidden' | 'not_found' | 'method_not_allowed' | 'request_timeout' | 'conflict' | 'idempotency_conflict' | 'endpoint_not_available' | 'not_replayable' | 'attempt_under_way' | 'not_cancellable' | 'not_skippable' | 'expired' | 'version_conflict' | 'payload_too_large' | 'uri_too_long' | 'unsupported_media_type' | 'expectation_failed' | 'url_rejected' | 'unprocessable' | 'headers_too_large' | 'rate_limited' | 'backlog_full' | 'internal' | 'store_refused' | 'store_unavailable' | 'overloaded' | 'shutting_down' | 'timeout' | 'invalid_config' | 'store_locked' | 'store_missing' | 'store_incompatible' | 'wrong_master_key' | 'closed'
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
  readonly idempotency_key?: string | null | undefined
  /** At most 256 bytes; also read from the payload’s member `ordering_key`. */
  readonly ordering_key?: string | null | undefined
  /** No delivery is made before this time, at most 366 days ahead; a time in the past is now. Not with `delay`. */
  readonly deliver_at?: string | null | undefined
  /** The same as a duration from now: "500ms", "5s", "30m", "2h", "1d" or a whole number of milliseconds. */
  readonly delay?: string | number | null | undefined
}

export interface PublishReceipt {
  readonly id: string
  readonly event_id: string
  /** One for each subscription that matches; empty where none does, and where `state` says `accepted`. */
  readonly delivery_ids: readonly string[]
  /** Only of an event for more than 1000 deliveries, or of a transaction: they are made after this answer, and `GET /v1/events/{id}` has them. */
  readonly state?: 'accepted' | undefined
}

/** Requests per second, on average, from all processes together; up to two seconds’ worth (at least one) may go at once. Null: no limit. */
export type RateLimit = number | null

export interface Replay {
  readonly delivery_id: string
  readonly state: 'pending'
}

export interface ReplayMany {
  readonly endpoint_id?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** Given up at or after. */
  readonly since?: string | undefined
  /** Given up before. */
  readonly until?: string | undefined
  /** The last attempt’s, such as http_503, or attempts_exhausted. */
  readonly error_class?: string | undefined
  /** Must be true when no filter is given, which would mean all. */
  readonly all?: boolean | undefined
  /** Deliveries a second at most. */
  readonly rate?: number | undefined
  /** True: nothing is changed, and the answer says how many there are. */
  readonly dry_run?: boolean | undefined
}

export interface Resent {
  readonly delivery_id: string
  readonly state: 'pending'
}

/** The name of a profile, a policy of one’s own, or null for the server’s default. Profiles: standard (10 attempts over three days), hookrail (8 attempts within minutes, as the webhook server Hookrail does), dograh (5 attempts over 8 minutes, as the voice platform Dograh does), pyfly (5 attempts over 75 seconds, as the Python framework PyFly does). What is left out of a policy is that of `standard`. */
export type RetryPolicy = 'standard' | 'hookrail' | 'dograh' | 'pyfly' | {
  readonly max_attempts?: number | null | undefined
  readonly jitter?: 'none' | 'full' | number | undefined
  /** Statuses such as "429", classes such as "5xx", "non-2xx"; with "!" before one, not that. */
  readonly retry_on?: 'non-2xx' | readonly string[] | undefined
  /** In order, the last one repeating. */
  readonly delays?: readonly (string | number)[] | undefined
} | {
  readonly max_attempts?: number | null | undefined
  readonly jitter?: 'none' | 'full' | number | undefined
  /** Statuses such as "429", classes such as "5xx", "non-2xx"; with "!" before one, not that. */
  readonly retry_on?: 'non-2xx' | readonly string[] | undefined
  /** The first wait, longer than 0. */
  readonly base: string | number
  readonly factor?: number | undefined
  /** The longest wait; not shorter than `base`. */
  readonly cap?: string | number | undefined
} | null

export interface RotateKey {
  /** How long what the key was before is taken too: "24h" (the default), at most 30 days. */
  readonly grace?: string | number | undefined
}

export interface RotateSecret {
  /** How long the old secret goes on signing: "24h" (the default), at most 30 days. */
  readonly grace?: string | number | undefined
  /** `whsec_` and base64 of 24 to 64 bytes; made when absent. An ed25519 key pair is `whsk_…`. */
  readonly secret?: string | undefined
}

export interface RotatedKey {
  readonly id: string
  /** Null: of an admin token for all tenants. */
  readonly tenant_id: string | null
  readonly kind: 'producer' | 'admin'
  readonly name: string
  readonly scopes: readonly string[]
  readonly abilities: readonly string[]
  /** Events a second that it may publish; null: as the server is set. */
  readonly rate_limit_rps: number | null
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expires_at: string | null
  /** Within a minute or so; null: never. */
  readonly last_used_at: string | null
  /** RFC 3339, UTC, milliseconds. */
  readonly revoked_at: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
  /** Shown here once and never again. */
  readonly key: string
  /** Until when what the key was before is taken too. */
  readonly previous_expires_at: string
}

export interface Skip {
  /** Why, for whoever looks at the delivery: part of its `last_error`. */
  readonly reason?: string | undefined
}

export interface Skipped {
  readonly delivery_id: string
  readonly state: 'skipped'
  /** Whose turn it became; null: nothing of the key waited. */
  readonly next_head_delivery_id: string | null
}

export interface Subscription {
  readonly id: string
  readonly endpoint_id: string
  readonly topic_patterns: readonly string[]
  readonly retry_policy: RetryPolicy
  readonly active: boolean
  /** Events with the same ordering key are delivered one after the other, in the order in which they were published; one that is given up keeps those behind it waiting until it is replayed or skipped. */
  readonly ordered: boolean
  /** Made with its endpoint through `topics`. */
  readonly own: boolean
  /** RFC 3339, UTC, milliseconds. */
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updated_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly deleted_at: string | null
  /** Another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one. */
  readonly version: string
}

export interface SubscriptionChange {
  readonly topic_patterns?: readonly string[] | undefined
  /** Instead of `topic_patterns`, one. */
  readonly topic_pattern?: string | undefined
  readonly retry_policy?: RetryPolicy | undefined
  readonly max_attempts?: HookrailMaxAttempts | undefined
  readonly backoff_policy?: HookrailBackoff | undefined
  readonly active?: boolean | undefined
  /** Cannot be changed: only what it is already is taken. */
  readonly ordered?: boolean | undefined
}

export interface SubscriptionCreate {
  readonly endpoint_id: string
  readonly topic_patterns?: readonly string[] | undefined
  /** Instead of `topic_patterns`, one. */
  readonly topic_pattern?: string | undefined
  readonly retry_policy?: RetryPolicy | undefined
  readonly max_attempts?: HookrailMaxAttempts | undefined
  readonly backoff_policy?: HookrailBackoff | undefined
  /** Events with the same ordering key are delivered one after the other, in the order in which they were published; one that is given up keeps those behind it waiting until it is replayed or skipped. */
  readonly ordered?: boolean | undefined
}

export interface SubscriptionPage {
  readonly items: readonly Subscription[]
  /** Empty at the end. */
  readonly next_cursor: string
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
  readonly created_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly updated_at: string
  /** RFC 3339, UTC, milliseconds. */
  readonly deleted_at: string | null
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
  /** Empty at the end. */
  readonly next_cursor: string
}

/** How far the removal of a deleted tenant has got. */
export type TenantRemoval = {
  /** Cancelling: endpoints are deleted, and what waits for them is cancelled; draining: what was under way is waited for; counting: what there is; removing: it goes. Deleted tenants go one after the other. */
  readonly phase: 'cancelling' | 'draining' | 'counting' | 'removing'
  /** RFC 3339, UTC, milliseconds. */
  readonly started_at: string
  /** How many are still to be removed; null: they are not counted yet. */
  readonly left: {
  readonly endpoints: number
  readonly events: number
  readonly deliveries: number
} | null
} | null

export interface TenantSettings {
  /** A duration; "0ms": for ever; null: as the server has it. */
  readonly retain_payloads: string | null
  /** A duration; "0ms": for ever; null: as the server has it. */
  readonly retain_attempts: string | null
  /** A duration; "0ms": for ever; null: as the server has it. */
  readonly retain_events: string | null
  /** A duration; "0ms": for ever; null: as the server has it. */
  readonly retain_dead_letters: string | null
  readonly retry_policy: RetryPolicy
  readonly ingest_rate: number | null
  readonly max_endpoints: number | null
  readonly weight: number
}

/** Members that are absent stay; null is the server’s setting. */
export interface TenantSettingsChange {
  /** How long payloads are kept; "0" is for ever, null the server’s setting. */
  readonly retain_payloads?: string | number | null | undefined
  /** How long attempts are kept; "0" is for ever, null the server’s setting. */
  readonly retain_attempts?: string | number | null | undefined
  /** How long finished deliveries and events are kept; "0" is for ever, null the server’s setting. */
  readonly retain_events?: string | number | null | undefined
  /** How long a dead letter can be replayed; "0" is for ever, null the server’s setting. */
  readonly retain_dead_letters?: string | number | null | undefined
  readonly retry_policy?: RetryPolicy | undefined
  /** Events per second that it may publish, on average; null: no limit. */
  readonly ingest_rate?: number | null | undefined
  /** Endpoints that it may have at one time; null: no limit. */
  readonly max_endpoints?: number | null | undefined
  /** Its part of what is delivered while several tenants wait: one with 3 gets thrice what one with 1 gets; null: 1. */
  readonly weight?: number | null | undefined
}

export interface Whoami {
  readonly role: 'producer' | 'viewer' | 'operator' | 'admin'
  /** Null for an admin token of all tenants. */
  readonly tenant_id: string | null
  /** Null for the token of the configuration. */
  readonly key_id: string | null
}

export interface ListEventsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** At or after. */
  readonly since?: string | undefined
  /** Before. */
  readonly until?: string | undefined
}

export interface ListDeliveriesQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
  readonly state?: 'pending' | 'in_flight' | 'retry_scheduled' | 'succeeded' | 'dead_lettered' | 'cancelled' | 'skipped' | undefined
  readonly endpoint_id?: string | undefined
  readonly subscription_id?: string | undefined
  readonly event_id?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** Why its last attempt failed: http_503 and the like, timeout, connection, dns, tls, redirect_rejected, policy, internal or attempts_exhausted. */
  readonly error_class?: string | undefined
  /** At or after. */
  readonly since?: string | undefined
  /** Before. */
  readonly until?: string | undefined
}

export interface GetEventQuery {
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
}

export interface ExpungeEventPayloadQuery {
  /** Cancel deliveries that have not come to an end, which is refused otherwise. */
  readonly cancel?: boolean | undefined
}

export interface ListEndpointsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
  /** The one live endpoint with this name of your own, or none. */
  readonly uid?: string | undefined
  readonly include_deleted?: boolean | undefined
}

export interface GetEndpointQuery {
  readonly include_deleted?: boolean | undefined
}

export interface ListSubscriptionsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
  readonly endpoint_id?: string | undefined
  readonly include_deleted?: boolean | undefined
}

export interface GetSubscriptionQuery {
  readonly include_deleted?: boolean | undefined
}

export interface ListTenantsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
  /** The one with this name of your own, or none. */
  readonly uid?: string | undefined
}

export interface ListOrderedKeysQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
  /** True: only those whose head was given up; false: only the others. */
  readonly blocked?: boolean | undefined
  readonly subscription_id?: string | undefined
  /** Exact. */
  readonly ordering_key?: string | undefined
}

export interface ListDeadLettersQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
  readonly endpoint_id?: string | undefined
  /** Exact. */
  readonly topic?: string | undefined
  /** Why it was given up: http_503 and the like, timeout, connection, dns, tls, redirect_rejected, policy, internal or attempts_exhausted. */
  readonly error_class?: string | undefined
  /** At or after. */
  readonly since?: string | undefined
  /** Before. */
  readonly until?: string | undefined
}

export interface ListJobsQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
  readonly state?: 'queued' | 'running' | 'done' | 'cancelled' | 'failed' | undefined
  readonly kind?: 'replay' | 'cancel' | 'skip_backlog' | 'backfill' | undefined
}

export interface ListKeysQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
  /** Default `producer`. */
  readonly kind?: 'producer' | 'admin' | undefined
}

export interface ListAdminTokensQuery {
  /** Items at most. */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
}
