import { type Clock, createSystemClock } from '../../core/clock.ts'
import { type IdPrefix, idPrefixes } from '../../core/ids.ts'
import { type Logger, silentLogger } from '../../core/logger.ts'
import { bytesOfId } from '../cursors.ts'
import type { ActorOf, ReadStore, Store } from '../port.ts'
import { recordWrites } from '../record-writes.ts'
import { createAuditStore } from './audit/audit-store.ts'
import { writeAs } from './audit/write-audited.ts'
import { type Claimant, rotationStart } from './claim/candidates.ts'
import { claim } from './claim/claim.ts'
import { Leases } from './claim/leases.ts'
import { newNode } from './claim/shares.ts'
import { createShares } from './claim/slot-shares.ts'
import { deleteEndpoint, insertEndpoint, updateEndpoint } from './config/endpoints.ts'
import { createKeyStore } from './config/key-store.ts'
import { setMetaOnce } from './config/keys.ts'
import { createNoticeStore } from './config/notices.ts'
import { createSecretStore } from './config/secret-store.ts'
import { deleteSubscription, insertSubscription, updateSubscription } from './config/subscriptions.ts'
import { createTenantStore } from './config/tenant-store.ts'
import { Database } from './connection/database.ts'
import { Hints } from './connection/hints.ts'
import { createPostgresPace, type PostgresPace } from './connection/pace.ts'
import { createRunner, type Runner } from './connection/runner.ts'
import type { ServerTime } from './connection/server-time.ts'
import { openServerTime } from './connection/server-time-row.ts'
import { tellOthers } from './connection/tell-others.ts'
import { refuseUnfinishedCopy } from './copy/copy-target.ts'
import { createJobStore } from './jobs/job-store.ts'
import { createOrderingStore } from './ordering/ordering-store.ts'
import { createKeyTokens } from './publish/key-rates.ts'
import { type FanOutTurn, fanOutSlice } from './publish/large-fan-out.ts'
import { createOutboxStore } from './publish/outbox-store.ts'
import { publish, startPublish } from './publish/publish.ts'
import { listAttempts } from './read/attempts.ts'
import * as config from './read/config.ts'
import { countInFlight, counts } from './read/counts.ts'
import * as read from './read/deliveries.ts'
import * as events from './read/events.ts'
import { countDeadLetterReasons, listDeadLetters, listDeliveries } from './read/list-deliveries.ts'
import { listEvents } from './read/list-events.ts'
import { countRetryProfiles } from './read/retry-profiles.ts'
import { type Atomic, waitedInVain } from './record/apart.ts'
import { cancelByHand } from './record/cancel.ts'
import { createDeliveryNoticeStore } from './record/delivery-notices.ts'
import { expungeAnswers, expungePayload } from './record/expunge.ts'
import { recordApart, recordPlainly, recordSuccesses, recordWithHealth } from './record/record.ts'
import { release, releaseApart } from './record/release.ts'
import { replay, resend } from './record/replay.ts'
import { createRequestStore } from './requests/request-store.ts'
import { createMaintenanceStore } from './upkeep/maintenance-store.ts'
import { createNodeBook } from './upkeep/node-book.ts'
import { checkWritable, ping, probeWrite } from './upkeep/probe.ts'
import { createRecovery, type Recovery } from './upkeep/recovery.ts'
import { createStatsStore } from './upkeep/stats-store.ts'

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`, with the parameters that `pg` knows. */
  readonly url: string
  /** Everything lives in this schema, which is made if it is not there. Default: `outhook`. */
  readonly schema?: string
  /** Default: silent. */
  readonly logger?: Logger
  /** Who makes the writes of now. Default: nobody, so that no line is written. */
  readonly actorOf?: ActorOf
  /** In tests: stands for the server's clock. */
  readonly shiftMs?: () => number
  /** In tests: the scale that this process's own time goes by. Default: that of `shiftMs`, or the system's. */
  readonly elapsed?: () => number
}

/**
 * Opens the store that many nodes share, and brings its schema up to date. Rejects with `store_incompatible` when a
 * newer Outhook has changed it beyond what this one knows or a copy into it is unfinished, `store_unavailable` when it
 * cannot be reached.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, schema = 'outhook', logger = silentLogger } = options
  // The network and the server keep real time, whatever clock a test gives to the rest.
  const clock = createSystemClock()
  const database = await Database.open({ url, schema, clock, logger })
  try {
    await database.statement('read', refuseUnfinishedCopy)
  } catch (error) {
    await database.close()
    throw error
  }
  const time = await openServerTime(database, { ...options, clock })
  const hints = new Hints({ schema, clock, logger, connect: () => database.connect('hints') })
  const run = createRunner(database, time)
  const claimant: Claimant = {
    node: newNode(),
    rotation: { after: rotationStart, credits: new Map() },
    marks: new Map(),
    leases: new Leases(time.now),
  }
  const recovery = createRecovery(run, claimant.leases)
  const cluster = {
    shares: createShares(run, claimant.node),
    keyTokens: createKeyTokens(run),
    nodes: createNodeBook(run),
    outbox: createOutboxStore(run, schema, time),
  }
  const store = recordWrites(
    createStore({ database, run, claimant, recovery, clock, time }),
    options.actorOf ?? (() => null),
    (write) => run.atomic('config', (context) => writeAs(context, write)),
  )
  return tellOthers(store, cluster, hints)
}

interface StoreParts {
  readonly database: Database
  readonly run: Runner
  readonly claimant: Claimant
  readonly recovery: Recovery
  readonly clock: Clock
  readonly time: ServerTime
}

function createStore(parts: StoreParts): Omit<Store, 'cluster'> {
  const { database, run, clock, time } = parts
  const pace = createPostgresPace(clock)
  const turn: FanOutTurn = { after: null }
  return {
    async ping() {
      await Promise.all([run.plain('read', ping), run.plain('publish', checkWritable)])
    },
    probeWrite: () => run.atomic('publish', probeWrite),
    async close() {
      await time.stop()
      await database.close()
    },
    // The lane of what nobody waits for.
    fanOutSlice: (deliveryIds) => run.atomic('config', (context) => fanOutSlice(context, deliveryIds, turn)),
    pace,
    time,
    ...createConfigStore(run),
    ...createNoticeStore(run),
    ...createDeliveryNoticeStore(run),
    ...createSecretStore(run),
    ...createTenantStore(run, parts.recovery.now),
    ...createKeyStore(run),
    ...createDeliveryStore(run, parts, pace),
    ...createOrderingStore(run),
    ...createReadStore(run),
    ...createJobStore(run),
    ...createRequestStore(run),
    ...createAuditStore(run),
    ...createMaintenanceStore(run, parts.recovery),
    ...createStatsStore(run),
  }
}

function createConfigStore({ plain, atomic, snapshot }: Runner) {
  return {
    loadRouting: (tenantId) => snapshot((context) => config.loadRouting(context, tenantId)),
    insertEndpoint: (input) => atomic('config', (context) => insertEndpoint(context, input)),
    updateEndpoint: async (tenantId, id, patch, options) =>
      is(idPrefixes.endpoint, id)
        ? atomic('config', (context) => updateEndpoint(context, tenantId, id, patch, options))
        : null,
    deleteEndpoint: async (tenantId, id, options) =>
      is(idPrefixes.endpoint, id) &&
      atomic('config', (context) => deleteEndpoint(context, tenantId, id, options)),
    getEndpoint: (tenantId, id, options) =>
      plain('read', (context) => config.getEndpoint(context, tenantId, id, options)),
    getEndpointByUid: (tenantId, uid) =>
      plain('read', (context) => config.getEndpointByUid(context, tenantId, uid)),
    listHeldEndpoints: (ids) => plain('read', (context) => config.listHeldEndpoints(context, ids)),
    listFailing: (ids) => plain('read', (context) => config.listFailing(context, ids)),
    countInFlight: (tenantId, ids) => plain('read', (context) => countInFlight(context, tenantId, ids)),
    listEndpoints: (tenantId, page) =>
      plain('read', (context) => config.listEndpoints(context, tenantId, page)),
    insertSubscription: (input) => atomic('config', (context) => insertSubscription(context, input)),
    updateSubscription: async (tenantId, id, patch, options) =>
      is(idPrefixes.subscription, id)
        ? atomic('config', (context) => updateSubscription(context, tenantId, id, patch, options))
        : null,
    deleteSubscription: async (tenantId, id, options) =>
      is(idPrefixes.subscription, id) &&
      atomic('config', (context) => deleteSubscription(context, tenantId, id, options)),
    getSubscription: (tenantId, id, options) =>
      plain('read', (context) => config.getSubscription(context, tenantId, id, options)),
    listSubscriptions: (tenantId, page) =>
      plain('read', (context) => config.listSubscriptions(context, tenantId, page)),
    countRetryProfiles: () => plain('read', countRetryProfiles),
    setMetaOnce: (name, value) => plain('config', (context) => setMetaOnce(context, name, value)),
  } satisfies Partial<Store>
}

function createDeliveryStore(
  { plain, atomic }: Runner,
  { claimant, recovery }: StoreParts,
  { claims }: PostgresPace,
) {
  const heldKeys = new Set<string>()
  const { leases, node } = claimant
  const atomicRecord: Atomic = (work) => atomic('record', work)
  const apartness = { atomic: atomicRecord, leases }
  return {
    publish: (batch, { leaseMs, maxOrderedBacklog }) => {
      const progress = startPublish(batch, heldKeys)
      claims.notePublish(batch.reduce((sum, { deliveries }) => sum + Math.max(1, deliveries.length), 0))
      return plain('publish', (context) =>
        publish(context, progress, { leaseMs, node, leases, maxOrderedBacklog }),
      ).finally(() => claims.noteWaiting())
    },
    async claim(request) {
      await recovery.beforeClaim()
      const { claimed } = await atomic('claim', (context) => claim(context, request, claimant))
      const { result, granted } = await claimed
      for (const lease of granted) leases.grant(lease, request.leaseMs)
      return result
    },
    async recordOutcomes(outcomes, breaker) {
      const request = { outcomes, breaker, leases }
      try {
        // The second's two statements by themselves would be two transactions to the server.
        const recorded =
          (await plain('record', (context) => recordSuccesses(context, request))) ??
          (await atomicRecord((context) => recordPlainly(context, request)))
        return leases.conclude(
          recorded ?? (await atomicRecord((context) => recordWithHealth(context, request))),
        )
      } catch (error) {
        if (!waitedInVain(error)) throw error
        return recordApart(apartness, request)
      }
    },
    async release(releases) {
      try {
        return leases.conclude(await atomicRecord((context) => release(context, leases, releases)))
      } catch (error) {
        if (!waitedInVain(error)) throw error
        return releaseApart(apartness, releases)
      }
    },
    replay: async (tenantId, deliveryId) =>
      is(idPrefixes.delivery, deliveryId)
        ? atomic('config', (context) => replay(context, tenantId, deliveryId))
        : { kind: 'not_found' },
    resend: async (tenantId, deliveryId) =>
      is(idPrefixes.delivery, deliveryId)
        ? atomic('config', (context) => resend(context, tenantId, deliveryId))
        : { kind: 'not_found' },
    cancelDelivery: async (tenantId, deliveryId, reason) =>
      is(idPrefixes.delivery, deliveryId)
        ? atomic('config', (context) => cancelByHand(context, tenantId, deliveryId, reason))
        : { kind: 'not_found' },
    expungePayload: (tenantId, eventId) =>
      atomic('config', (context) => expungePayload(context, tenantId, eventId)),
    expungeAnswers: (deliveryIds) => atomic('config', (context) => expungeAnswers(context, deliveryIds)),
    loadHealth: () => plain('read', (context) => config.loadHealth(context)),
  } satisfies Partial<Store>
}

function createReadStore({ plain }: Runner): ReadStore {
  return {
    getEvent: (tenantId, id) => plain('read', (context) => events.getEvent(context, tenantId, id)),
    listEvents: (...of) => plain('read', (context) => listEvents(context, ...of)),
    getPayload: (tenantId, id) => plain('read', (context) => events.getPayload(context, tenantId, id)),
    listDeliveriesOfEvent: (tenantId, eventId, page) =>
      plain('read', (context) => read.listDeliveriesOfEvent(context, tenantId, eventId, page)),
    getDelivery: (tenantId, id) => plain('read', (context) => read.getDelivery(context, tenantId, id)),
    listDeliveries: (tenantId, filter, page) =>
      plain('read', (context) => listDeliveries(context, tenantId, filter, page)),
    listAttempts: (deliveryIds, options) =>
      plain('read', (context) => listAttempts(context, deliveryIds, options)),
    countDeadLetterReasons: (tenantId, filter) =>
      plain('read', (context) => countDeadLetterReasons(context, tenantId, filter)),
    listDeadLetters: (tenantId, filter, page) =>
      plain('read', (context) => listDeadLetters(context, tenantId, filter, page)),
    counts: () => plain('read', counts),
  }
}

/** What is no id of the kind belongs to nothing: the answer is "not found", not an error. */
function is(prefix: IdPrefix, id: string): boolean {
  return bytesOfId(prefix, id) !== null
}
