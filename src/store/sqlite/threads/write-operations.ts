/** Every operation of the writer by its name. */

import type { BreakerPolicy } from '../../../core/endpoint-health.ts'
import type { ExpiryNotice } from '../../../core/operational-events.ts'
import type { ChangeOptions } from '../../../core/version.ts'
import type {
  ApiKeyPatch,
  AuditedWrite,
  AuditedWriteName,
  AuditStore,
  ClaimRequest,
  CredentialPatch,
  CredentialUse,
  DeliveryOutcome,
  EndpointPatch,
  JobOwner,
  JobSlice,
  KeptWrite,
  KeyOwner,
  KeyUse,
  MasterKeyStore,
  MetaChange,
  NewApiKey,
  NewCredential,
  NewEndpoint,
  NewEvent,
  NewJob,
  NewKeptRequest,
  NewPortalLink,
  NewSecret,
  NewSignIn,
  NewSubscription,
  NewTenant,
  PublishSettings,
  Release,
  Retention,
  SubscriptionPatch,
  TenantPatch,
  TokenAsk,
} from '../../port.ts'
import { removeAuditLines } from '../audit/lines.ts'
import { writeAudited } from '../audit/write-audited.ts'
import type { TenantRotation } from '../claim/candidates.ts'
import { claim } from '../claim/claim.ts'
import { applyConfigChanges } from '../config/apply-changes.ts'
import { failToken, keepToken, takeTokenTurn } from '../config/credential-tokens.ts'
import {
  deleteCredential,
  insertCredential,
  noteCredentialUse,
  updateCredential,
} from '../config/credentials.ts'
import { deleteEndpoint, insertEndpoint, updateEndpoint } from '../config/endpoints.ts'
import { noteExpiry, removeExpiryNotice } from '../config/expiry-notices.ts'
import {
  insertApiKey,
  insertFirstApiKey,
  noteKeyUse,
  revokeApiKey,
  rotateApiKey,
  setMetaOnce,
  updateApiKey,
} from '../config/keys.ts'
import { removeNotice } from '../config/notices.ts'
import { insertPortalLink, revokePortalLink } from '../config/portal-links.ts'
import { noteReveal, rotateSecret, setPrimarySecret } from '../config/secrets.ts'
import { deleteSignIn, insertSignIn, takeSignIn } from '../config/sign-ins.ts'
import { deleteSubscription, insertSubscription, updateSubscription } from '../config/subscriptions.ts'
import { insertTenant, updateTenant } from '../config/tenants.ts'
import {
  cancelJob,
  failJob,
  insertJob,
  pauseJob,
  releaseJobs,
  resumeJob,
  runJobSlice,
  takeJob,
} from '../jobs/jobs.ts'
import { type FanOutTurn, fanOutSlice } from '../publish/large-fan-out.ts'
import { publish } from '../publish/publish.ts'
import { cancelByHand } from '../record/cancel.ts'
import { removeDeliveryNotices } from '../record/delivery-notices.ts'
import { expungeAnswers, expungePayload } from '../record/expunge.ts'
import { recordOutcomes, release } from '../record/record.ts'
import { replay, resend } from '../record/replay.ts'
import { skip } from '../record/skip.ts'
import { keepAnswer, writeOnce } from '../requests/requests.ts'
import { foldStats } from '../upkeep/fold-stats.ts'
import {
  deleteExpiredIdempotencyKeys,
  foldCounts,
  type ReconcileCursor,
  reconcileReady,
} from '../upkeep/maintenance.ts'
import { deleteProbe, insertProbe } from '../upkeep/probe.ts'
import { deleteTenant, removeDeletedTenants } from '../upkeep/remove-tenants.ts'
import { newRetentionMemory, removeExpired } from '../upkeep/retention.ts'
import { replaceMeta, replaceSealed } from '../upkeep/sealed.ts'
import { eventTypeOperations } from './event-type-operations.ts'
import type { WriteContext } from './write-context.ts'

export type WriteOperations = ReturnType<typeof createWriteOperations>

/** `setMaxPageCount` is the disk's size, for tests. */
export function createWriteOperations() {
  const rotation: TenantRotation = { after: null, credits: new Map() }
  const reconciled: ReconcileCursor = { after: 0, lines: { after: 0 } }
  const turn: FanOutTurn = { after: 0 }
  const retained = newRetentionMemory()
  const operations = {
    publish: (context: WriteContext, batch: readonly NewEvent[], options: PublishSettings) =>
      publish(context, batch, options),
    fanOutSlice: (context: WriteContext, deliveryIds: readonly string[]) =>
      fanOutSlice(context, deliveryIds, turn),
    claim: (context: WriteContext, request: ClaimRequest) => claim(context, request, rotation),
    recordOutcomes: (context: WriteContext, outcomes: readonly DeliveryOutcome[], breaker: BreakerPolicy) =>
      recordOutcomes(context, outcomes, breaker),
    removeDeliveryNotices: (context: WriteContext, notices: Parameters<typeof removeDeliveryNotices>[1]) =>
      removeDeliveryNotices(context, notices),
    release: (context: WriteContext, releases: readonly Release[]) => release(context, releases),
    replay: (context: WriteContext, tenantId: string, deliveryId: string) =>
      replay(context, tenantId, deliveryId),
    resend: (context: WriteContext, tenantId: string, deliveryId: string) =>
      resend(context, tenantId, deliveryId),
    cancelDelivery: (context: WriteContext, tenantId: string, deliveryId: string, reason: string) =>
      cancelByHand(context, tenantId, deliveryId, reason),
    expungePayload: (context: WriteContext, tenantId: string, eventId: string) =>
      expungePayload(context, tenantId, eventId),
    expungeAnswers: (context: WriteContext, deliveryIds: readonly string[]) =>
      expungeAnswers(context, deliveryIds),
    skipDelivery: (context: WriteContext, tenantId: string, deliveryId: string, reason: string) =>
      skip(context, tenantId, deliveryId, reason),
    insertJob: (context: WriteContext, job: NewJob) => insertJob(context, job),
    cancelJob: (context: WriteContext, tenantId: string, id: string) => cancelJob(context, tenantId, id),
    pauseJob: (context: WriteContext, tenantId: string, id: string) => pauseJob(context, tenantId, id),
    resumeJob: (context: WriteContext, tenantId: string, id: string) => resumeJob(context, tenantId, id),
    takeJob: (context: WriteContext, owner: JobOwner) => takeJob(context, owner),
    runJobSlice: (context: WriteContext, slice: JobSlice) => runJobSlice(context, slice),
    failJob: (context: WriteContext, owner: string, jobId: string, error: string) =>
      failJob(context, owner, jobId, error),
    releaseJobs: (context: WriteContext, owner: string) => releaseJobs(context, owner),
    insertEndpoint: (context: WriteContext, input: NewEndpoint) => insertEndpoint(context, input),
    updateEndpoint: (
      context: WriteContext,
      tenantId: string,
      id: string,
      patch: EndpointPatch,
      options?: ChangeOptions,
    ) => updateEndpoint(context, tenantId, id, patch, options),
    deleteEndpoint: (context: WriteContext, tenantId: string, id: string, options?: ChangeOptions) =>
      deleteEndpoint(context, tenantId, id, options),
    removeNotice: (context: WriteContext, endpointId: string, version: number) =>
      removeNotice(context, endpointId, version),
    rotateSecret: (
      context: WriteContext,
      tenantId: string,
      endpointId: string,
      secret: NewSecret,
      graceMs: number,
    ) => rotateSecret(context, tenantId, endpointId, { secret, graceMs }),
    setPrimarySecret: (context: WriteContext, tenantId: string, endpointId: string, secretId: string) =>
      setPrimarySecret(context, tenantId, endpointId, secretId),
    noteReveal: (
      context: WriteContext,
      tenantId: string,
      endpointId: string,
      secretId: string,
      by: string | null,
    ) => noteReveal(context, tenantId, { endpointId, secretId, by }),
    insertCredential: (context: WriteContext, input: NewCredential) => insertCredential(context, input),
    updateCredential: (
      context: WriteContext,
      tenantId: string,
      id: string,
      patch: CredentialPatch,
      options?: ChangeOptions,
    ) => updateCredential(context, tenantId, id, patch, options),
    deleteCredential: (context: WriteContext, tenantId: string, id: string, options?: ChangeOptions) =>
      deleteCredential(context, tenantId, id, options),
    noteCredentialUse: (context: WriteContext, uses: readonly CredentialUse[]) =>
      noteCredentialUse(context, uses),
    noteExpiry: (context: WriteContext, credentialId: string, notice: ExpiryNotice) =>
      noteExpiry(context, credentialId, notice),
    removeExpiryNotice: (context: WriteContext, credentialId: string, notice: ExpiryNotice) =>
      removeExpiryNotice(context, credentialId, notice),
    takeTokenTurn: (context: WriteContext, credentialId: string, ask: TokenAsk) =>
      takeTokenTurn(context, credentialId, ask),
    keepToken: (
      context: WriteContext,
      credentialId: string,
      holder: string,
      token: { readonly sealed: Uint8Array; readonly lifeMs: number },
    ) => keepToken(context, credentialId, holder, token),
    failToken: (
      context: WriteContext,
      credentialId: string,
      holder: string,
      failure: { readonly error: string; readonly retryMs: number },
    ) => failToken(context, credentialId, holder, failure),
    insertSubscription: (context: WriteContext, input: NewSubscription) => insertSubscription(context, input),
    updateSubscription: (
      context: WriteContext,
      tenantId: string,
      id: string,
      patch: SubscriptionPatch,
      options?: ChangeOptions,
    ) => updateSubscription(context, tenantId, id, patch, options),
    deleteSubscription: (context: WriteContext, tenantId: string, id: string, options?: ChangeOptions) =>
      deleteSubscription(context, tenantId, id, options),
    insertTenant: (context: WriteContext, input: NewTenant) => insertTenant(context, input),
    deleteTenant: (context: WriteContext, id: string, options?: ChangeOptions) =>
      deleteTenant(context, id, options),
    removeDeletedTenants: (context: WriteContext, options: { readonly limit: number }) =>
      removeDeletedTenants(context, options),
    updateTenant: (context: WriteContext, id: string, patch: TenantPatch, options?: ChangeOptions) => {
      // It may be of another class now, whose walks have passed its rows.
      if (patch.settings !== undefined) retained.positions.clear()
      return updateTenant(context, id, patch, options)
    },
    insertApiKey: (context: WriteContext, input: NewApiKey, options?: { readonly maxActive?: number }) =>
      insertApiKey(context, input, options),
    insertFirstApiKey: (context: WriteContext, input: NewApiKey) => insertFirstApiKey(context, input),
    updateApiKey: (
      context: WriteContext,
      owner: KeyOwner,
      id: string,
      patch: ApiKeyPatch,
      options?: ChangeOptions,
    ) => updateApiKey(context, owner, id, patch, options),
    rotateApiKey: (
      context: WriteContext,
      owner: KeyOwner,
      id: string,
      rotation: { readonly hash: Uint8Array; readonly graceMs: number },
    ) => rotateApiKey(context, owner, id, rotation),
    revokeApiKey: (
      context: WriteContext,
      owner: KeyOwner,
      id: string,
      options?: ChangeOptions & { readonly keepLastAdmin?: boolean },
    ) => revokeApiKey(context, owner, id, options),
    noteKeyUse: (context: WriteContext, uses: readonly KeyUse[]) => noteKeyUse(context, uses),
    ...eventTypeOperations,
    insertSignIn: (context: WriteContext, signIn: NewSignIn) => insertSignIn(context, signIn),
    takeSignIn: (context: WriteContext, hash: Uint8Array) => takeSignIn(context, hash),
    deleteSignIn: (context: WriteContext, hash: Uint8Array) => deleteSignIn(context, hash),
    insertPortalLink: (context: WriteContext, link: NewPortalLink) => insertPortalLink(context, link),
    revokePortalLink: (context: WriteContext, tenantId: string, id: string) =>
      revokePortalLink(context, tenantId, id),
    setMetaOnce: (context: WriteContext, name: string, value: string) => setMetaOnce(context, name, value),
    replaceMeta: (context: WriteContext, changes: readonly MetaChange[]) => replaceMeta(context, changes),
    replaceSealed: (
      context: WriteContext,
      column: number,
      values: Parameters<MasterKeyStore['replaceSealed']>[1],
    ) => replaceSealed(context, column, values),
    reconcileReady: (context: WriteContext, options: { readonly limit: number }) =>
      reconcileReady(context, options, reconciled),
    applyConfigChanges: (context: WriteContext, options: { readonly limit: number }) =>
      applyConfigChanges(context, options),
    deleteExpiredIdempotencyKeys: (context: WriteContext, options: { readonly limit: number }) =>
      deleteExpiredIdempotencyKeys(context, options),
    removeExpired: (
      context: WriteContext,
      options: { readonly retention: Retention; readonly limit: number },
    ) => removeExpired(context, options, retained),
    removeAuditLines: (context: WriteContext, options: Parameters<AuditStore['removeAuditLines']>[0]) =>
      removeAuditLines(context, options),
    foldCounts: (context: WriteContext, options: { readonly limit: number }) => foldCounts(context, options),
    foldStats: (context: WriteContext, options: { readonly limit: number }) => foldStats(context, options),
    ping: (context: WriteContext) => {
      context.prepare('select 1').get()
    },
    insertProbe: (context: WriteContext) => insertProbe(context),
    deleteProbe: (context: WriteContext) => deleteProbe(context),
    setMaxPageCount: (context: WriteContext, pages: number) => {
      context.prepare(`pragma max_page_count = ${Math.trunc(pages)}`).get()
    },
    readPragma: (context: WriteContext, name: string) =>
      Object.values(context.prepare(`pragma ${name}`).get() ?? {})[0],
  }
  const writes: Readonly<
    Record<AuditedWriteName, (context: WriteContext, ...args: readonly never[]) => unknown>
  > = operations
  const writeAs = (context: WriteContext, { name, args, actor }: KeptWrite | AuditedWrite) => {
    const run = () => writes[name](context, ...(args as readonly never[]))
    return actor === undefined ? run() : writeAudited(context, { name, args, actor }, run)
  }
  return {
    ...operations,
    writeOnce: (context: WriteContext, request: NewKeptRequest, write: KeptWrite) =>
      writeOnce(context, request, { name: write.name, run: () => writeAs(context, write) }),
    writeAudited: writeAs,
    keepAnswer: (context: WriteContext, request: NewKeptRequest, answer: Uint8Array) =>
      keepAnswer(context, request, answer),
  }
}
