/** What line each audited write leaves: written once for both databases. */
import type { AuditedKind, AuditMembers } from '../core/audit.ts'
import { serverCatalogueId } from '../core/event-type.ts'
import type { ApiKey } from '../core/model.ts'
import { type AuditedWriteName, isDone, masterKeyCheck, type Store } from './port.ts'

/** The object that a write is about. */
export interface Audited {
  readonly kind: AuditedKind
  /** Null: of the server, or (of a key) of whichever tenant. */
  readonly tenantId: string | null
  readonly id: string | null
}

/** When the object is read. What was not there before, or is not there afterwards, is not looked for. */
type Reading = 'before' | 'after' | 'both' | 'never'

type Args<Name extends AuditedWriteName> = Parameters<Store[Name]>
type Result<Name extends AuditedWriteName> = Awaited<ReturnType<Store[Name]>>

export interface AuditRule<Name extends AuditedWriteName = AuditedWriteName> {
  readonly reads: Reading
  about(...args: Args<Name>): Audited
  /** Of what the object was and is, where that is read. */
  action(args: Args<Name>, members: { readonly before: AuditMembers | null }): string
  /** Besides what the object was and is; null: there is nothing to tell. */
  details?(
    args: Args<Name>,
    result: Result<Name>,
  ): { readonly before?: AuditMembers; readonly after: AuditMembers } | null
  /** Whether the write did something. Default: as its result says. */
  isDone?(result: Result<Name>, args: Args<Name>): boolean
}

const of = (kind: AuditedKind) => (tenantId: string, id: string) => ({ kind, tenantId, id })
const always = (action: string) => () => action

function aboutKey({ id, tenantId, kind }: Pick<ApiKey, 'id' | 'tenantId' | 'kind'>): Audited {
  return { kind: kind === 'admin' ? 'admin_token' : 'key', tenantId, id }
}

function keyAction(kind: ApiKey['kind'], what: string): string {
  return `${kind === 'admin' ? 'admin_token' : 'key'}.${what}`
}

function ofCatalogue(catalogueId: string): string | null {
  return catalogueId === serverCatalogueId ? null : catalogueId
}

const aboutType = (catalogueId: string, name: string): Audited => ({
  kind: 'event_type',
  tenantId: ofCatalogue(catalogueId),
  id: name,
})

/** What enabling, disabling and pausing are called, which a change of anything else may come with. */
function endpointAction(
  [, , patch]: Args<'updateEndpoint'>,
  { before }: { readonly before: AuditMembers | null },
): string {
  const was = before?.disabled_reason ?? null
  const { disabledReason: will } = patch
  if (will === undefined || will === was) return 'endpoint.updated'
  if (will === null) return was === 'paused' ? 'endpoint.resumed' : 'endpoint.enabled'
  return will === 'paused' ? 'endpoint.paused' : 'endpoint.disabled'
}

type Changes = Args<'replaceMeta'>[0]
const checkOf = (changes: Changes) => changes.find(({ name }) => name === masterKeyCheck)
/** Of a check value, which begins with it. */
const fingerprint = (check: string | null | undefined) => check?.split('.')[0] ?? null

export const auditRules: { readonly [Name in AuditedWriteName]: AuditRule<Name> } = {
  insertTenant: {
    reads: 'after',
    about: ({ id }) => ({ kind: 'tenant', tenantId: id, id }),
    action: always('tenant.created'),
  },
  updateTenant: {
    reads: 'both',
    about: (id) => ({ kind: 'tenant', tenantId: id, id }),
    action: always('tenant.updated'),
  },
  deleteTenant: {
    reads: 'before',
    about: (id) => ({ kind: 'tenant', tenantId: id, id }),
    action: always('tenant.deleted'),
  },
  insertEndpoint: {
    reads: 'after',
    about: ({ endpoint: { tenantId, id } }) => ({ kind: 'endpoint', tenantId, id }),
    action: always('endpoint.created'),
  },
  updateEndpoint: { reads: 'both', about: of('endpoint'), action: endpointAction },
  deleteEndpoint: { reads: 'before', about: of('endpoint'), action: always('endpoint.deleted') },
  rotateSecret: {
    reads: 'never',
    about: of('endpoint'),
    action: always('endpoint.secret_rotated'),
    details: ([, , secret, graceMs]) => ({ after: { secret_id: secret.id, grace_seconds: graceMs / 1000 } }),
    isDone: (result) => result === true,
  },
  setPrimarySecret: {
    reads: 'never',
    about: of('endpoint'),
    action: always('endpoint.secret_made_primary'),
    details: ([, , secretId]) => ({ after: { secret_id: secretId } }),
    isDone: ({ kind }) => kind === 'made_primary',
  },
  noteReveal: {
    reads: 'never',
    about: of('endpoint'),
    action: always('endpoint.secret_revealed'),
    details: ([, , secretId]) => ({ after: { secret_id: secretId } }),
  },
  insertSubscription: {
    reads: 'after',
    about: ({ tenantId, id }) => ({ kind: 'subscription', tenantId, id }),
    action: always('subscription.created'),
  },
  updateSubscription: {
    reads: 'both',
    about: of('subscription'),
    action: always('subscription.updated'),
  },
  deleteSubscription: {
    reads: 'before',
    about: of('subscription'),
    action: always('subscription.deleted'),
  },
  insertCredential: {
    reads: 'after',
    about: ({ credential: { tenantId, id } }) => ({ kind: 'credential', tenantId, id }),
    action: always('credential.created'),
  },
  updateCredential: {
    reads: 'both',
    about: of('credential'),
    action: always('credential.updated'),
    details: ([, , { sealed }]) => (sealed === undefined ? null : { after: { secret: 'replaced' } }),
  },
  deleteCredential: {
    reads: 'before',
    about: of('credential'),
    action: always('credential.deleted'),
    isDone: ({ kind }) => kind === 'deleted',
  },
  insertApiKey: {
    reads: 'after',
    about: ({ key }) => aboutKey(key),
    action: ([{ key }]) => keyAction(key.kind, 'created'),
  },
  insertFirstApiKey: {
    reads: 'after',
    about: ({ key }) => aboutKey(key),
    action: ([{ key }]) => keyAction(key.kind, 'created'),
  },
  updateApiKey: {
    reads: 'both',
    about: (owner, id) => aboutKey({ ...owner, id }),
    action: ([{ kind }]) => keyAction(kind, 'updated'),
  },
  rotateApiKey: {
    reads: 'never',
    about: (owner, id) => aboutKey({ ...owner, id }),
    action: ([{ kind }]) => keyAction(kind, 'rotated'),
    details: ([, , { graceMs }]) => ({ after: { grace_seconds: graceMs / 1000 } }),
  },
  revokeApiKey: {
    reads: 'both',
    about: (owner, id) => aboutKey({ ...owner, id }),
    action: ([{ kind }]) => keyAction(kind, 'revoked'),
    isDone: (result) => result === 'revoked',
  },
  insertPortalLink: {
    reads: 'after',
    about: ({ tenantId, id }) => ({ kind: 'portal_link', tenantId, id }),
    action: always('portal_link.created'),
  },
  revokePortalLink: {
    reads: 'both',
    about: of('portal_link'),
    action: always('portal_link.revoked'),
  },
  insertEventType: {
    reads: 'after',
    about: (catalogueId, { name }) => aboutType(catalogueId, name),
    action: always('event_type.created'),
  },
  updateEventType: { reads: 'both', about: aboutType, action: always('event_type.updated') },
  deleteEventType: { reads: 'before', about: aboutType, action: always('event_type.deleted') },
  putEventTypes: {
    reads: 'never',
    about: (catalogueId) => ({ kind: 'event_catalogue', tenantId: ofCatalogue(catalogueId), id: null }),
    action: always('event_type.imported'),
    details: ([, types], result) => {
      if (result.kind !== 'put') return null
      const named = (which: string) =>
        types.filter((_, index) => result.results[index] === which).map(({ name }) => name)
      const [created, changed] = [named('created'), named('changed')]
      return created.length + changed.length === 0 ? null : { after: { created, changed } }
    },
    isDone: ({ kind }, [, , { dryRun }]) => kind === 'put' && !dryRun,
  },
  insertJob: {
    reads: 'after',
    about: ({ tenantId, id }) => ({ kind: 'job', tenantId, id }),
    action: always('job.begun'),
  },
  cancelJob: { reads: 'both', about: of('job'), action: always('job.cancelled') },
  pauseJob: { reads: 'both', about: of('job'), action: always('job.paused') },
  resumeJob: { reads: 'both', about: of('job'), action: always('job.resumed') },
  replay: { reads: 'both', about: of('delivery'), action: always('delivery.replayed') },
  resend: { reads: 'both', about: of('delivery'), action: always('delivery.resent') },
  cancelDelivery: { reads: 'both', about: of('delivery'), action: always('delivery.cancelled') },
  skipDelivery: {
    reads: 'both',
    about: of('delivery'),
    action: always('delivery.skipped'),
    isDone: ({ kind }) => kind === 'skipped',
  },
  expungePayload: {
    reads: 'both',
    about: of('event'),
    action: always('event.payload_expunged'),
    isDone: ({ kind }) => kind === 'expunged',
  },
  replaceMeta: {
    reads: 'never',
    about: () => ({ kind: 'master_key', tenantId: null, id: null }),
    action: always('master_key.rotated'),
    // What ends an exchange replaces no check value.
    details: ([changes]) => {
      const check = checkOf(changes)
      return check === undefined
        ? null
        : {
            before: { fingerprint: fingerprint(check.from) },
            after: { fingerprint: fingerprint(check.to) },
          }
    },
  },
}

export function ruleOf(name: AuditedWriteName): AuditRule {
  return auditRules[name] as unknown as AuditRule
}

export function isDoneBy(rule: AuditRule, args: readonly unknown[], result: unknown): boolean {
  return rule.isDone?.(result as never, args as never) ?? isDone(result)
}
