/** What the server's API gives and takes, as JSON has it. Times are RFC 3339. */

export interface Page<T> {
  readonly items: readonly T[]
  /** Empty at the end. */
  readonly next_cursor: string
}

export interface PageQuery {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface AttemptResource {
  readonly attempt_no: number
  readonly claim_version: number
  readonly status: string
  readonly http_status: number | null
  readonly error_class: string | null
  readonly error: string | null
  readonly latency_ms: number
  readonly started_at: string
}

export interface DeliveryResource {
  readonly id: string
  readonly event_id: string
  readonly endpoint_id: string | null
  readonly subscription_id: string | null
  readonly topic: string | null
  readonly state: string
  readonly reason: string | null
  readonly attempt_count: number
  readonly next_attempt_at: string | null
  readonly last_http_status: number | null
  readonly error_class: string | null
  readonly last_error: string | null
  readonly created_at: string
  readonly updated_at: string
}

export interface DeliveryWithAttempts extends DeliveryResource {
  readonly attempts: readonly AttemptResource[]
}

export interface EventResource {
  readonly id: string
  readonly topic: string
  readonly state: string
  readonly payload_bytes: number
  readonly metadata: Readonly<Record<string, string>>
  readonly ordering_key: string | null
  readonly created_at: string
}

export interface EventStatus extends EventResource {
  /** Oldest first, 1000 at most. */
  readonly deliveries: readonly DeliveryWithAttempts[]
  /** Gives the deliveries that follow; empty at the end. */
  readonly next_cursor: string
}

export interface PublishedEvent {
  readonly id: string
  readonly event_id: string
  readonly delivery_ids: readonly string[]
  /** The deliveries are made after this answer. */
  readonly state?: 'accepted'
}

export interface EndpointResource {
  readonly id: string
  readonly uid: string | null
  readonly url: string
  readonly description: string
  readonly topics: readonly string[] | null
  readonly retry_policy: unknown
  readonly max_in_flight: number
  readonly rate_limit_rps: number | null
  readonly enabled: boolean
  readonly state: string
  readonly resumes_at: string | null
  readonly subscription_count: number
  readonly disabled_reason: string | null
  readonly created_at: string
  /** Only in the answer that made it. */
  readonly secret?: string
}

export interface SubscriptionResource {
  readonly id: string
  readonly endpoint_id: string
  readonly topic_patterns: readonly string[]
  readonly retry_policy: unknown
  readonly active: boolean
  readonly created_at: string
}

export interface TenantResource {
  readonly id: string
  readonly uid: string | null
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly settings: Readonly<Record<string, unknown>>
  readonly state: string
  readonly removed: Readonly<Record<string, number>> | null
  readonly created_at: string
  readonly updated_at: string
  readonly deleted_at: string | null
}

export interface DeadLetterResource {
  readonly delivery_id: string
  readonly event_id: string
  readonly endpoint_id: string | null
  readonly topic: string | null
  readonly final_error: string
  readonly last_error: string | null
  readonly last_http_status: number | null
  readonly attempt_count: number
  readonly dead_at: string
}

export interface JobResource {
  readonly id: string
  readonly kind: string
  readonly state: string
  readonly filter: Readonly<Record<string, unknown>>
  readonly rate: number | null
  /** Null: it is not counted yet. */
  readonly total: number | null
  readonly done: number
  readonly skipped: number
  readonly error: string | null
  readonly created_at: string
  readonly started_at: string | null
  readonly ended_at: string | null
}

export interface DryRunResource {
  readonly dry_run: true
  readonly matching: number
  readonly skipped: number
  /** False: there are more, which were not counted. */
  readonly complete: boolean
}

export interface KeyResource {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly created_at: string
  readonly revoked_at: string | null
}

export interface CreatedKey extends KeyResource {
  /** Shown here once and never again. */
  readonly key: string
}
