import { type IdPrefix, idPrefixes } from '../../core/ids.ts'
import { bytesOfId } from '../cursors.ts'
import type { AuditedWrite, Store } from '../port.ts'
import { recordWrites } from '../record-writes.ts'
import { connect, type SqliteStoreOptions, type StoreConnection } from './threads/store-connection.ts'

export type { SqliteStoreOptions } from './threads/store-connection.ts'

export interface SqliteStore extends Store {
  /** Transactions committed since the store was opened. */
  readonly commits: number
  setMaxPageCount(pages: number): Promise<void>
  /** The writer connection's setting of that name. */
  readPragma(name: string): Promise<unknown>
}

/**
 * Opens the embedded store and becomes the file's owner. Rejects with `store_locked` when another process stays
 * its owner, `store_missing` when the database is gone from beside its key file, `store_incompatible` when a newer Outhook wrote it, `store_unavailable` when it cannot be opened.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const connection = await connect(options)
  const runAudited = (write: AuditedWrite) => connection.write('writeAudited', write)
  return recordWrites(createStore(connection), options.actorOf ?? nobody, runAudited)
}

const nobody = () => null

function createStore(connection: StoreConnection): SqliteStore {
  const { write, read } = connection
  return {
    get commits() {
      return connection.commits
    },
    setMaxPageCount: (pages) => write('setMaxPageCount', pages),
    readPragma: (name) => write('readPragma', name),

    async ping() {
      await Promise.all([write('ping'), read('ping')])
    },
    async probeWrite() {
      await write('insertProbe')
      await write('deleteProbe')
    },
    lost: connection.lost,
    close: () => connection.close(),
    cluster: null,

    loadRouting: (tenantId) => read('loadRouting', tenantId),
    insertEndpoint: (input) => write('insertEndpoint', input),
    updateEndpoint: async (tenantId, id, patch, options) =>
      is(idPrefixes.endpoint, id) ? write('updateEndpoint', tenantId, id, patch, options) : null,
    deleteEndpoint: async (tenantId, id, options) =>
      is(idPrefixes.endpoint, id) && write('deleteEndpoint', tenantId, id, options),
    getEndpoint: (tenantId, id, options) => read('getEndpoint', tenantId, id, options),
    getEndpointByUid: (tenantId, uid) => read('getEndpointByUid', tenantId, uid),
    listHeldEndpoints: (ids) => read('listHeldEndpoints', ids),
    listFailing: (ids) => read('listFailing', ids),
    countInFlight: (tenantId, ids) => read('countInFlight', tenantId, ids),
    listNotices: (limit) => read('listNotices', limit),
    removeNotice: (endpointId, version) => write('removeNotice', endpointId, version),
    listEndpoints: (tenantId, page) => read('listEndpoints', tenantId, page),
    rotateSecret: async (tenantId, endpointId, secret, graceMs) =>
      is(idPrefixes.endpoint, endpointId) && write('rotateSecret', tenantId, endpointId, secret, graceMs),
    listSecrets: (tenantId, endpointId) => read('listSecrets', tenantId, endpointId),
    setPrimarySecret: async (tenantId, endpointId, secretId) =>
      is(idPrefixes.endpoint, endpointId)
        ? write('setPrimarySecret', tenantId, endpointId, secretId)
        : { kind: 'not_found' },
    noteReveal: async (tenantId, endpointId, secretId, by) =>
      is(idPrefixes.endpoint, endpointId) ? write('noteReveal', tenantId, endpointId, secretId, by) : null,
    insertCredential: (input) => write('insertCredential', input),
    updateCredential: async (tenantId, id, patch, options) =>
      is(idPrefixes.credential, id) ? write('updateCredential', tenantId, id, patch, options) : null,
    deleteCredential: async (tenantId, id, options) =>
      is(idPrefixes.credential, id)
        ? write('deleteCredential', tenantId, id, options)
        : { kind: 'not_found' },
    getCredential: (tenantId, id) => read('getCredential', tenantId, id),
    getCredentialByName: (tenantId, name) => read('getCredentialByName', tenantId, name),
    listCredentials: (tenantId, page) => read('listCredentials', tenantId, page),
    noteCredentialUse: (uses) => write('noteCredentialUse', uses),
    noteExpiry: (credentialId, notice) => write('noteExpiry', credentialId, notice),
    listExpiryNotices: (limit) => read('listExpiryNotices', limit),
    removeExpiryNotice: async (credentialId, notice) => {
      await write('removeExpiryNotice', credentialId, notice)
    },
    takeTokenTurn: (credentialId, ask) => write('takeTokenTurn', credentialId, ask),
    keepToken: (credentialId, holder, token) => write('keepToken', credentialId, holder, token),
    failToken: (credentialId, holder, failure) => write('failToken', credentialId, holder, failure),
    insertSubscription: (input) => write('insertSubscription', input),
    updateSubscription: async (tenantId, id, patch, options) =>
      is(idPrefixes.subscription, id) ? write('updateSubscription', tenantId, id, patch, options) : null,
    deleteSubscription: async (tenantId, id, options) =>
      is(idPrefixes.subscription, id) && write('deleteSubscription', tenantId, id, options),
    getSubscription: (tenantId, id, options) => read('getSubscription', tenantId, id, options),
    listSubscriptions: (tenantId, page) => read('listSubscriptions', tenantId, page),
    insertTenant: (input) => write('insertTenant', input),
    updateTenant: async (id, patch, options) =>
      is(idPrefixes.tenant, id) ? write('updateTenant', id, patch, options) : null,
    deleteTenant: async (id, options) =>
      is(idPrefixes.tenant, id) ? write('deleteTenant', id, options) : null,
    removeDeletedTenants: (options) => write('removeDeletedTenants', options),
    getTenant: (id) => read('getTenant', id),
    getTenantByUid: (uid) => read('getTenantByUid', uid),
    listTenants: (page) => read('listTenants', page),
    findTenantOf: (id) => read('findTenantOf', id),
    insertApiKey: (input, options) => write('insertApiKey', input, options),
    insertFirstApiKey: (input) => write('insertFirstApiKey', input),
    updateApiKey: (owner, id, patch, options) => write('updateApiKey', owner, id, patch, options),
    rotateApiKey: (owner, id, rotation) => write('rotateApiKey', owner, id, rotation),
    revokeApiKey: (owner, id, options) => write('revokeApiKey', owner, id, options),
    getApiKey: (owner, id) => read('getApiKey', owner, id),
    listApiKeys: (owner, page) => read('listApiKeys', owner, page),
    findApiKeys: (hashes) => read('findApiKeys', hashes),
    noteKeyUse: (uses) => write('noteKeyUse', uses),
    countRetryProfiles: () => read('countRetryProfiles'),
    insertEventType: (id, input) => write('insertEventType', id, input),
    updateEventType: (id, name, patch, options) => write('updateEventType', id, name, patch, options),
    deleteEventType: (id, name, options) => write('deleteEventType', id, name, options),
    putEventTypes: (id, types, options) => write('putEventTypes', id, types, options),
    getEventType: (id, name) => read('getEventType', id, name),
    listEventTypes: (id, filter, page) => read('listEventTypes', id, filter, page),
    loadServerEventTypes: () => read('loadServerEventTypes'),
    serverEventTypesVersion: () => read('serverEventTypesVersion'),
    insertSignIn: (signIn) => write('insertSignIn', signIn),
    findSignIns: (hashes) => read('findSignIns', hashes),
    takeSignIn: (hash) => write('takeSignIn', hash),
    deleteSignIn: async (hash) => {
      await write('deleteSignIn', hash)
    },
    insertPortalLink: (link) => write('insertPortalLink', link),
    listPortalLinks: (tenantId, page) => read('listPortalLinks', tenantId, page),
    revokePortalLink: (tenantId, id) => write('revokePortalLink', tenantId, id),
    findPortalLinks: (hashes) => read('findPortalLinks', hashes),
    setMetaOnce: (name, value) => write('setMetaOnce', name, value),
    getMeta: (name) => read('getMeta', name),
    replaceMeta: (changes) => write('replaceMeta', changes),
    listSealed: (column, fingerprint, after, limit) => read('listSealed', column, fingerprint, after, limit),
    replaceSealed: (column, values) => write('replaceSealed', column, values),
    countSealed: (fingerprint) => read('countSealed', fingerprint),

    publish: (batch, options) => write('publish', batch, options),

    fanOutSlice: (deliveryIds) => write('fanOutSlice', deliveryIds),
    pace: connection.pace,
    time: connection.time,
    claim: (request) => write('claim', request),
    recordOutcomes: (outcomes, breaker) => write('recordOutcomes', outcomes, breaker),
    listDeliveryNotices: (limit) => read('listDeliveryNotices', limit),
    removeDeliveryNotices: (notices) => write('removeDeliveryNotices', notices),
    release: (releases) => write('release', releases),
    replay: async (tenantId, deliveryId) =>
      is(idPrefixes.delivery, deliveryId) ? write('replay', tenantId, deliveryId) : { kind: 'not_found' },
    resend: async (tenantId, deliveryId) =>
      is(idPrefixes.delivery, deliveryId) ? write('resend', tenantId, deliveryId) : { kind: 'not_found' },
    cancelDelivery: async (tenantId, deliveryId, reason) =>
      is(idPrefixes.delivery, deliveryId)
        ? write('cancelDelivery', tenantId, deliveryId, reason)
        : { kind: 'not_found' },
    expungePayload: (tenantId, eventId) => write('expungePayload', tenantId, eventId),
    expungeAnswers: (deliveryIds) => write('expungeAnswers', deliveryIds),
    loadHealth: () => read('loadHealth'),
    skipDelivery: async (tenantId, deliveryId, reason) =>
      is(idPrefixes.delivery, deliveryId)
        ? write('skipDelivery', tenantId, deliveryId, reason)
        : { kind: 'not_found' },
    listOrderedKeys: (tenantId, filter, page) => read('listOrderedKeys', tenantId, filter, page),
    findHeads: (tenantId, lines) => read('findHeads', tenantId, lines),
    countOrderedKeys: () => read('countOrderedKeys'),

    getEvent: (tenantId, id) => read('getEvent', tenantId, id),
    listEvents: (tenantId, filter, page) => read('listEvents', tenantId, filter, page),
    getPayload: (tenantId, eventId) => read('getPayload', tenantId, eventId),
    listDeliveriesOfEvent: (tenantId, eventId, page) =>
      read('listDeliveriesOfEvent', tenantId, eventId, page),
    getDelivery: (tenantId, id) => read('getDelivery', tenantId, id),
    listDeliveries: (tenantId, filter, page) => read('listDeliveries', tenantId, filter, page),
    listAttempts: (deliveryIds, options) => read('listAttempts', deliveryIds, options),
    countDeadLetterReasons: (tenantId, filter) => read('countDeadLetterReasons', tenantId, filter),
    listDeadLetters: (tenantId, filter, page) => read('listDeadLetters', tenantId, filter, page),
    counts: () => read('counts'),
    listRecentStats: (options) => read('listRecentStats', options),
    readBacklog: (tenantId) => read('readBacklog', tenantId),
    listTroubled: (tenantId) => read('listTroubled', tenantId),
    size: () => read('size'),
    readStats: (request) => read('readStats', request),

    insertJob: (job) => write('insertJob', job),
    getJob: (tenantId, id) => read('getJob', tenantId, id),
    listJobs: (tenantId, filter, page) => read('listJobs', tenantId, filter, page),
    cancelJob: (tenantId, id) => write('cancelJob', tenantId, id),
    pauseJob: (tenantId, id) => write('pauseJob', tenantId, id),
    resumeJob: (tenantId, id) => write('resumeJob', tenantId, id),
    takeJob: (owner) => write('takeJob', owner),
    runJobSlice: (slice) => write('runJobSlice', slice),
    countJobSlice: (work, cursor) => read('countJobSlice', work, cursor),
    failJob: (owner, jobId, error) => write('failJob', owner, jobId, error),
    releaseJobs: (owner) => write('releaseJobs', owner),

    getRequest: (id) => read('getRequest', id),
    writeOnce: (request, kept) => write('writeOnce', request, kept),
    keepAnswer: (request, answer) => write('keepAnswer', request, answer),

    listAuditLines: (tenantId, filter, page) => read('listAuditLines', tenantId, filter, page),
    removeAuditLines: (options) => write('removeAuditLines', options),

    reconcileReady: (options) => write('reconcileReady', options),
    applyConfigChanges: (options) => write('applyConfigChanges', options),
    deleteExpiredIdempotencyKeys: (options) => write('deleteExpiredIdempotencyKeys', options),
    removeExpired: (options) => write('removeExpired', options),
    foldCounts: (options) => write('foldCounts', options),
    foldStats: (options) => write('foldStats', options),
  }
}

/** What is no id of the kind belongs to nothing: the answer is "not found", not an error. */
function is(prefix: IdPrefix, id: string): boolean {
  return bytesOfId(prefix, id) !== null
}
