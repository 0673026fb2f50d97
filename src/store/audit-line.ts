/** Lines of the audit log as rows, and what is read of objects to write one. */
import { createHash } from 'node:crypto'
import {
  type Actor,
  type ActorKind,
  type AuditChange,
  type AuditedKind,
  type AuditLine,
  type AuditMembers,
  changeOf,
} from '../core/audit.ts'
import {
  type AuditedEndpoint,
  membersOfCredential,
  membersOfDelivery,
  membersOfEndpoint,
  membersOfEvent,
  membersOfEventType,
  membersOfJob,
  membersOfKey,
  membersOfPortalLink,
  membersOfSubscription,
  membersOfTenant,
} from '../core/audit-members.ts'
import type { Credential } from '../core/credential.ts'
import { bytesToId, idPrefixes } from '../core/ids.ts'
import type { Job } from '../core/jobs.ts'
import type { ApiKey, Delivery, DisabledReason, OutboundEvent, Subscription } from '../core/model.ts'
import type { PortalLink } from '../core/portal.ts'
import type { Tenant } from '../core/tenant.ts'
import { calendarOf, type TimeLine } from '../core/time-line.ts'
import { type Audited, isDoneBy, ruleOf } from './audit-rules.ts'
import type { AuditedWrite, AuditFilter, StoredEventType } from './port.ts'

export interface AuditRow {
  readonly id: Uint8Array
  readonly created_at: number
  readonly tenant_id: Uint8Array | null
  readonly actor_kind: string
  readonly actor_id: string | null
  readonly action: string
  readonly object_kind: string
  readonly object_id: string | null
  /** JSON. */
  readonly before: string | null
  readonly after: string | null
}

export const auditColumns =
  'id, created_at, tenant_id, actor_kind, actor_id, action, object_kind, object_id, before, after'

export function toAuditLine(row: AuditRow): AuditLine {
  return {
    id: bytesToId(idPrefixes.auditLine, row.id),
    createdAt: row.created_at,
    tenantId: row.tenant_id === null ? null : bytesToId(idPrefixes.tenant, row.tenant_id),
    actor: { kind: row.actor_kind as ActorKind, id: row.actor_id },
    action: row.action,
    objectKind: row.object_kind as AuditedKind,
    objectId: row.object_id,
    before: row.before === null ? null : JSON.parse(row.before),
    after: row.after === null ? null : JSON.parse(row.after),
  }
}

/** A line before the store gives it its id and its time. */
export interface NewAuditLine extends Omit<AuditLine, 'id' | 'createdAt'> {}

export interface ActionRange {
  readonly from: string
  /** Exclusive. */
  readonly to: string
}

/** Null: any action. No action has a space, and what comes behind a full stop is `/`. */
export function actionRangeOf({ action }: AuditFilter): ActionRange | null {
  if (action === undefined) return null
  if (!action.endsWith('.*')) return { from: action, to: `${action} ` }
  const group = action.slice(0, -2)
  return { from: `${group}.`, to: `${group}/` }
}

/** What an object was or is, as it was read; null: it is not there. */
export interface ReadObject {
  readonly tenantId: string | null
  readonly members: AuditMembers
}

interface Objects {
  readonly tenant: Tenant
  readonly endpoint: AuditedEndpoint
  readonly subscription: Subscription
  readonly credential: Credential
  readonly key: ApiKey
  readonly admin_token: ApiKey
  readonly portal_link: PortalLink
  readonly event_type: StoredEventType
  readonly job: Job
  readonly delivery: Delivery
  readonly event: OutboundEvent
}

/** How an adapter reads an object of each kind: here of a tenant, whose types are those of the server where it is null. */
export type ObjectReaders<Context, Wait extends boolean> = {
  readonly [Kind in keyof Objects]: (
    context: Context,
    tenantId: string | null,
    id: string,
  ) => Wait extends true ? Promise<Objects[Kind] | null> : Objects[Kind] | null
}

/** Of the others there is one, and it is never read. */
export function isReadKind(kind: AuditedKind): kind is keyof Objects {
  return kind !== 'master_key' && kind !== 'event_catalogue'
}

/** What may be said of it. */
export function toReadObject(audited: Audited, object: unknown, line: TimeLine): ReadObject | null {
  if (object === null) return null
  const { tenantId = audited.tenantId } = object as { readonly tenantId?: string | null }
  return { tenantId, members: membersOf(audited.kind, object as never, line) }
}

function membersOf(kind: AuditedKind, object: never, line: TimeLine): AuditMembers {
  const time = (at: number) => new Date(calendarOf(line, at)).toISOString()
  switch (kind) {
    case 'tenant':
      return membersOfTenant(object)
    case 'endpoint':
      return membersOfEndpoint(object)
    case 'subscription':
      return membersOfSubscription(object)
    case 'credential':
      return membersOfCredential(object)
    case 'key':
    case 'admin_token':
      return membersOfKey(object, time)
    case 'portal_link':
      return membersOfPortalLink(object, time)
    case 'event_type':
      return membersOfEventType(object)
    case 'job':
      return membersOfJob(object, time)
    case 'delivery':
      return membersOfDelivery(object)
    case 'event':
      return membersOfEvent(object)
    case 'event_catalogue':
    case 'master_key':
      return {}
  }
}

interface Written {
  readonly result: unknown
  readonly before: ReadObject | null
  readonly after: ReadObject | null
}

/** Null: the write has changed nothing. */
export function lineOf(
  { name, args, actor }: AuditedWrite,
  { result, before, after }: Written,
): NewAuditLine | null {
  const rule = ruleOf(name)
  if (!isDoneBy(rule, args, result)) return null
  const audited = rule.about(...(args as never))
  const change = withDetails(
    rule.reads === 'never' || (before === null && after === null)
      ? null
      : changeOf({ before: before?.members ?? null, after: after?.members ?? null }, digest),
    rule.details?.(args as never, result as never) ?? null,
  )
  if (change === null) return null
  return {
    tenantId: after?.tenantId ?? before?.tenantId ?? audited.tenantId,
    actor,
    action: rule.action(args as never, { before: before?.members ?? null }),
    objectKind: audited.kind,
    objectId: audited.id,
    ...change,
  }
}

function withDetails(
  change: AuditChange | null,
  details: { readonly before?: AuditMembers; readonly after: AuditMembers } | null,
): AuditChange | null {
  if (details === null) return change
  return {
    before: merged(change?.before, details.before),
    after: merged(change?.after, details.after),
  }
}

function merged(one: AuditMembers | null | undefined, other: AuditMembers | undefined): AuditMembers | null {
  return one == null && other === undefined ? null : { ...one, ...other }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Nobody has asked for it: its receiver says that it is gone, or has failed for too long. */
export function isBySystem(reason: DisabledReason): boolean {
  return reason === 'gone' || reason === 'failing'
}

/** What the system does by itself with an endpoint. */
export function disablingLine(
  { tenantId, endpointId }: { readonly tenantId: string; readonly endpointId: string },
  { reason, errorClass }: { readonly reason: string; readonly errorClass: string | null },
): NewAuditLine {
  const actor: Actor = { kind: 'system', id: null }
  const after = { disabled_reason: reason, ...(errorClass !== null && { error_class: errorClass }) }
  return {
    tenantId,
    actor,
    action: 'endpoint.disabled',
    objectKind: 'endpoint',
    objectId: endpointId,
    before: { disabled_reason: null },
    after,
  }
}
