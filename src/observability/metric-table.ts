/**
 * Every metric of `/metrics`: its name, type, labels and meaning, in one table. The metrics are made from it, the
 * reference page is written from it, and the dashboard and the alert rules in `deploy/` are held against it.
 *
 * No label says whose event or which endpoint it was: with ten thousand tenants each such metric would have ten thousand
 * series, and with it every scrape. What belongs to one of them is in the log and in the API.
 */
export interface MetricInfo {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: Readonly<Record<string, string>>
}

export const metricTable = {
  outhook_ingest_events_total: {
    type: 'counter',
    help: 'Events that somebody tried to publish over HTTP, by what came of it.',
    labels: {
      result:
        'accepted, replayed, conflict, rejected, forbidden, limited (429: over the rate), backlog_full (429: of an ordering key) or unavailable',
    },
  },
  outhook_filtered_subscriptions_total: {
    type: 'counter',
    help: 'Subscriptions that did not get an event for their filter, though its topic was theirs; each event counts them all.',
    labels: {},
  },
  outhook_payload_violations_total: {
    type: 'counter',
    help: 'Events whose payload was not as the schema of their event type says.',
    labels: {
      result:
        '`refused` (the type says `enforce`) or `accepted` (it says `warn`, or the event was committed by a transaction of its own)',
    },
  },
  outhook_publish_duration_seconds: {
    type: 'histogram',
    help: 'Time of a request that published, from its arrival to the answer that its events are durable.',
    labels: {},
  },
  outhook_http_requests_total: {
    type: 'counter',
    help: 'Requests to this server that were answered.',
    labels: {
      method: 'such as `POST`',
      route: 'the path as `/openapi.json` has it, such as `/v1/events/{id}`; `-` where there is none',
      status: 'the status of the answer',
    },
  },
  outhook_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time of requests to this server, from their arrival to the end of the answer.',
    labels: {},
  },
  outhook_refused_credentials_total: {
    type: 'counter',
    help: 'Requests that were refused because nobody has their token.',
    labels: {
      reason:
        '`missing` (no token), `unknown` (401) or `slowed` (429, after many unknown ones from one address)',
    },
  },
  outhook_delivery_attempts_total: {
    type: 'counter',
    help: 'Attempts whose outcome was recorded by this process.',
    labels: {
      outcome: 'success, retryable or permanent',
      error_class:
        '`-` for a success, else such as `http_503`, `timeout`, `connection`, `dns`, `tls` or `policy`',
    },
  },
  outhook_attempt_duration_seconds: {
    type: 'histogram',
    help: 'Time of one attempt, from its start to the last byte that was read.',
    labels: {},
  },
  outhook_dead_letters_total: {
    type: 'counter',
    help: 'Deliveries that this process gave up.',
    labels: {},
  },
  outhook_deliveries_failing_total: {
    type: 'counter',
    help: 'Deliveries of this process that failed as often as `failing-after` says, and are tried again; each counts once, and again when it is replayed.',
    labels: {},
  },
  outhook_deliveries: {
    type: 'gauge',
    help: 'Deliveries in the store, by state. Absent while the store is out of reach.',
    labels: {
      state: 'pending, in_flight, retry_scheduled, succeeded, dead_lettered, cancelled or skipped',
    },
  },
  outhook_oldest_due_seconds: {
    type: 'gauge',
    help: 'Age of the oldest delivery that is due and not in flight; 0 when there is none. Absent while the store is out of reach.',
    labels: {},
  },
  outhook_ordered_keys_blocked: {
    type: 'gauge',
    help: 'Ordering keys whose head was given up: what is behind it waits until the head is replayed or skipped. Absent while the store is out of reach.',
    labels: {},
  },
  outhook_ordered_key_backlog: {
    type: 'gauge',
    help: 'Deliveries of all ordering keys that stand in line, those whose turn it is included. Absent while the store is out of reach.',
    labels: {},
  },
  outhook_in_flight: {
    type: 'gauge',
    help: 'Requests to receivers that this process has under way.',
    labels: {},
  },
  outhook_processes: {
    type: 'gauge',
    help: 'Processes that this answer stands for: those of `--processes` that answered, else 1.',
    labels: {},
  },
  outhook_stale_outcomes_total: {
    type: 'counter',
    help: 'Outcomes that were dropped because another worker had taken the delivery over.',
    labels: {},
  },
  outhook_endpoints_disabled_total: {
    type: 'counter',
    help: 'Endpoints that this process disabled because of how they answered.',
    labels: { reason: '`gone` (it answered 410), `failing` (it failed for too long) or `operator`' },
  },
  outhook_endpoints_enabled_total: {
    type: 'counter',
    help: 'Endpoints that were disabled and are enabled again; each counts at one of all processes.',
    labels: { reason: 'why it was disabled: `gone`, `failing` or `operator`' },
  },
  outhook_certificates_expiring_total: {
    type: 'counter',
    help: 'Client certificates in use of which this process told that they run out.',
    labels: { within: '`30d`, `7d` or `1d`, which is also told of what is over' },
  },
  outhook_endpoint_pauses_total: {
    type: 'counter',
    help: 'Times that an attempt of this process made its endpoint wait.',
    labels: {
      reason:
        '`failing` (it could not be reached several times in a row) or `throttled` (it asked for fewer requests)',
    },
  },
  outhook_lost_claims_total: {
    type: 'counter',
    help: 'Claims that ended without an outcome because their process died or stood still, told when the delivery was claimed anew and has its outcome.',
    labels: {},
  },
  outhook_repaired_targets_total: {
    type: 'counter',
    help: 'Targets with due deliveries that nothing pointed to, found by the look that every process with a dispatcher takes.',
    labels: {},
  },
  outhook_dispatchers: {
    type: 'gauge',
    help: 'Processes, of those that this answer stands for, that deliver.',
    labels: {},
  },
  outhook_outbox_events_total: {
    type: 'counter',
    help: 'Rows of the outbox in a SQLite file of your own that this process published, or set aside because they are no events.',
    labels: { outbox: 'as configured, such as `sqlite:app.db`', result: 'relayed or refused' },
  },
  outhook_outbox_up: {
    type: 'gauge',
    help: 'Whether the outbox in a SQLite file of your own can be relayed: 1, or 0 while something keeps it from that, which the log names.',
    labels: { outbox: 'as configured, such as `sqlite:app.db`' },
  },
  outhook_retention_rows_removed_total: {
    type: 'counter',
    help: 'Rows that this process removed because their retention was over.',
    labels: { kind: 'payloads, attempts, deliveries, events or jobs' },
  },
  outhook_retention_run_duration_seconds: {
    type: 'histogram',
    help: 'Time of one look of this process for rows past their retention, its pauses included.',
    labels: {},
  },
  outhook_build_info: {
    type: 'gauge',
    help: 'Always 1; its label says which version runs.',
    labels: { version: 'as `outhook --version` prints it' },
  },
} as const satisfies Record<string, MetricInfo>

export type MetricName = keyof typeof metricTable

/** Of Node's process, as prom-client names them. The operating system has some of them, so not each is there on each. */
export const processMetricTable = {
  process_cpu_user_seconds_total: counterOf('CPU time spent in user mode.'),
  process_cpu_system_seconds_total: counterOf('CPU time spent in the system.'),
  process_cpu_seconds_total: counterOf('Both together.'),
  process_start_time_seconds: gaugeOf('When the process started, seconds since the epoch.'),
  process_resident_memory_bytes: gaugeOf('Memory that the process occupies.'),
  process_virtual_memory_bytes: gaugeOf('Address space of the process.'),
  process_heap_bytes: gaugeOf('Size of the data segment.'),
  process_open_fds: gaugeOf('File descriptors that are open.'),
  process_max_fds: gaugeOf('How many may be open.'),
  nodejs_active_resources: gaugeOf('What keeps the event loop alive.', {
    type: 'kind of resource, by the name of Node',
  }),
  nodejs_active_handles: gaugeOf('The same, handles alone.', { type: 'kind of handle, by the name of Node' }),
  nodejs_active_requests: gaugeOf('The same, requests alone.', {
    type: 'kind of request, by the name of Node',
  }),
  nodejs_heap_size_total_bytes: gaugeOf('Size of the JavaScript heap.'),
  nodejs_heap_size_used_bytes: gaugeOf('How much of it is in use.'),
  nodejs_external_memory_bytes: gaugeOf('Memory outside of the heap that its objects hold.'),
  nodejs_heap_space_size_total_bytes: gaugeOf('Size of each space of the heap.', { space: 'such as `old`' }),
  nodejs_heap_space_size_used_bytes: gaugeOf('How much of it is in use.', { space: 'such as `old`' }),
  nodejs_heap_space_size_available_bytes: gaugeOf('How much of it is free.', { space: 'such as `old`' }),
  nodejs_version_info: gaugeOf('Always 1; its labels say which Node runs.', {
    version: 'such as `v24.1.0`',
    major: '`24`',
    minor: '`1`',
    patch: '`0`',
  }),
  nodejs_gc_duration_seconds: {
    type: 'histogram',
    help: 'Time of one garbage collection.',
    labels: { kind: '`major`, `minor`, `incremental` or `weakcb`' },
  },
  nodejs_eventloop_lag_seconds: gaugeOf('How late the last timer was.'),
  nodejs_eventloop_lag_min_seconds: gaugeOf('The least lateness of a timer since the last scrape.'),
  nodejs_eventloop_lag_max_seconds: gaugeOf('The greatest.'),
  nodejs_eventloop_lag_mean_seconds: gaugeOf('The mean.'),
  nodejs_eventloop_lag_stddev_seconds: gaugeOf('The standard deviation.'),
  nodejs_eventloop_lag_p50_seconds: gaugeOf('The 50th percentile.'),
  nodejs_eventloop_lag_p90_seconds: gaugeOf('The 90th percentile.'),
  nodejs_eventloop_lag_p99_seconds: gaugeOf('The 99th percentile.'),
} as const satisfies Record<string, MetricInfo>

function counterOf(help: string): MetricInfo {
  return { type: 'counter', help, labels: {} }
}

function gaugeOf(help: string, labels: MetricInfo['labels'] = {}): MetricInfo {
  return { type: 'gauge', help, labels }
}

/** What moves from hookrail look for under these names. */
export const hookrailNames: Readonly<Record<string, string>> = {
  hookrail_ingest_events_total:
    '`outhook_ingest_events_total`, with the results `limited`, `backlog_full` and `unavailable` besides',
  hookrail_delivery_attempts_total: '`outhook_delivery_attempts_total`',
  hookrail_attempt_duration_seconds: '`outhook_attempt_duration_seconds`',
  hookrail_sweeper_republished_total:
    '`outhook_lost_claims_total` (work of a worker that died) and `outhook_repaired_targets_total` (due work that nothing pointed to)',
  hookrail_scheduler_is_leader:
    '`outhook_dispatchers`: there is no leader, every process with a dispatcher does it all',
  hookrail_retention_rows_pruned_total: '`outhook_retention_rows_removed_total`',
  hookrail_retention_tick_seconds: '`outhook_retention_run_duration_seconds`',
  hookrail_ordered_keys_blocked: '`outhook_ordered_keys_blocked`',
  hookrail_ordered_key_backlog: '`outhook_ordered_key_backlog`',
  hookrail_ratelimit_decisions_total:
    '`outhook_ingest_events_total{result="limited"}` for producers; deliveries of an endpoint with a rate wait in the store, with the reason `rate_limited`, and take no decision each',
  hookrail_ratelimit_config_age_seconds: 'none: a change of a rate is in force with its commit',
}
