/** The audit log. The rules of `../port.ts` hold. */
import type { Actor, ActorKind, AuditedKind, AuditLine } from '../../core/audit.ts'
import type { Page, PageRequest } from './reading.ts'
import { keptWrites } from './requests.ts'

/** Writes that leave a line, in their own transaction, when they have changed something. */
export const auditedWrites = [
  ...keptWrites,
  'deleteCredential',
  'deleteEndpoint',
  'deleteEventType',
  'deleteSubscription',
  'deleteTenant',
  'expungePayload',
  'insertFirstApiKey',
  'noteReveal',
  'replaceMeta',
  'revokeApiKey',
  'revokePortalLink',
  'skipDelivery',
  'updateApiKey',
  'updateCredential',
  'updateEventType',
  'updateSubscription',
] as const

export type AuditedWriteName = (typeof auditedWrites)[number]

export interface AuditedWrite {
  readonly name: AuditedWriteName
  readonly args: readonly unknown[]
  readonly actor: Actor
}

/** Who makes the writes that are made now; null: what they change leaves no line. */
export type ActorOf = () => Actor | null

export interface AuditFilter {
  readonly actorKind?: ActorKind
  /** The id of a token, a key or a link. */
  readonly actorId?: string
  /** `endpoint.updated`, or `endpoint.*` for all that begin so. */
  readonly action?: string
  readonly objectKind?: AuditedKind
  readonly objectId?: string
  /** At or after, before. */
  readonly since?: number
  readonly until?: number
}

export interface AuditStore {
  /** Newest first, of a tenant or (null) of all and of the server. A page may end early, as those of events do. */
  listAuditLines(tenantId: string | null, filter: AuditFilter, page: PageRequest): Promise<Page<AuditLine>>
  /** Removes the oldest lines of that age or more, at most `limit`. `more`: call again. */
  removeAuditLines(options: {
    readonly retainMs: number
    readonly limit: number
  }): Promise<{ readonly more: boolean }>
}
