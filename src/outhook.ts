/** The library: durable webhooks inside a Node program. */
import type { EventEmitter } from 'node:events'
import type { TracerProvider } from '@opentelemetry/api'
import { type App, openApp } from './app.ts'
import { loadConfig } from './config/load-config.ts'
import { OuthookError } from './core/errors.ts'
import { libraryWords } from './core/face-words.ts'
import { warnOfListener } from './core/listeners.ts'
import type { Logger } from './core/logger.ts'
import { defaultTenantId } from './core/model.ts'
import type { RetryPolicyObject } from './core/retry-policy-json.ts'
import type { StreamItem, StreamMissed } from './core/stream-item.ts'
import { warnOfErrors } from './core/warnings.ts'
import type { AdminTokens } from './engine/admin-tokens.ts'
import type { MasterKeys } from './engine/master-key.ts'
import type { CreatedPortalLink, PortalLinkInput } from './engine/portal-links.ts'
import type { Stats } from './engine/stats.ts'
import type { Tenants } from './engine/tenants.ts'
import { checkEventName, type OuthookEvents } from './outhook-events.ts'
import { invalid } from './publish-input.ts'
import { type StreamOptions, streamItems } from './stream-items.ts'
import { type OfTenant, ofTenant, serviceOf, TenantHooks } from './tenant-hooks.ts'

/** Durations are milliseconds or text such as `'500ms'`, `'5s'`, `'2h'`. */
export type Duration = number | string

export interface OpenOptions {
  /** `'sqlite:PATH'`, `'postgres://…'` for many processes on one database, or `'memory:'` for tests. */
  readonly store: string
  /**
   * SQLite files of your own such as `['sqlite:app.db']`, in which `outboxSql()` made an outbox: what `publishInto`, or an
   * `insert` of any program, committed there is published by this process. Default none.
   */
  readonly outboxes?: readonly string[]
  /** False: this process publishes and reads; nothing is delivered from here. Default true. */
  readonly dispatch?: boolean
  /** 64 hex digits or base64 of 32 bytes. Default: `OUTHOOK_MASTER_KEY`, else (SQLite only) a key file beside the database. */
  readonly masterKey?: string
  /** While the master key is exchanged: the one of before. Else the variable `OUTHOOK_MASTER_KEY_OLD`. */
  readonly masterKeyOld?: string
  /** How long opening waits for PostgreSQL to answer; 0 is not at all. Default 60 s. */
  readonly storeWait?: Duration
  /** Makes a new SQLite database where one is missing or empty though its key file is there. Default false: refused. */
  readonly newStore?: boolean
  /** Allows `http://` endpoints. Default false. */
  readonly allowHttp?: boolean
  /** Private ranges that endpoints may lie in, such as `['127.0.0.0/8']`. Default none. */
  readonly allowNetworks?: readonly string[]
  /** Hosts that endpoints may have whatever range their addresses are of, with all names below them. Default none. */
  readonly allowHosts?: readonly string[]
  /** Ports that endpoints may have although they are those of mail, databases and the like. Default none. */
  readonly allowPorts?: readonly number[]
  /** Ranges that no request goes to, public ones too, such as `['203.0.113.0/24']`. Wins over all that is allowed. Default none. */
  readonly denyNetworks?: readonly string[]
  /** Hosts that no request goes to, with all names below them. Wins over all that is allowed. Default none. */
  readonly denyHosts?: readonly string[]
  /**
   * Proxy that all requests go through: `http://`, `https://` or `socks5://`, with `user:password@` where it asks for one.
   * Names are looked up here, and the proxy is told the address that was checked. Default none.
   */
  readonly outboundProxy?: string
  /**
   * Where browsers reach a server on the same store, such as `'https://hooks.example.com'`: links to the portal begin with
   * it. Default: none, and each link has to say it.
   */
  readonly publicUrl?: string
  /** Requests in flight at one time, to all endpoints together. Default 512. */
  readonly maxInFlight?: number
  /**
   * `'standard'` (the default: 10 attempts over three days), or the rules of another system: `'hookrail'` (a webhook
   * server, 8 attempts within minutes), `'dograh'` (a voice platform, 5 over 8 minutes), `'pyfly'` (a Python framework,
   * 5 over 75 seconds). Or one of `retryProfiles`, or a policy object as in the API (snake_case JSON).
   */
  readonly defaultRetryPolicy?: string | RetryPolicyObject
  /**
   * Retry policies of your own by name, as in the API (snake_case JSON), which subscriptions, endpoints, tenants and sends
   * can name then. The same for every process on one store. What names one that is not there goes by the next policy.
   *
   * @example
   * { gentle: { delays: ['1m', '1h'], jitter: 'none' } }
   */
  readonly retryProfiles?: Readonly<Record<string, RetryPolicyObject>>
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
  /**
   * Failed attempts of a delivery after which it is failing, while others follow: `deliveryFailing` is emitted, and tenants
   * who subscribe to `delivery.failing` are told. 0 is never. Default 3.
   */
  readonly failingAfter?: number
  /**
   * Deliveries of one ordering key that may wait in an ordered subscription; an event that would make it more is refused
   * (`BacklogFullError`). 0 is no limit. Default 10 000.
   */
  readonly orderedKeyBacklogMax?: number
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
  /** How long a job is shown after its end; 0 is for ever. Default 30 days. */
  readonly retainJobs?: Duration
  /** A master key file was made just now, at this path: back it up. Not called for a file that was there. */
  readonly onMasterKeyCreated?: (file: string) => void
  /**
   * pino's loggers fit. Default: nothing is logged, and what would be an error there, such as a database file that was
   * deleted, is a warning of the process (`process.on('warning')`).
   */
  readonly logger?: Logger
  /** Whether receivers get the trace context (`traceparent`, `tracestate`) of whoever published. Default `'pass'`. */
  readonly traceHeaders?: 'pass' | 'drop'
  /**
   * Of an OpenTelemetry SDK. Default: the one that is registered when this opens. Without either nothing is traced, and
   * nothing of OpenTelemetry is loaded.
   */
  readonly tracerProvider?: TracerProvider
}

export interface PortalLinkOrder extends PortalLinkInput {
  /** The tenant's id or uid. */
  readonly tenantId: string
}

const tenantMethods = [
  'create',
  'upsert',
  'get',
  'getByUid',
  'list',
  'update',
  'delete',
] as const satisfies readonly (keyof Tenants)[]
type TenantMethod = (typeof tenantMethods)[number]

type AdminTokenMethod = 'create' | 'get' | 'list' | 'revoke'

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
export class Outhook<Topics extends object = Record<string, any>>
  extends TenantHooks<Topics>
  implements AsyncDisposable
{
  /** Whose webhooks these are, where they are several customers'. */
  readonly tenants: Pick<Tenants, TenantMethod>
  /** Of people and scripts who use the API of a server on the same store; `tenantId` of one makes it a tenant's. */
  readonly adminTokens: Pick<OfTenant<AdminTokens>, AdminTokenMethod>
  /** Exchanges the master key while the store is in use; needs `masterKeyOld`. */
  readonly masterKeys: Pick<MasterKeys, 'rotate' | 'state'>
  /** Figures of all tenants together, and of the processes on the store. `stats` has those of the tenant `default`. */
  readonly serverStats: Pick<OfTenant<Stats>, 'now' | 'series' | 'trouble'>
  readonly #app: App
  readonly #emitter: EventEmitter

  private constructor(app: App) {
    const { engine } = app
    super(engine, defaultTenantId, 'server')
    this.#app = app
    this.#emitter = engine.activity as EventEmitter
    this.tenants = serviceOf(engine.tenants, tenantMethods)
    this.masterKeys = serviceOf(engine.masterKeys, ['rotate', 'state'])
    const { create, get, list, revoke } = ofTenant(engine.adminTokens, () => null)
    this.adminTokens = { create, get, list, revoke }
    const { now, series, trouble } = ofTenant(engine.stats, () => null)
    this.serverStats = { now, series, trouble }
  }

  /**
   * The same for one tenant, named by its id or its uid: what it publishes, makes and reads is that tenant's. The tenant
   * is looked up with each call. Errors of each call, besides its own: not_found (there is no such tenant).
   *
   * @example
   * await hooks.tenants.upsert({ uid: 'acme', name: 'Acme Inc.' })
   * const acme = hooks.tenant('acme')
   * await acme.endpoints.upsert({ uid: 'billing', url: 'https://acme.example/hook', topics: ['orders.*'] })
   * await acme.publish({ topic: 'orders.created', payload: { id: 'o_1' } })
   */
  tenant(name: string): TenantHooks<Topics> {
    return new TenantHooks<Topics>(this.#app.engine, name)
  }

  /**
   * A link to the portal for the people of one tenant, which is named by its id or uid. `portalLinks` of `tenant(name)`
   * lists and revokes them. Errors: not_found (the tenant), unprocessable, invalid_config (nothing says where the portal is).
   *
   * @example
   * const { url } = await hooks.portalLink({ tenantId: 'acme', abilities: ['view', 'resend'], expiresIn: '8h' })
   */
  async portalLink({ tenantId, ...input }: PortalLinkOrder): Promise<CreatedPortalLink> {
    if (typeof tenantId !== 'string') throw invalid("tenantId is required: an id or uid, such as 'acme'")
    return this.tenant(tenantId).portalLinks.create(input)
  }

  /**
   * Opens the store and starts delivering. Installs no signal handlers: call `close` when the program ends.
   * Errors: invalid_config, store_locked, store_missing, store_incompatible, wrong_master_key.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  static async open<Topics extends object = Record<string, any>>(
    options: OpenOptions,
  ): Promise<Outhook<Topics>> {
    const { dispatch, logger, onMasterKeyCreated, tracerProvider, ...given }: Partial<OpenOptions> =
      options ?? {}
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
      actor: 'library',
      tracerProvider,
      ...(logger === undefined && {
        onListenerError: (error: unknown, name: string) => warnOfListener(`a listener of "${name}"`, error),
      }),
      ...(onMasterKeyCreated !== undefined && { onMasterKeyCreated }),
    })
    return new Outhook<Topics>(app)
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

  /** As of a tenant, that of `default`; with `allTenants` of all of them. */
  override stream(
    options: StreamOptions & { readonly allTenants?: boolean } = {},
  ): AsyncGenerator<StreamItem | StreamMissed, void, undefined> {
    const { allTenants = false, ...others } = options
    return allTenants ? streamItems(this.#app.engine, () => null, others) : super.stream(others)
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
  return {
    OUTHOOK_MASTER_KEY: env.OUTHOOK_MASTER_KEY,
    OUTHOOK_MASTER_KEY_OLD: env.OUTHOOK_MASTER_KEY_OLD,
  }
}
