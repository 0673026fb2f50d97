/** The composition root: puts together what `open-store.ts` opened, the sender and the engine. */
import type { TracerProvider } from '@opentelemetry/api'
import { type Clock, createSystemClock } from './core/clock.ts'
import type { OuthookError } from './core/errors.ts'
import { serverWords } from './core/face-words.ts'
import { createIdFactory } from './core/ids.ts'
import type { Keyring } from './core/keyring.ts'
import { RetryPolicies } from './core/retry-policies.ts'
import { createAccess } from './create-access.ts'
import { createCredentials } from './create-credentials.ts'
import { breakerOf, createDelivery, createSender, userAgent } from './create-delivery.ts'
import { createEndpoints, type EndpointParts } from './create-endpoints.ts'
import { createFigures } from './create-figures.ts'
import { createMasterKeys } from './create-master-keys.ts'
import { createOutboxRelays } from './create-outbox-relays.ts'
import { createRelay } from './create-relay.ts'
import { createSystem } from './create-system.ts'
import { type ActivityName, DeliveryActivity, type PayloadViolation } from './delivery/activity.ts'
import { RoutingCache } from './delivery/routing-cache.ts'
import { RoutingReload } from './delivery/routing-reload.ts'
import { Acting, type ActingOptions } from './engine/acting.ts'
import { ActivityStream } from './engine/activity-stream.ts'
import { BusyMeter } from './engine/busy-meter.ts'
import { Credentials } from './engine/credentials.ts'
import { DeadLetters } from './engine/dead-letters.ts'
import { Deliveries } from './engine/deliveries.ts'
import { DirectSends } from './engine/direct-sends.ts'
import { createDurableWork } from './engine/durable-work.ts'
import { EndpointTests } from './engine/endpoint-tests.ts'
import type { Engine } from './engine/engine.ts'
import { EventTypes } from './engine/event-types.ts'
import { Events } from './engine/events.ts'
import { Jobs } from './engine/jobs.ts'
import { KeyRates } from './engine/key-rates.ts'
import { LastUses } from './engine/last-uses.ts'
import { OrderedKeys } from './engine/ordered-keys.ts'
import type { OutboxState } from './engine/outbox-relay.ts'
import { PayloadRules } from './engine/payload-rules.ts'
import { Publisher } from './engine/publish.ts'
import { Readiness } from './engine/readiness.ts'
import { Subscriptions } from './engine/subscriptions.ts'
import { tellDeliveries, tellStream } from './engine/tell-stream.ts'
import { TenantUrls } from './engine/tenant-urls.ts'
import { Tenants } from './engine/tenants.ts'
import { TransactionalPublisher } from './engine/transactional-publish.ts'
import { warnOfUnknownProfiles } from './engine/warn-of-unknown-profiles.ts'
import { listenToCluster } from './listen-to-cluster.ts'
import { openTracing, type Tracing } from './observability/tracing.ts'
import { openSecretBox } from './open-secret-box.ts'
import { type OpenStoreOptions, openStore } from './open-store.ts'
import { createUrlCheck } from './sender/address-guard.ts'
import { createAddressPolicy } from './sender/address-policy.ts'
import { showStore } from './show-store.ts'
import { inCalendar } from './store/calendar.ts'
import type { Store } from './store/port.ts'
import { tracePublisher, traceStore, traceTransactionalPublisher } from './trace-parts.ts'
import { version } from './version.ts'

/** Publishing waits this long for a commit before it answers `store_unavailable`. */
const publishTimeoutMs = 10_000
/** More deliveries of one ordering key than anybody has. */
const noBacklogLimit = 2 ** 31 - 1

export interface AppOptions extends OpenStoreOptions, ActingOptions, Pick<EndpointParts, 'kinds'> {
  /** False: this process publishes and reads, and delivers nothing. */
  readonly dispatch: boolean
  /** Default: the system's. */
  readonly clock?: Clock
  /** A listener of the engine's events threw or rejected. Default: an error in the log. */
  readonly onListenerError?: (error: unknown, name: ActivityName) => void
  /** A master key file was made just now. Default: a warning in the log. */
  readonly onMasterKeyCreated?: (file: string) => void
  /** Default: what an OpenTelemetry SDK has registered, if there is one. */
  readonly tracerProvider?: TracerProvider | undefined
  /** Wraps the store, for tests that make it fail. */
  readonly wrapStore?: (store: Store) => Store
}

export interface App {
  readonly engine: Engine
  /** Requests to endpoints that are open now. */
  inFlight(): number
  /** Of each outbox in a SQLite file of the user's own. */
  outboxes(): readonly OutboxState[]
  /** Refuses new events, drains within the configured deadline, and closes the store. Can be called twice. */
  close(): Promise<void>
  /** Settles only when the store can never answer again in this process. */
  readonly lost: Promise<OuthookError>
}

/** Opens the store and starts delivering. Errors: store_locked, store_missing, store_incompatible, wrong_master_key, invalid_config. */
export async function openApp(options: AppOptions): Promise<App> {
  const clock = options.clock ?? createSystemClock()
  const tracing = await openTracing(version, options.tracerProvider)
  const acting = new Acting(options)
  const opened = await openStore({ ...options, actorOf: acting.current }, clock)
  const wrapped = options.wrapStore?.(opened) ?? opened
  const stream = new ActivityStream({ clock, relay: wrapped.cluster?.stream ?? null })
  const store = tellStream(tracing === null ? wrapped : traceStore(wrapped, tracing, clock), stream)
  try {
    const secretBox = await openSecretBox(options, store)
    return await assemble(options, { clock, store, stream, tracing, secretBox, acting })
  } catch (error) {
    await store.close()
    throw error
  }
}

interface Parts {
  readonly clock: Clock
  readonly store: Store
  readonly stream: ActivityStream
  readonly secretBox: Keyring
  readonly tracing: Tracing | null
  readonly acting: Acting
}

async function assemble(
  { config, logger, dispatch, onListenerError, kinds, words = serverWords }: AppOptions,
  { clock, store, stream, secretBox, tracing, acting }: Parts,
): Promise<App> {
  await store.cluster?.outbox.setKeyTtl(config.idempotencyTtlMs)
  const ids = createIdFactory(store.time.now)
  const activity = new DeliveryActivity(
    onListenerError ?? ((error, event) => logger.error({ err: error, event }, 'a listener threw')),
  )
  tellDeliveries(activity, stream)
  const guard = createAddressPolicy(config, words)
  const retryPolicies = new RetryPolicies(config.retryProfiles, config.defaultRetryPolicy)
  const routing = new RoutingCache({
    load: (tenantId) => payloads.prepared(store.loadRouting(tenantId)),
    secretBox,
    policies: retryPolicies,
    breaker: breakerOf(config),
    kinds,
  })
  const sending = { config, logger, store, clock, activity, routing, guard }
  const onNotice = () => durableWork.expiries.wake()
  const { credentials, closeCredentials } = createCredentials({ ...sending, secretBox, onNotice })
  const onNotices = () => durableWork.notices.wake()
  const delivery = dispatch ? createDelivery({ ...sending, credentials, tracing, onNotices }) : null
  const dispatcher = delivery?.dispatcher ?? null
  const readiness = new Readiness({ store, clock, logger })
  const onStarted = () => durableWork.masterKeys.wake()
  const masterKeys = createMasterKeys(store, { keyring: secretBox, words, logger, onStarted })
  const durableWork = createDurableWork({
    store,
    masterKeys,
    ids,
    clock,
    logger,
    onDueWork: () => dispatcher?.wake(),
    onEnabled: (tenantId, endpointId) => onChange(tenantId, endpointId),
    operational: {
      store: inCalendar(store),
      routing,
      publisher: { publish: (event) => publisher.publish(event) },
      onEnabledAgain: (enabled) => activity.tell('endpointEnabled', enabled),
    },
  })
  const keyRates = new KeyRates({ clock, tokens: store.cluster?.keyTokens ?? null })
  const onFiltered = (count: number) => activity.tell('filtered', { count })
  activity.on('endpointDisabled', onNotices)
  const onViolation = (violation: PayloadViolation) => activity.tell('violation', violation)
  const payloads = new PayloadRules({ store, isShared: store.cluster !== null, clock, logger, onViolation })
  const onLargeFanOut = () => durableWork.fanOuts.wake()
  const publisher = new Publisher({
    store: readiness,
    pace: store.pace.publishes,
    words,
    routing,
    dispatcher,
    busy: new BusyMeter(),
    ids,
    clock,
    time: store.time,
    idempotencyTtlMs: config.idempotencyTtlMs,
    rates: keyRates,
    payloads,
    timeoutMs: publishTimeoutMs,
    maxOrderedBacklog: config.orderedKeyBacklogMax || noBacklogLimit,
    onAccepted: onLargeFanOut,
    onFiltered,
  })
  const relayed = { routing, ids, clock, logger, onFiltered, onLargeFanOut, payloads, dispatcher }
  const relay = createRelay({ ...relayed, cluster: store.cluster })
  const transactionalPublisher = new TransactionalPublisher({
    outbox: store.cluster?.outbox ?? null,
    payloads,
    routing,
    ids,
    clock,
    time: store.time,
    idempotencyTtlMs: config.idempotencyTtlMs,
    onAccepted: () => relay?.wake(),
  })
  const routingReload = new RoutingReload({ routing, clock })
  const onChange = (tenantId: string, endpointId?: string) => {
    routing.invalidate(tenantId)
    routingReload.changed(tenantId)
    // What waits in memory was meant for the endpoint as it was.
    if (endpointId !== undefined) {
      dispatcher?.giveBackWaiting(endpointId)
      // It may have been disabled or enabled.
      durableWork.notices.wake()
    }
    delivery?.maintenance.applyChangesSoon()
  }
  const { shown, idempotentRequests } = showStore(store, { secretBox, ttlMs: config.idempotencyTtlMs })
  const keyUses = new LastUses({ of: 'keys', keep: store.noteKeyUse, time: store.time, clock, logger })
  const onDelete = (tenantId: string) => {
    dispatcher?.giveBackWaiting(tenantId)
    durableWork.removals.wake()
  }
  const onTenantChange = (tenantId: string) => {
    onChange(tenantId)
    dispatcher?.giveBackWaiting(tenantId)
  }
  const tenantParts = { store: shown, ids, words, retryPolicies, clock }
  const tenants = new Tenants({ ...tenantParts, onChange: onTenantChange, onDelete })
  const urls = new TenantUrls({ checkUrl: createUrlCheck(guard, { clock }), routing, store })
  const { randomBytes } = idempotentRequests
  const parts = { store: shown, ids, secretBox, randomBytes, kinds, words, logger, urls, onChange }
  const { publicUrl } = config
  const traced = tracePublisher(publisher, tracing)
  const sendParts = { publisher: traced, routing, urls, words, retryPolicies }
  const directSends = new DirectSends({ ...sendParts, maxTimeoutMs: config.totalTimeoutMs })
  const testSender = createSender({ config, clock, guard }, 16)
  const inFlight = () => dispatcher?.inFlight ?? 0
  const { nodes, ...figures } = createFigures({ store, config, dispatch, inFlight, clock, logger })
  const testing = { routing, ids, clock, time: store.time, random: Math.random, credentials, userAgent }
  const engine: Engine = {
    publisher: traced,
    transactionalPublisher: traceTransactionalPublisher(transactionalPublisher, tracing),
    activity,
    events: new Events({ store: shown, activity, clock }),
    ...createEndpoints({ ...parts, retryPolicies, serverBreaker: breakerOf(config) }),
    credentials: new Credentials(parts),
    eventTypes: new EventTypes({ store: shown, rules: payloads, onChange }),
    directSends,
    endpointTests: new EndpointTests({ ...testing, sender: testSender }),
    subscriptions: new Subscriptions({ ...parts, retryPolicies }),
    deliveries: new Deliveries({ ...testing, store: shown, onDueWork: () => dispatcher?.wake() }),
    deadLetters: new DeadLetters({ store: shown, onDueWork: () => dispatcher?.wake() }),
    orderedKeys: new OrderedKeys({ store: shown, time: store.time, words }),
    jobs: new Jobs({ store: shown, ids, onJob: () => durableWork.jobs.wake() }),
    tenants,
    masterKeys,
    ...createAccess({ ...parts, shown, store, tenants, time: store.time, uses: keyUses, publicUrl }),
    acting,
    idempotentRequests,
    keyRates,
    stream,
    system: createSystem(config, clock),
    ...figures,
    ping: () => readiness.check(),
  }
  listenToCluster({ store, engine, payloads, dispatcher, routing, routingReload, stream })
  const outboxParts = { publisher, tenants: engine.tenants, store, clock, logger }
  const outboxRelays = createOutboxRelays(config.outboxes, outboxParts)
  await warnOfUnknownProfiles(store, retryPolicies, logger)
  await payloads.start()
  await delivery?.start()
  relay?.start()
  for (const each of outboxRelays) each.start()
  durableWork.start()
  nodes.start()
  let closed: Promise<void> | null = null
  const close = async () => {
    try {
      stream.close()
      routingReload.stop()
      transactionalPublisher.close()
      // Nothing new from now on: what a relay gives it meanwhile stays in its file.
      const published = publisher.close()
      await Promise.all(outboxRelays.map((each) => each.stop()))
      await published
      await relay?.stop()
      await payloads.stop()
      await durableWork.stop()
      await testSender.close({ abort: true })
      await delivery?.stop(config.drainDeadlineMs)
      await keyUses.close()
      await closeCredentials()
    } finally {
      await Promise.all([nodes.stop(), engine.system.stop()])
      await store.close()
    }
  }
  return {
    engine,
    inFlight,
    outboxes: () => outboxRelays.map(({ state }) => state),
    lost: store.lost ?? new Promise(() => {}),
    close: () => {
      closed ??= close()
      return closed
    },
  }
}
