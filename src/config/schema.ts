/**
 * Every setting of the server, in one table. The flags, the environment variables, the members of the file, the
 * help and `docs/reference/configuration.md` all come from it: a setting `max-in-flight` is `--max-in-flight`,
 * `OUTHOOK_MAX_IN_FLIGHT` and `max_in_flight`.
 */
import { describeRetryProfiles } from '../core/retry-policy.ts'
import { guardSettings } from './guard-settings.ts'
import { portalSettings } from './portal-settings.ts'
import { retentionSettings } from './retention-settings.ts'
import * as retryTypes from './retry-types.ts'
import { type Setting, setting } from './setting.ts'
import type { ValueType } from './value-types.ts'
import * as types from './value-types.ts'

export const settings = {
  store: setting({
    name: 'store',
    type: types.store,
    default: null,
    defaultText: '`sqlite:outhook.db` in the data directory',
    description: 'Where events and deliveries are kept.',
  }),
  dataDir: setting({
    name: 'data-dir',
    type: types.text,
    default: '.outhook',
    description:
      'Directory for what has no place of its own: the default store, and `dev.json` of `outhook dev`.',
  }),
  host: setting({
    name: 'host',
    type: types.text,
    default: '127.0.0.1',
    description: 'Address to listen on. `0.0.0.0` is every IPv4 address of the machine.',
  }),
  port: setting({
    name: 'port',
    type: types.integer(0, 65_535),
    default: 8080,
    description: 'Port to listen on. 0 takes any free one.',
  }),
  role: setting({
    name: 'role',
    type: types.oneOf(['all', 'api', 'dispatcher']),
    default: 'all',
    description:
      'What this process does, of several on one PostgreSQL: `api` takes events and answers questions and delivers nothing, `dispatcher` delivers and serves only `/healthz`, `/readyz` and `/metrics`, `all` does both.',
  }),
  processes: setting({
    name: 'processes',
    type: types.integer(1, 256),
    default: 1,
    description:
      'Processes that `outhook serve` runs on this machine behind its one port, to use several cores. More than one needs PostgreSQL.',
  }),
  masterKey: setting({
    name: 'master-key',
    type: types.masterKey,
    default: null,
    defaultText: 'a key file beside the database, made at the first start; none with PostgreSQL',
    description:
      'Key under which endpoint secrets are encrypted at rest. Losing it loses them. With PostgreSQL it must be given, the same to every process.',
    secret: true,
  }),
  masterKeyOld: setting({
    name: 'master-key-old',
    type: types.masterKey,
    default: null,
    defaultText: 'none',
    description:
      'While the master key is exchanged: the key of before. Values that it sealed open, and `outhook keys rotate-master` seals them anew.',
    secret: true,
  }),
  storeWaitMs: setting({
    name: 'store-wait',
    type: types.durationOrZero,
    default: 60_000,
    description:
      'How long a process that starts waits for PostgreSQL to answer. A wrong password or an unknown database is not waited for. 0 is not at all.',
  }),
  newStore: setting({
    name: 'new-store',
    type: types.flag,
    default: false,
    description:
      'Makes a new SQLite database where one is missing or empty though its key file is there. Without it that is refused, because everything in it would be lost; give it once, and only when that is meant.',
  }),
  outboxes: setting({
    name: 'outbox',
    type: types.outboxes,
    default: [],
    description:
      'SQLite files of your own programs whose outbox this process relays: events that they wrote in their own transactions.',
  }),
  dashboard: setting({
    name: 'dashboard',
    type: types.oneOf(['on', 'off']),
    default: 'on',
    description:
      'Whether the dashboard is served at `/dashboard/`. A process whose role is `dispatcher` never serves it.',
  }),
  ...portalSettings,
  eventTypesPage: setting({
    name: 'event-types-page',
    type: types.oneOf(['private', 'public']),
    default: 'private',
    description:
      'Whether whoever has no token sees the server’s catalogue of event types, at `/event-types/`. With a token it is at `/v1/event-types/index.html`.',
  }),
  adminToken: setting({
    name: 'admin-token',
    type: types.token,
    default: null,
    defaultText: 'an empty store makes one and prints it once',
    description: 'Token that may do everything over the API, besides the admin keys in the store.',
    secret: true,
  }),
  ingestRate: setting({
    name: 'ingest-rate',
    type: types.integer(0, 1_000_000),
    default: 0,
    description:
      'Events a second that each producer key may publish that has no rate of its own, on average and from all processes together; up to two seconds’ worth may come at once. 0 is no limit.',
  }),
  orderedKeyBacklogMax: setting({
    name: 'ordered-key-backlog-max',
    type: types.integer(0, 1_000_000_000),
    default: 10_000,
    description:
      'Deliveries of one ordering key that may wait in an ordered subscription. An event that would make it more is refused with 429, for that key alone. 0 is no limit.',
  }),
  ...guardSettings,
  maxInFlight: setting({
    name: 'max-in-flight',
    type: types.integer(1, 16_384),
    default: 512,
    description: 'Requests to all endpoints together that this process has open at one time.',
  }),
  defaultRetryPolicy: setting({
    name: 'default-retry-policy',
    type: retryTypes.retryPolicy,
    default: 'standard',
    description: `Retry policy where neither subscription, endpoint nor tenant has one: a profile, ${describeRetryProfiles()}, or one of \`retry-profiles\`, or a policy of its own.`,
  }),
  retryProfiles: setting({
    name: 'retry-profiles',
    type: retryTypes.retryProfiles,
    default: {},
    description:
      'Retry policies of your own by name, which subscriptions, endpoints, tenants, direct sends and `default-retry-policy` can name then. Give every process the same. What names one that is taken out again goes by the next policy, and the start warns of it.',
  }),
  connectTimeoutMs: setting({
    name: 'connect-timeout',
    type: types.duration,
    default: 3000,
    description: 'How long connecting to an endpoint may take, TLS included.',
  }),
  headersTimeoutMs: setting({
    name: 'headers-timeout',
    type: types.duration,
    default: 10_000,
    description: 'How long an endpoint may take to answer with headers.',
  }),
  totalTimeoutMs: setting({
    name: 'total-timeout',
    type: types.duration,
    default: 15_000,
    description: 'How long one attempt may take in all.',
  }),
  breakerThreshold: setting({
    name: 'breaker-threshold',
    type: types.integer(0, 1000),
    default: 5,
    description: 'Transport failures in a row that pause an endpoint. 0 switches the breaker off.',
  }),
  breakerPauseMs: setting({
    name: 'breaker-pause',
    type: types.duration,
    default: 30_000,
    description: 'The first pause. Each failed probe doubles it.',
  }),
  breakerMaxPauseMs: setting({
    name: 'breaker-max-pause',
    type: types.duration,
    default: 3_600_000,
    description: 'The longest pause.',
  }),
  disableAfterMs: setting({
    name: 'disable-after',
    type: types.durationOrZero,
    default: 5 * 86_400_000,
    description: 'An endpoint that has only failed for so long is disabled. 0 is never.',
  }),
  failingAfter: setting({
    name: 'failing-after',
    type: types.integer(0, 100),
    default: 3,
    description:
      'Failed attempts of a delivery after which it is told as failing, once, while others follow: in the log, the metrics, and to tenants who subscribe to `delivery.failing`. 0 is never.',
  }),
  traceHeaders: setting({
    name: 'trace-headers',
    type: types.oneOf(['pass', 'drop']),
    default: 'pass',
    description:
      'Whether receivers get the trace context (`traceparent`, `tracestate`) of whoever published the event.',
  }),
  drainDeadlineMs: setting({
    name: 'drain-deadline',
    type: types.durationOrZero,
    default: 25_000,
    description: 'How long a stopping process waits for requests in flight.',
  }),
  idempotencyTtlMs: setting({
    name: 'idempotency-ttl',
    type: types.duration,
    default: 86_400_000,
    description: 'How long an idempotency key is remembered.',
  }),
  ...retentionSettings,
  alertChannels: setting({
    name: 'alert-channels',
    type: types.text,
    default: null,
    defaultText: 'no alerts',
    description: 'Where alerts go: one webhook URL, or `alerts=URL,info=URL`.',
    secret: true,
  }),
  alertMention: setting({
    name: 'alert-mention',
    type: types.text,
    default: null,
    defaultText: 'nobody',
    description: 'Who a P0 alert pings, such as `@everyone`.',
  }),
  alertBacklog: setting({
    name: 'alert-backlog',
    type: types.integer(0, 1_000_000_000),
    default: 10_000,
    description: 'Waiting deliveries from which on a growing backlog is told. 0 is never.',
  }),
  logLevel: setting({
    name: 'log-level',
    type: types.oneOf(['debug', 'info', 'warn', 'error', 'silent']),
    default: 'info',
    description: 'The least level that is logged.',
  }),
  logFormat: setting({
    name: 'log-format',
    type: types.oneOf(['auto', 'json', 'pretty']),
    default: 'auto',
    description: 'Form of log lines. `auto` is `pretty` on a terminal and `json` elsewhere.',
  }),
} as const

type Settings = typeof settings
export type SettingKey = keyof Settings
type ValueOf<S> = S extends { readonly type: ValueType<infer T>; readonly default: infer D }
  ? T | Extract<D, null>
  : never

/** One value per setting, defaults filled in, `store` worked out. */
export type Config = {
  readonly [K in Exclude<SettingKey, 'store'>]: ValueOf<Settings[K]>
} & { readonly store: types.StoreLocation }

/** A setting as code sees it that treats all alike. */
export type AnySetting = Setting<unknown, unknown>

export const settingList: readonly (readonly [SettingKey, AnySetting])[] = Object.entries(settings).map(
  ([key, value]) => [key as SettingKey, value as AnySetting],
)

export function flagName(setting: AnySetting): string {
  return `--${setting.name}`
}

export function variableName(setting: AnySetting): string {
  return `OUTHOOK_${setting.name.toUpperCase().replaceAll('-', '_')}`
}

export function memberName(setting: AnySetting): string {
  return setting.name.replaceAll('-', '_')
}
