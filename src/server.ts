/** The server: the engine, the HTTP API over it, metrics and logs. */
import { statSync } from 'node:fs'
import type { AlertSender } from './alerts/alert-sender.ts'
import { createServerAlertSender } from './alerts/server-alert-sender.ts'
import { createServerAlerts } from './alerts/server-alerts.ts'
import { createAdminTokenOf, createKeyOf } from './api/new-keys.ts'
import { type PortalOptions, readLogo } from './api/portal-page.ts'
import { healthServerName } from './api/routes/operations.ts'
import { buildServer } from './api/server.ts'
import { type App, openApp } from './app.ts'
import type { Config } from './config/schema.ts'
import { type Clock, createSystemClock } from './core/clock.ts'
import { OuthookError } from './core/errors.ts'
import { type Logger, silentLogger } from './core/logger.ts'
import { defaultTenantId } from './core/model.ts'
import { countActivity } from './count-activity.ts'
import type { AttemptActivity } from './delivery/activity.ts'
import type { Engine } from './engine/engine.ts'
import { endpointFields, logAttempt, logTrouble } from './log-attempt.ts'
import type { MetricsSnapshot } from './observability/aggregate-metrics.ts'
import { EventLoopLag } from './observability/event-loop-lag.ts'
import { createMetrics, type Metrics } from './observability/metrics.ts'
import { backupSqlite } from './store/sqlite/copy/backup.ts'
import { version } from './version.ts'

export { migrateStore } from './migrate-store.ts'
export { keepCounters, renderSnapshots } from './observability/aggregate-metrics.ts'
export { createLogger } from './observability/log.ts'
export { removeExpiredNow } from './remove-expired.ts'
export { outboxSql } from './store/sqlite/outbox/outbox-table.ts'
export { examineStore, migrateSchema } from './store-upkeep.ts'

export interface ServerHooks {
  readonly log: Logger
  /** Ends the wait for a store that does not answer yet; the start then rejects with its reason. */
  readonly signal?: AbortSignal
  readonly onAttempt?: (attempt: AttemptActivity) => void
  /** A master key file was made just now, at this path. */
  readonly onMasterKeyCreated?: (path: string) => void
  /** This process is one of several that answer `/metrics` as one. */
  readonly group?: MetricsGroup
}

export interface MetricsGroup {
  /** How the group learns what this process has counted. */
  offer(snapshot: () => Promise<MetricsSnapshot>): void
  /** The text for all of them. */
  render(): Promise<string>
}

export interface RunningServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string
  /** Set when an empty store made one just now; it is shown this once. */
  readonly adminToken: string | null
  /** Settles only when nothing can be stored any more until the process is started again. */
  readonly lost: Promise<Error>
  /** Drains within the deadline. May be called twice. */
  close(): Promise<void>
}

/** Errors: those of opening the store, and invalid_config when the port is taken or an alert channel is no URL. */
export async function startServer(config: Config, hooks: ServerHooks): Promise<RunningServer> {
  const clock = createSystemClock()
  const alerts = createAlerts(config, hooks.log, clock)
  return startWith({ alerts, clock }, config, hooks)
}

function createAlerts(config: Config, log: Logger, clock: Clock): AlertSender | null {
  const { alertChannels: channels, alertMention: mention, outboundProxy: proxy } = config
  return channels === null ? null : createServerAlertSender({ channels, mention, proxy, log, clock })
}

interface ServerParts {
  readonly alerts: AlertSender | null
  readonly clock: Clock
}

async function startWith(
  { alerts, clock }: ServerParts,
  config: Config,
  hooks: ServerHooks,
): Promise<RunningServer> {
  const { log, onMasterKeyCreated, group, signal } = hooks
  // Filled when the store is open: until then the server answers /healthz and says why it does nothing else.
  const engine = {} as Engine
  let opened: App | null = null
  const eventLoopLag = new EventLoopLag(clock)
  const metrics = createMetrics({
    eventLoopLag,
    counts: () => engine.counts(),
    inFlight: () => opened?.inFlight() ?? 0,
    dispatches: config.role !== 'api',
    version,
    outboxes: () => opened?.outboxes() ?? [],
  })
  const takesEvents = config.role !== 'dispatcher'
  const server = buildServer(engine, {
    version,
    clock,
    log,
    metrics: group ? { ...metrics, render: () => group.render() } : metrics,
    operationsOnly: !takesEvents,
    whyStarting: () => (opened === null ? whyStarting(config) : null),
    ingestRate: config.ingestRate,
    dashboard: config.dashboard === 'on',
    publicEventTypes: config.eventTypesPage === 'public',
    publicUrl: config.publicUrl,
    portal: portalOf(config),
    ...(config.adminToken !== null && { adminTokens: [config.adminToken] }),
  })
  const listenNow = () => server.listen({ host: config.host, port: config.port })
  const stops: (() => unknown)[] = [() => eventLoopLag.stop(), () => alerts?.close()]
  const close = async () => {
    try {
      // Requests end first: whoever got its 202 is stored, and nobody new is let in while deliveries drain.
      await server.close().finally(() => opened?.close())
    } finally {
      // Last: what the drain gives up is told too.
      for (const stop of stops.toReversed()) await stop()
    }
  }
  try {
    let early: Promise<string> | null = null
    const listenEarly = (): void => {
      early ??= listenNow().catch(refuseListening(config))
      // Heard below, once the store is open or is not.
      early.catch(() => undefined)
    }
    // The owner of a file has the port as well until it ends, and that is waited for when the file is opened.
    if (config.store.kind === 'postgres') {
      listenEarly()
      await early
    }
    opened = await openApp({
      config,
      logger: log,
      dispatch: config.role !== 'api',
      clock,
      signal,
      onSlowOpen: listenEarly,
      ...(onMasterKeyCreated && { onMasterKeyCreated }),
    })
    Object.assign(engine, opened.engine)
    listen(opened, hooks, metrics)
    group?.offer(metrics.snapshot)
    if (alerts !== null) {
      const { activity, counts } = engine
      const told = createServerAlerts({
        activity,
        counts,
        alerts,
        clock,
        log,
        backlogLimit: config.alertBacklog,
      })
      told.start()
      stops.push(() => told.stop())
    }
    listenEarly()
    const url = await (early as unknown as Promise<string>)
    const adminToken = config.adminToken === null && takesEvents ? await makeFirstAdminToken(opened) : null
    return { url, adminToken, lost: opened.lost, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Errors: invalid_config (the logo). */
function portalOf(config: Config): PortalOptions | null {
  if (config.portal === 'off') return null
  return {
    frameAncestors: config.portalFrameAncestors,
    name: config.portalName,
    accent: config.portalAccent,
    mode: config.portalMode,
    font: config.portalFont,
    logo: config.portalLogo === null ? null : readLogo(config.portalLogo),
  }
}

function whyStarting({ store }: Config): string {
  return store.kind === 'postgres'
    ? 'the server is starting and waits for PostgreSQL to answer; its log says for how long'
    : 'the server is starting and opens its database; its log says when that takes long'
}

function refuseListening(config: Config): (error: unknown) => Promise<never> {
  return async (error) => {
    throw await portProblem(error, config)
  }
}

/** Copies the live database into a new file, beside its owner, and says how large it became. */
export async function backupStore(config: Config, file: string): Promise<{ readonly bytes: number }> {
  if (config.store.kind === 'memory') {
    throw new OuthookError(
      'invalid_config',
      'a memory: store cannot be backed up; it lives in its process alone',
    )
  }
  if (config.store.kind === 'postgres') {
    throw new OuthookError(
      'invalid_config',
      'a PostgreSQL store is backed up with its own tools; use pg_dump or a base backup',
    )
  }
  await backupSqlite(config.store.path, file)
  return { bytes: statSync(file).size }
}

/** What a request to `POST /v1/keys` or `POST /v1/admin-tokens` says. `tenant` is an id or a uid. */
export type NewKeyRequest = { readonly tenant?: string | undefined } & (
  | { readonly route: 'keys'; readonly body: Parameters<typeof createKeyOf>[2] }
  | { readonly route: 'admin-tokens'; readonly body: Parameters<typeof createAdminTokenOf>[2] }
)

/**
 * Makes a key in a store that no server owns now, such as the first one of a deployment, and answers what the route would.
 */
export async function createKey(
  config: Config,
  request: NewKeyRequest,
  logger = silentLogger,
): Promise<Awaited<ReturnType<typeof createKeyOf | typeof createAdminTokenOf>>> {
  // What waits in outboxes is for a process that stays.
  const app = await openApp({
    config: { ...config, outboxes: [] },
    logger,
    dispatch: false,
    actor: 'command_line',
  })
  const { engine } = app
  try {
    const reach = request.tenant === undefined ? null : await engine.tenants.resolve(request.tenant)
    return request.route === 'keys'
      ? await createKeyOf(engine, { tenantId: reach ?? defaultTenantId, reach }, request.body)
      : await createAdminTokenOf(engine, reach, request.body)
  } finally {
    await app.close()
  }
}

function listen({ engine }: App, { log, onAttempt }: ServerHooks, metrics: Metrics): void {
  const { activity } = engine
  countActivity(activity, metrics)
  activity.on('attempt', (attempt) => logAttempt(log, attempt))
  if (onAttempt) activity.on('attempt', onAttempt)
  activity.on('deadLetter', (attempt) => logTrouble(log, attempt, 'delivery given up'))
  activity.on('deliveryFailing', (attempt) => logTrouble(log, attempt, 'delivery failing'))
  activity.on('endpointDisabled', (of) => log.warn(endpointFields(of), 'endpoint disabled'))
  activity.on('endpointEnabled', (of) => log.info(endpointFields(of), 'endpoint enabled again'))
}

async function makeFirstAdminToken({ engine }: App): Promise<string | null> {
  const input = { role: 'admin', label: 'first admin token' } as const
  return (await engine.adminTokens.createFirst(input))?.token ?? null
}

async function portProblem(error: unknown, config: Config): Promise<unknown> {
  const code = (error as NodeJS.ErrnoException).code
  const address = `${config.host}:${config.port}`
  if (code === 'EADDRINUSE') {
    const found = (await isOuthook(config))
      ? 'an Outhook server is listening there already; stop it'
      : 'another process is listening there; stop that'
    return new OuthookError('invalid_config', `${address} is taken: ${found}, or choose another --port`, {
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new OuthookError(
      'invalid_config',
      `cannot listen on ${address} (${code}); choose another --host or --port`,
      {
        cause: error,
      },
    )
  }
  return error
}

const askingMs = 500
/** What one listens on that stands for every address, and where it can be asked. */
const askable: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** Whether that is what holds the port. Never rejects; no answer is a no. */
async function isOuthook({ host, port }: Config): Promise<boolean> {
  const address = askable[host] ?? host
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}/healthz`
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(askingMs) })
    await answer.body?.cancel()
    return answer.headers.get('server') === healthServerName
  } catch {
    return false
  }
}
